import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAuthorizationSuite } from '#test/conformance/authorization'
import { type BearerProxy, startBearerProxy } from '#test/conformance/bearer-proxy'
import { expectLegacySet, expectModernSet, expectWholeSuite } from '#test/conformance/gate'
import { count, runServerSuite } from '#test/conformance/suite'
import { type Deployment, startLocal, startPair } from '#test/support/deployment'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
} from '#test/support/person-by-fetch'

/** The suite's fixture takes the place of the notebook, and of nothing else; three runs in a minute are many calls. */
const ENV = { GATEHOUSE_CONFORMANCE: '1', RATE_LIMIT_PER_MINUTE: '10000' }

/** The whole product, built; the token comes by OAuth, through sign-in and consent. */
describe.each([
  { where: 'one instance on the local store', start: () => startLocal({ env: ENV }), all: false },
  {
    where: 'two instances behind a strict round-robin, over Upstash',
    start: () => startPair(ENV),
    all: true,
  },
])('the official suite against $where', ({ start, all }) => {
  let deployment: Deployment
  let person: FetchPerson
  let proxy: BearerProxy

  beforeAll(async () => {
    deployment = await start()
    const { origin, ownerLink } = deployment
    person = personByFetch(origin)
    await person.signIn(ownerLink)
    const { body } = await redeemByFetch(origin, await authorizeByFetch(origin, person))
    proxy = await startBearerProxy(origin, body.access_token ?? '')
  })

  afterAll(async () => {
    await proxy?.close()
    await deployment?.dispose()
  })

  const run = (...args: string[]) => runServerSuite(`${proxy.url}/api/mcp`, args)

  it('passes 84 of 84 checks of 2025-11-25', async () => {
    expectLegacySet(await run('--requirements', '2025-11-25'))
  })

  it('passes 196 of 196 checks of 2026-07-28', async () => {
    expectModernSet(await run('--requirements', '2026-07-28'))
  })

  it.runIf(all)('passes 276 of 276 checks of everything that the suite has', async () => {
    expectWholeSuite(await run('--suite', 'all'))
  })

  it.each([
    // The suite asks for client id metadata documents from 2025-11-25 on.
    { revision: '2025-03-26', successes: 2 },
    { revision: '2025-06-18', successes: 2 },
    { revision: '2025-11-25', successes: 3 },
    { revision: '2026-07-28', successes: 3 },
  ])('passes the authorization scenarios of $revision', async ({ revision, successes }) => {
    const { checks, output } = await runAuthorizationSuite(deployment.origin, person, revision)
    const nothingElse = { FAILURE: 0, WARNING: 0, SKIPPED: 0, INFO: 0 }
    expect(count(checks), output).toEqual({ SUCCESS: successes, ...nothingElse })
  })
})
