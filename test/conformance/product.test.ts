import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAuthorizationSuite } from '#test/conformance/authorization'
import { type BearerProxy, startBearerProxy } from '#test/conformance/bearer-proxy'
import { expectLegacySetWithoutSessions, expectModernSet } from '#test/conformance/gate'
import { count, runServerSuite } from '#test/conformance/suite'
import { ensureBuilt } from '#test/support/build'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
} from '#test/support/person-by-fetch'
import { type Product, startProduct } from '#test/support/product'

/** The whole product with the suite's fixture in the place of the notebook; the token comes by OAuth. */
describe('the product against the official suite', () => {
  let product: Product
  let person: FetchPerson
  let proxy: BearerProxy

  beforeAll(async () => {
    await ensureBuilt()
    product = await startProduct({ env: { GATEHOUSE_CONFORMANCE: '1' } })
    person = personByFetch(product.url)
    await person.signIn(product.ownerLink ?? '')
    const { body } = await redeemByFetch(product.url, await authorizeByFetch(product.url, person))
    proxy = await startBearerProxy(product.url, body.access_token ?? '')
  })

  afterAll(async () => {
    await proxy?.close()
    await product?.dispose()
  })

  it('passes everything of 2026-07-28 but the tasks extension', async () => {
    expectModernSet(await runServerSuite(`${proxy.url}/api/mcp`, ['--requirements', '2026-07-28']))
  })

  it('passes everything of 2025-11-25 that needs no session', async () => {
    const run = await runServerSuite(`${proxy.url}/api/mcp`, ['--requirements', '2025-11-25'])
    expectLegacySetWithoutSessions(run)
  })

  it.each([
    // The suite asks for client id metadata documents from 2025-11-25 on.
    { revision: '2025-03-26', successes: 2 },
    { revision: '2025-06-18', successes: 2 },
    { revision: '2025-11-25', successes: 3 },
    { revision: '2026-07-28', successes: 3 },
  ])(
    'passes the authorization scenarios of $revision, through its own sign-in and consent',
    async ({ revision, successes }) => {
      const { checks, output } = await runAuthorizationSuite(product.url, person, revision)
      expect(count(checks), output).toEqual({
        SUCCESS: successes,
        FAILURE: 0,
        WARNING: 0,
        SKIPPED: 0,
        INFO: 0,
      })
    },
  )
})
