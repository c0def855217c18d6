import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '#lib/store/port'
import {
  type AuthorizationServer,
  startAuthorizationServer,
  type Tokens,
  VERIFIER,
} from '#test/support/authorization-server'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(() => server.close())

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { error?: string }
  return `${response.status} ${error}`
}
const isAdmitted = async ({ access_token }: Tokens) => (await server.admit(access_token)).ok
const refreshes = async (clientId: string, { refresh_token }: Tokens) =>
  (await server.refresh(clientId, refresh_token)).status === 200

describe('revoking', () => {
  it.each(['access_token', 'refresh_token'] as const)(
    'with its %s ends the whole connection',
    async (kind) => {
      const { clientId, tokens } = await server.connect()
      expect(await isAdmitted(tokens)).toBe(true)
      const response = await server.revoke({ client_id: clientId, token: tokens[kind] })
      expect([response.status, await response.text()]).toEqual([200, ''])
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')

      expect((await server.admit(tokens.access_token, server.another())).ok).toBe(false)
      expect(await refreshes(clientId, tokens)).toBe(false)
      expect(await server.oauth.listGrants('ada')).toEqual([])
      expect(server.audited.at(-1)).toMatchObject({ event: 'grant_ended', why: 'revoked_by_client' })
    },
  )

  it('with a refresh token that was replaced ends the connection too', async () => {
    const { clientId, tokens } = await server.connect()
    expect(await refreshes(clientId, tokens)).toBe(true)
    await server.revoke({ client_id: clientId, token: tokens.refresh_token })
    expect(await isAdmitted(tokens)).toBe(false)
  })

  it.each([undefined, 'access_token', 'refresh_token', 'nonsense'])(
    'takes the hint %s for what it is',
    async (hint) => {
      const { clientId, tokens } = await server.connect()
      const token_type_hint = hint === undefined ? {} : { token_type_hint: hint }
      await server.revoke({ client_id: clientId, token: tokens.refresh_token, ...token_type_hint })
      expect(await isAdmitted(tokens)).toBe(false)
    },
  )

  it.each(['access_token', 'refresh_token'] as const)(
    'with another client’s %s is answered alike and ends nothing',
    async (kind) => {
      const mine = await server.connect()
      const other = await server.register({ client_name: 'Thief' })
      const response = await server.revoke({ client_id: other.client_id, token: mine.tokens[kind] })
      expect([response.status, await response.text()]).toEqual([200, ''])
      expect(await isAdmitted(mine.tokens)).toBe(true)
      expect(await refreshes(mine.clientId, mine.tokens)).toBe(true)
    },
  )

  it('with a personal access token ends nothing: it is no client’s', async () => {
    const made = await server.oauth.createPersonalToken({
      user: { accountId: 'ada', epoch: 1 },
      once: 'o'.repeat(22),
      name: 'script',
      scopes: ['notes:read'],
      days: 7,
    })
    const token = made.ok ? made.value.token : ''
    const { client_id } = await server.register()
    expect((await server.revoke({ client_id, token })).status).toBe(200)
    expect((await server.admit(token)).ok).toBe(true)
  })

  it.each([
    { what: 'garbage', token: 'garbage' },
    { what: 'a forged refresh token', token: (real: Tokens) => real.refresh_token.replace('.1.', '.2.') },
    { what: 'a forged access token', token: (real: Tokens) => `${real.access_token.slice(0, -4)}AAAA` },
    { what: 'a very long one', token: 'x'.repeat(8000) },
  ])('with $what is 200, ends nothing and asks the store for nothing', async ({ token }) => {
    const { clientId, tokens } = await server.connect()
    const before = server.requests.length
    const sent = typeof token === 'string' ? token : token(tokens)
    expect((await server.revoke({ client_id: clientId, token: sent })).status).toBe(200)
    expect(server.requests.length).toBe(before)
    expect(await isAdmitted(tokens)).toBe(true)
  })

  it('twice, or with an access token that has expired, is 200', async () => {
    const { clientId, tokens } = await server.connect()
    server.pass(3700)
    expect((await server.revoke({ client_id: clientId, token: tokens.access_token })).status).toBe(200)
    for (const _ of [1, 2]) {
      expect((await server.revoke({ client_id: clientId, token: tokens.refresh_token })).status).toBe(200)
    }
  })

  it.each([
    { what: 'no token', form: '', expected: '400 invalid_request' },
    { what: 'an empty token', form: 'token=', expected: '400 invalid_request' },
    { what: 'two tokens', form: 'token=a&token=b', expected: '400 invalid_request' },
    { what: 'two clients', form: 'token=a&client_id=b', expected: '400 invalid_request' },
  ])('with $what is $expected', async ({ form, expected }) => {
    const { client_id } = await server.register()
    expect(await errorOf(await server.revoke(`client_id=${client_id}&${form}`))).toBe(expected)
  })

  it.each([
    { what: 'nobody', form: {}, expected: '400 invalid_request' },
    {
      what: 'a client that is not registered',
      form: { client_id: 'nobody' },
      expected: '401 invalid_client',
    },
  ])('by $what is $expected and ends nothing', async ({ form, expected }) => {
    const { tokens } = await server.connect()
    expect(await errorOf(await server.revoke({ token: tokens.refresh_token, ...form }))).toBe(expected)
    expect(await isAdmitted(tokens)).toBe(true)
  })

  it('by a confidential client needs its secret, with a challenge when it came by header', async () => {
    const { client_id, client_secret } = await server.register({
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const code = await server.code(client_id)
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
    const tokens = (await (await server.token(form, basic(client_id, client_secret))).json()) as Tokens
    const token = tokens.refresh_token

    const wrong = await server.revoke({ token }, basic(client_id, 'wrong'))
    expect(await errorOf(wrong)).toBe('401 invalid_client')
    expect(wrong.headers.get('www-authenticate')).toBe('Basic realm="oauth"')
    expect(await errorOf(await server.revoke({ token, client_id }))).toBe('401 invalid_client')
    expect(await isAdmitted(tokens)).toBe(true)

    expect((await server.revoke({ token }, basic(client_id, client_secret))).status).toBe(200)
    expect(await isAdmitted(tokens)).toBe(false)
  })

  it.each([
    { what: 'GET', init: { method: 'GET' }, status: 405 },
    {
      what: 'JSON',
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
      status: 400,
    },
    {
      what: 'a body of 20 kB',
      init: {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${'x'.repeat(20_000)}`,
      },
      status: 413,
    },
  ])('refuses $what with $status', async ({ init, status }) => {
    expect((await server.call('revoke', '/oauth/revoke', init)).status).toBe(status)
  })

  it('races a refresh without bringing the connection back', async () => {
    const { clientId, tokens } = await server.connect()
    await Promise.all([
      ...Array.from({ length: 10 }, () => server.refresh(clientId, tokens.refresh_token)),
      server.revoke({ client_id: clientId, token: tokens.refresh_token }),
    ])
    expect(await isAdmitted(tokens)).toBe(false)
    expect(await refreshes(clientId, tokens)).toBe(false)
  })
})

it('says that it cannot tell while the store is away, so that the client tries again', async () => {
  let away = false
  const faulty = await startAuthorizationServer({
    wrap: (store) => ({
      ...store,
      run: async (operation) => {
        if (away) throw new StoreUnavailable('away')
        return store.run(operation)
      },
    }),
  })
  const { clientId, tokens } = await faulty.connect()
  away = true
  const form = { client_id: clientId, token: tokens.refresh_token }
  await expect(faulty.revoke(form)).rejects.toThrow(StoreUnavailable)
  away = false
  expect((await faulty.revoke(form)).status).toBe(200)
  expect((await faulty.admit(tokens.access_token)).ok).toBe(false)
  await faulty.close()
})
