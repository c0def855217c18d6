import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Config } from '#lib/config/env'
import type { Identity } from '#lib/identity/identity'
import { admission, taskStanding } from '#lib/services/admission'
import {
  type AuthorizationServer,
  ada,
  RESOURCE,
  startAuthorizationServer,
} from '#test/support/authorization-server'

/** By what right a task goes on after its call: asked of the real authorization server before each step. */
let server: AuthorizationServer
let token: string
let clientId: string
let authority: string

const admit = () =>
  admission(server.store, {
    oauth: server.oauth,
    identity: { accountCheck: server.deps.accountCheck } as unknown as Identity,
    config: { rateLimitPerMinute: 2 } as Config,
    waitUntil: () => undefined,
  })
const standing = (of = authority) => taskStanding(admit())(of)

/** The claims of a token, as the endpoint hands them on. */
async function authorityOf(bearer: string): Promise<string> {
  const request = new Request(RESOURCE, { headers: { authorization: `Bearer ${bearer}` } })
  const claims = await server.oauth.readBearer(request)
  if (!claims.ok) throw new Error('not a token')
  return JSON.stringify(claims.value)
}

beforeEach(async () => {
  server = await startAuthorizationServer()
  const connected = await server.connect()
  token = connected.tokens.access_token
  clientId = connected.clientId
  authority = await authorityOf(token)
})
afterEach(() => server.close())

it('is that of the connection, and holds nothing to call with', async () => {
  expect(await standing()).toMatchObject({ accountId: 'ada', scopes: ['notes:read', 'notes:write'] })
  expect(token.split('.').some((part) => authority.includes(part))).toBe(false)
})

it('outlives the access token, as the connection does', async () => {
  server.pass(2 * 3600)
  expect(await standing()).toMatchObject({ accountId: 'ada' })
})

it('is not used up by calls', async () => {
  const claims = JSON.parse(authority)
  const answers = []
  for (let call = 0; call < 4; call++) answers.push((await admit()(claims, 1, [])).ok)
  expect(answers).toEqual([true, true, false, false])
  expect(await standing()).toMatchObject({ accountId: 'ada' })
})

it.each([
  { what: 'the app hands its token back', end: () => server.revoke({ client_id: clientId, token }) },
  {
    what: 'its person ends the connection',
    end: () => server.oauth.endGrantsOf({ accountId: 'ada', why: 'test' }),
  },
  {
    what: 'the operator blocks the app',
    end: async () => server.oauth.clientStanding.block((await standing())?.client.key ?? ''),
  },
  {
    what: 'the account ends',
    end: () => server.store.run({ kind: 'set', key: 'a:ada', value: 'ended', ifAbsent: false }),
  },
])('ends when $what', async ({ end }) => {
  expect(await standing()).toBeDefined()
  await end()
  expect(await standing()).toBeUndefined()
})

it('of a personal access token ends with it', async () => {
  const made = await server.oauth.createPersonalToken({
    user: ada,
    name: 'program',
    days: 7,
    scopes: ['notes:read'],
    once: 'A'.repeat(22),
  })
  if (!made.ok) throw new Error(String(made.error))
  const personal = await authorityOf(made.value.token)
  expect(personal).not.toContain(made.value.token)
  expect(await standing(personal)).toMatchObject({ accountId: 'ada', scopes: ['notes:read'] })
  await server.oauth.endPersonalToken({
    accountId: 'ada',
    grantId: made.value.summary.id,
    why: 'test',
  })
  expect(await standing(personal)).toBeUndefined()
})
