import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import {
  type AuthorizationServer,
  CALLBACK,
  RESOURCE,
  startAuthorizationServer,
  type Tokens,
  VERIFIER,
} from '#test/support/authorization-server'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(() => server.close())

const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { error?: string }
  return `${response.status} ${error}`
}
const tokensOf = async (response: Response) => (await response.json()) as Tokens
const grantIdOf = (code: string) => code.split('.')[0] ?? ''

describe('redeeming a code', () => {
  it('gives tokens once, with the exact members and headers', async () => {
    const { client_id } = await server.register()
    const response = await server.redeem(client_id, await server.code(client_id))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toEqual({
      access_token: expect.stringMatching(/^ey/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'notes:read notes:write',
      refresh_token: expect.stringMatching(/^gtr_/),
    })
  })

  it('gives no refresh token to a client that did not register for it', async () => {
    const { client_id } = await server.register({ grant_types: ['authorization_code'] })
    const tokens = await tokensOf(await server.redeem(client_id, await server.code(client_id)))
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(await server.oauth.listGrants('ada')).toHaveLength(1)
    server.pass(3600)
    expect(await server.oauth.listGrants('ada')).toEqual([])
  })

  const wrong = [
    { wrong: 'a verifier of somebody else', form: { code_verifier: `${VERIFIER}x` }, error: 'invalid_grant' },
    { wrong: 'a verifier too short to be one', form: { code_verifier: 'short' }, error: 'invalid_request' },
    { wrong: 'no verifier', form: { code_verifier: '' }, error: 'invalid_request' },
    { wrong: 'another redirect', form: { redirect_uri: `${CALLBACK}/` }, error: 'invalid_grant' },
    {
      wrong: 'another resource',
      form: { resource: 'https://other.example/api/mcp' },
      error: 'invalid_target',
    },
    { wrong: 'another code', form: { code: `${'x'.repeat(22)}.${'y'.repeat(43)}` }, error: 'invalid_grant' },
    { wrong: 'garbage for a code', form: { code: '../../g' }, error: 'invalid_grant' },
  ]
  it.each(wrong)('refuses $wrong and does not spend the code', async ({ form, error }) => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    expect(await errorOf(await server.redeem(client_id, code, form))).toBe(`400 ${error}`)
    expect((await server.redeem(client_id, code)).status).toBe(200)
  })

  it('refuses another client and does not spend the code', async () => {
    const [mine, other] = [await server.register(), await server.register({ client_name: 'Other' })]
    const code = await server.code(mine.client_id)
    expect(await errorOf(await server.redeem(other.client_id, code))).toBe('400 invalid_grant')
    expect((await server.redeem(mine.client_id, code)).status).toBe(200)
  })

  it('refuses a code of 60 seconds ago', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    server.pass(60)
    expect(await errorOf(await server.redeem(client_id, code))).toBe('400 invalid_grant')
  })

  it('takes a second valid redemption for theft: the grant ends, and a third changes nothing', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    const tokens = await tokensOf(await server.redeem(client_id, code))
    expect(await errorOf(await server.redeem(client_id, code))).toBe('400 invalid_grant')
    expect(await server.admit(tokens.access_token)).toEqual({ ok: false, error: 'grant_ended' })
    expect(await errorOf(await server.refresh(client_id, tokens.refresh_token))).toBe('400 invalid_grant')
    expect(await errorOf(await server.redeem(client_id, code))).toBe('400 invalid_grant')
    expect(server.audited.map(({ event, why }) => `${event} ${why ?? ''}`)).toEqual([
      'consent_given ',
      'grant_ended code_replay',
    ])
  })

  it('takes a second redemption with a wrong verifier for nothing', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    const tokens = await tokensOf(await server.redeem(client_id, code))
    await server.redeem(client_id, code, { code_verifier: `${VERIFIER}x` })
    expect(await server.admit(tokens.access_token)).toMatchObject({ ok: true })
  })

  it('lets exactly one of 50 at once through', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.redeem(client_id, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49)
  })

  it('gives nothing for an account that ended since', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    await server.store.run(set(keys.account('ada'), 'ended'))
    expect(await errorOf(await server.redeem(client_id, code))).toBe('400 invalid_grant')
    expect(await server.store.run(get(keys.grant(grantIdOf(code))))).toBeNull()
  })

  it('stands when the audit log does not answer', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id)
    Object.assign(server.deps, { audit: () => Promise.reject(new Error('down')) })
    expect((await server.redeem(client_id, code)).status).toBe(200)
    expect(await errorOf(await server.redeem(client_id, code))).toBe('400 invalid_grant')
  })
})

describe('refreshing', () => {
  it('gives a new pair; the old token gives the same pair again until the new one is used', async () => {
    const { clientId, tokens } = await server.connect()
    const first = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    expect(first.refresh_token).not.toBe(tokens.refresh_token)
    server.pass(86_400)
    const again = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    expect(again.refresh_token).toBe(first.refresh_token)
    expect(await server.admit(again.access_token)).toMatchObject({ ok: true })
    expect(await errorOf(await server.refresh(clientId, tokens.refresh_token))).toBe('400 invalid_grant')
    expect(await server.admit(again.access_token)).toEqual({ ok: false, error: 'grant_ended' })
    expect(server.audited.at(-1)).toMatchObject({ event: 'grant_ended', why: 'refresh_reuse' })
  })

  it('answers all of 50 at once with one successor', async () => {
    const { clientId, tokens } = await server.connect()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => server.refresh(clientId, tokens.refresh_token)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    const successors = await Promise.all(answers.map(tokensOf))
    expect(new Set(successors.map(({ refresh_token }) => refresh_token)).size).toBe(1)
  })

  it('ends for good while 25 refreshes run', async () => {
    const { clientId, tokens } = await server.connect()
    const [{ id = '' } = {}] = await server.oauth.listGrants('ada')
    const end = server.oauth.endGrant({ accountId: 'ada', grantId: id, why: 'person' })
    await Promise.all([
      end,
      ...Array.from({ length: 25 }, () => server.refresh(clientId, tokens.refresh_token)),
    ])
    expect(await server.store.run(get(keys.grant(id)))).toBeNull()
    expect(await server.oauth.listGrants('ada')).toEqual([])
  })

  it('narrows the access token only', async () => {
    const { clientId, tokens } = await server.connect()
    const narrow = await tokensOf(
      await server.refresh(clientId, tokens.refresh_token, { scope: 'notes:read' }),
    )
    expect(narrow.scope).toBe('notes:read')
    expect(await server.admit(narrow.access_token)).toMatchObject({ value: { scopes: ['notes:read'] } })
    const wide = await tokensOf(await server.refresh(clientId, narrow.refresh_token))
    expect(wide.scope).toBe('notes:read notes:write')
  })

  it('narrows to a scope that the granted one includes', async () => {
    const { clientId, tokens } = await server.connect({ scope: 'notes:write' })
    const narrow = await tokensOf(
      await server.refresh(clientId, tokens.refresh_token, { scope: 'notes:read' }),
    )
    expect(await server.admit(narrow.access_token)).toMatchObject({ value: { scopes: ['notes:read'] } })
  })

  it.each([
    { wrong: 'a scope that was not granted', form: { scope: 'notes:purge' }, error: 'invalid_scope' },
    { wrong: 'another resource', form: { resource: 'https://other.example' }, error: 'invalid_target' },
  ])('refuses $wrong and keeps the token as it is', async ({ form, error }) => {
    const { clientId, tokens } = await server.connect()
    expect(await errorOf(await server.refresh(clientId, tokens.refresh_token, form))).toBe(`400 ${error}`)
    server.pass(1000)
    const rotated = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    expect(rotated.refresh_token.split('.')[2]).toBe('2')
  })

  it('refuses another client without any effect', async () => {
    const { clientId, tokens } = await server.connect()
    const other = await server.register({ client_name: 'Other' })
    expect(await errorOf(await server.refresh(other.client_id, tokens.refresh_token))).toBe(
      '400 invalid_grant',
    )
    expect((await server.refresh(clientId, tokens.refresh_token)).status).toBe(200)
  })

  it('refuses a client that did not register for it', async () => {
    const { client_id } = await server.register({ grant_types: ['authorization_code'] })
    expect(await errorOf(await server.refresh(client_id, 'gtr_x'))).toBe('400 unauthorized_client')
  })

  it('refuses what it did not mint without asking the store', async () => {
    const { clientId, tokens } = await server.connect()
    const before = server.requests.length
    const forged = `${tokens.refresh_token.slice(0, -50)}${'A'.repeat(6)}${tokens.refresh_token.slice(-44)}`
    for (const token of ['garbage', forged, tokens.refresh_token.replace('.1.', '.2.')]) {
      expect(await errorOf(await server.refresh(clientId, token))).toBe('400 invalid_grant')
    }
    expect(server.requests.length).toBe(before)
  })

  it('refuses a token whose MAC is right and whose proof is not', async () => {
    const { clientId, tokens } = await server.connect()
    const proofless = tokens.refresh_token.replace(/.{43}$/, 'A'.repeat(43))
    expect(await errorOf(await server.refresh(clientId, proofless))).toBe('400 invalid_grant')
    expect((await server.refresh(clientId, tokens.refresh_token)).status).toBe(200)
  })

  it('ends after 30 days idle and after 90 days in any case', async () => {
    const idle = await server.connect()
    server.pass(30 * 86_400)
    expect(await errorOf(await server.refresh(idle.clientId, idle.tokens.refresh_token))).toBe(
      '400 invalid_grant',
    )
    let { clientId, tokens } = await server.connect()
    for (const _ of [1, 2, 3]) {
      server.pass(29 * 86_400)
      tokens = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    }
    server.pass(3 * 86_400 - 60)
    tokens = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    expect(tokens.expires_in).toBe(60)
    server.pass(60)
    expect(await errorOf(await server.refresh(clientId, tokens.refresh_token))).toBe('400 invalid_grant')
  })

  it('follows a token when the store went back in time', async () => {
    const { clientId, tokens } = await server.connect()
    const [{ id = '' } = {}] = await server.oauth.listGrants('ada')
    const backup = (await server.store.run(get(keys.grant(id)))) ?? ''
    let latest = tokens
    for (const _ of [1, 2, 3]) latest = await tokensOf(await server.refresh(clientId, latest.refresh_token))
    await server.store.run(set(keys.grant(id), backup))
    expect(await server.admit(latest.access_token)).toMatchObject({ ok: true })
    const after = await tokensOf(await server.refresh(clientId, latest.refresh_token))
    expect(after.refresh_token.split('.')[2]).toBe('5')
    expect(server.audited.at(-1)).toMatchObject({ event: 'refresh_rolled_forward' })
  })
})

describe('a store whose reply is lost', () => {
  /** The operation was carried out, nobody heard of it, and the store client sends it again. */
  const twice = (store: Store): Store => ({
    ...store,
    run: async (operation) => {
      await store.run(operation)
      return store.run(operation)
    },
    batch: async (...operations) => {
      await store.batch(...operations)
      return store.batch(...operations)
    },
  })

  it('logs nobody out: consent, redemption and refresh are answered as if nothing had happened', async () => {
    await server.close()
    server = await startAuthorizationServer({ wrap: twice })
    const { clientId, tokens } = await server.connect()
    const refreshed = await tokensOf(await server.refresh(clientId, tokens.refresh_token))
    expect(refreshed.refresh_token.split('.')[2]).toBe('2')
    expect(await server.admit(refreshed.access_token)).toMatchObject({ ok: true })
  })
})

describe('authenticating at the token endpoint', () => {
  const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
  const nothing = { grant_type: 'refresh_token', refresh_token: 'none' }

  it.each([
    { method: 'client_secret_basic', viaBasic: '400 invalid_grant', viaPost: '401 invalid_client' },
    { method: 'client_secret_post', viaBasic: '401 invalid_client', viaPost: '400 invalid_grant' },
    { method: undefined, viaBasic: '400 invalid_grant', viaPost: '400 invalid_grant' },
  ])('takes of a client registered for $method that method only', async ({ method, viaBasic, viaPost }) => {
    const client = await server.register({ token_endpoint_auth_method: method })
    const { client_id, client_secret } = client
    expect(await errorOf(await server.token(nothing, basic(client_id, client_secret)))).toBe(viaBasic)
    expect(await errorOf(await server.token({ ...nothing, client_id, client_secret }))).toBe(viaPost)
    expect(await errorOf(await server.token({ ...nothing, client_id }))).toBe('401 invalid_client')
    expect(await errorOf(await server.token({ ...nothing, client_id, client_secret: 'gcs_no' }))).toBe(
      '401 invalid_client',
    )
  })

  it('challenges only who used the header', async () => {
    const inHeader = await server.token(nothing, basic('dc1_nobody', 'x'))
    expect(inHeader.status).toBe(401)
    expect(inHeader.headers.get('www-authenticate')).toBe('Basic realm="oauth"')
    const inForm = await server.token({ ...nothing, client_id: 'dc1_nobody' })
    expect(inForm.status).toBe(401)
    expect(inForm.headers.has('www-authenticate')).toBe(false)
  })

  it.each([
    { what: 'header and secret', form: 'client_secret=b', header: true, expected: '400 invalid_request' },
    { what: 'header and another id', form: 'client_id=b', header: true, expected: '400 invalid_request' },
    {
      what: 'header and assertion',
      form: 'client_assertion=b',
      header: true,
      expected: '400 invalid_request',
    },
    {
      what: 'assertion',
      form: 'client_id=b&client_assertion=b',
      header: false,
      expected: '401 invalid_client',
    },
    { what: 'no client at all', form: '', header: false, expected: '400 invalid_request' },
  ])('answers $what with $expected', async ({ form, header, expected }) => {
    const sent = `grant_type=refresh_token&refresh_token=x&${form}`
    expect(await errorOf(await server.token(sent, header ? basic('a', 'a') : {}))).toBe(expected)
  })

  it('holds a secret of one client from being another one’s', async () => {
    const [one, two] = [
      await server.register({ token_endpoint_auth_method: 'client_secret_post' }),
      await server.register({ token_endpoint_auth_method: 'client_secret_post' }),
    ]
    expect(one.client_id).not.toBe(two.client_id)
    const form = { ...nothing, client_id: one.client_id, client_secret: two.client_secret }
    expect(await errorOf(await server.token(form))).toBe('401 invalid_client')
  })
})

describe('the form of a token request', () => {
  it.each([
    { form: 'grant_type=password', expected: '400 unsupported_grant_type' },
    { form: 'grant_type=client_credentials', expected: '400 unsupported_grant_type' },
    { form: 'grant_type=', expected: '400 invalid_request' },
    { form: 'grant_type=refresh_token&grant_type=refresh_token', expected: '400 invalid_request' },
    { form: 'grant_type=refresh_token&x=1&x=2', expected: '400 invalid_request' },
  ])('answers $form with $expected', async ({ form, expected }) => {
    expect(await errorOf(await server.token(form))).toBe(expected)
  })

  it.each([
    { type: 'application/json', status: 400 },
    { type: 'multipart/form-data; boundary=x', status: 400 },
    { type: 'application/x-www-form-urlencoded; charset=UTF-8', status: 401 },
  ])('answers the media type $type with $status', async ({ type, status }) => {
    const form = 'grant_type=refresh_token&client_id=dc1_x&refresh_token=x'
    expect((await server.token(form, { 'content-type': type })).status).toBe(status)
  })

  it('answers too long a body with 413, GET with 405 and a preflight with 204', async () => {
    const long = await server.token(`a=${'x'.repeat(17_000)}`)
    expect(long.status).toBe(413)
    const got = await server.call('token', '/oauth/token')
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    const preflight = await server.call('token', '/oauth/token', { method: 'OPTIONS' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('MCP-Protocol-Version')
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false)
  })

  it('accepts the resource in the spellings of hosts', async () => {
    const { client_id } = await server.register()
    const code = await server.code(client_id, { resource: 'HTTPS://GATE.example:443/api/mcp/' })
    const response = await server.redeem(client_id, code, { resource: RESOURCE })
    expect(response.status).toBe(200)
  })
})
