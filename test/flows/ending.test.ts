import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import {
  type AuthorizationServer,
  ada,
  bob,
  request,
  startAuthorizationServer,
  type Tokens,
} from '#test/support/authorization-server'

let server: AuthorizationServer
/** Where the operator's command arrives; calls arrive at the server itself. */
let elsewhere: OAuth

beforeEach(async () => {
  server = await startAuthorizationServer()
  elsewhere = server.another()
})
afterEach(() => server.close())

const errorOf = async (response: Response) => ((await response.json()) as { error?: string }).error
const isAdmitted = async ({ access_token }: Tokens) => (await server.admit(access_token)).ok
const keyOf = async () => (await server.oauth.listGrants('ada'))[0]?.client.key ?? ''

/** Another app that answers elsewhere, so that it is another client. */
async function connectOther() {
  const redirect = 'https://other.example/callback'
  const { client_id } = await server.register({ redirect_uris: [redirect], client_name: 'Other' })
  const code = await server.code(client_id, { redirect_uri: redirect })
  return { clientId: client_id, tokens: (await (await server.redeem(client_id, code)).json()) as Tokens }
}

describe('ending all connections of a client', () => {
  it.each(['block', 'endConnections'] as const)(
    'by %s counts from the next call on, everywhere',
    async (how) => {
      const { clientId, tokens } = await server.connect()
      const other = await connectOther()
      expect(await isAdmitted(tokens)).toBe(true)
      const key = (await server.oauth.listGrants('ada')).find(({ client }) => client.name === 'App')?.client
        .key
      await elsewhere.clientStanding[how](key ?? '')

      expect(await isAdmitted(tokens)).toBe(false)
      const refresh = await server.refresh(clientId, tokens.refresh_token)
      // Not `invalid_client`: hosts would throw the registration away, and it is not at fault.
      expect([refresh.status, await errorOf(refresh)]).toEqual([400, 'invalid_grant'])
      expect(await isAdmitted(other.tokens)).toBe(true)
      expect((await server.refresh(other.clientId, other.tokens.refresh_token)).status).toBe(200)
    },
  )

  it('holds however the client registers again', async () => {
    await server.connect()
    const { client_id } = await server.register({ client_name: 'App, second try', scope: 'notes:read' })
    await elsewhere.clientStanding.block(await keyOf())
    const page = await server.authorize(request(client_id), ada)
    expect(page.status).toBe(403)
    expect(await page.text()).toContain('client_blocked')
  })

  it('lets it connect anew after an ending, and not after a block', async () => {
    await server.connect()
    const key = await keyOf()
    await elsewhere.clientStanding.endConnections(key)
    expect(await isAdmitted((await server.connect()).tokens)).toBe(true)

    await elsewhere.clientStanding.block(key)
    await expect(server.connect()).rejects.toThrow()
    await elsewhere.clientStanding.unblock(key)
    expect(await isAdmitted((await server.connect()).tokens)).toBe(true)
  })

  it('brings nothing back by unblocking', async () => {
    const { tokens } = await server.connect()
    const key = await keyOf()
    await elsewhere.clientStanding.block(key)
    await elsewhere.clientStanding.unblock(key)
    expect(await isAdmitted(tokens)).toBe(false)
  })

  it('ends what was asked before it: a page that waits, a code that waits', async () => {
    await server.connect()
    const key = await keyOf()
    const { client_id } = await server.register()
    const waiting = await server.consentForm(request(client_id))
    const code = await server.code(client_id)
    await elsewhere.clientStanding.endConnections(key)

    expect(await errorOf(await server.redeem(client_id, code))).toBe('invalid_grant')
    const { tx, csrf } = waiting
    const answer = await server.decide({ tx, csrf, decision: 'allow' })
    const late = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    expect(await errorOf(await server.redeem(client_id, late))).toBe('invalid_grant')
  })

  it('answers the person who allows a client that was blocked meanwhile, and lets them deny it', async () => {
    await server.connect()
    const { client_id } = await server.register()
    const [first, second] = [
      await server.consentForm(request(client_id)),
      await server.consentForm(request(client_id)),
    ]
    await elsewhere.clientStanding.block(await keyOf())
    const { tx, csrf } = first
    expect((await server.decide({ tx, csrf, decision: 'allow' })).status).toBe(403)
    expect((await server.decide({ tx: second.tx, csrf: second.csrf, decision: 'deny' })).status).toBe(303)
  })

  it('races refreshes without a survivor', async () => {
    const { clientId, tokens } = await server.connect()
    const key = await keyOf()
    const [, ...answers] = await Promise.all([
      elsewhere.clientStanding.block(key),
      ...Array.from({ length: 25 }, () => server.refresh(clientId, tokens.refresh_token)),
    ])
    for (const answer of answers.filter(({ status }) => status === 200)) {
      expect(await isAdmitted((await answer.json()) as Tokens)).toBe(false)
    }
    expect((await server.refresh(clientId, tokens.refresh_token)).status).toBe(400)
  })
})

describe('ending connections of one account', () => {
  it('with one client leaves its other clients and other people', async () => {
    const { tokens } = await server.connect()
    const other = await connectOther()
    const { client_id } = await server.register()
    const form = await server.consentForm(request(client_id), bob)
    const answer = await server.decide({ tx: form.tx, csrf: form.csrf, decision: 'allow' }, { user: bob })
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const bobs = (await (await server.redeem(client_id, code)).json()) as Tokens

    const key = (await server.oauth.listGrants('ada')).find(({ client }) => client.name === 'App')?.client.key
    expect(await elsewhere.endGrantsOf({ accountId: 'ada', clientKey: key, why: 'test' })).toBe(1)
    expect(await isAdmitted(tokens)).toBe(false)
    expect(await isAdmitted(other.tokens)).toBe(true)
    expect(await isAdmitted(bobs)).toBe(true)
  })

  it('ends all, and personal tokens, and codes that wait', async () => {
    const { tokens } = await server.connect()
    const made = await server.oauth.createPersonalToken({
      user: { accountId: 'ada', epoch: 1 },
      once: 'o'.repeat(22),
      name: 'script',
      scopes: ['notes:read'],
      days: 7,
    })
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    expect(await elsewhere.endGrantsOf({ accountId: 'ada', why: 'test' })).toBe(3)
    expect(await isAdmitted(tokens)).toBe(false)
    expect((await server.admit(made.ok ? made.value.token : '')).ok).toBe(false)
    expect(await errorOf(await server.redeem(client_id, code))).toBe('invalid_grant')
    expect(await server.oauth.listGrants('ada')).toEqual([])
  })

  it('ends more than stand on one page of the index', async () => {
    const { client_id } = await server.register()
    for (let made = 0; made < 205; made++) await server.code(client_id)
    expect(await elsewhere.endGrantsOf({ accountId: 'ada', clientKey: 'another', why: 'test' })).toBe(0)
    expect(await elsewhere.endGrantsOf({ accountId: 'ada', why: 'test' })).toBe(205)
  })

  it('is not held up by a record that cannot be read, and takes it along where all end', async () => {
    const { clientId, tokens } = await server.connect()
    const key = await keyOf()
    const [id = ''] = (await server.code(clientId)).split('.')
    await server.store.run(set(keys.grant(id), '{"v":1'))

    expect(await elsewhere.endGrantsOf({ accountId: 'ada', clientKey: key, why: 'test' })).toBe(1)
    expect(await isAdmitted(tokens)).toBe(false)
    expect(await server.store.run(get(keys.grant(id)))).toBe('{"v":1')
    expect(await elsewhere.endGrantsOf({ accountId: 'ada', why: 'test' })).toBe(1)
    expect(await server.store.run(get(keys.grant(id)))).toBeNull()
  })
})
