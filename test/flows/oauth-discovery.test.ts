import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOAuth } from '#lib/oauth/endpoints/oauth'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'
import {
  type AuthorizationServer,
  CALLBACK,
  ISSUER,
  publicClient,
  RESOURCE,
  startAuthorizationServer,
} from '#test/support/authorization-server'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(() => server.close())

const METADATA = `${ISSUER}/.well-known/oauth-protected-resource/api/mcp`
const CHALLENGE = `resource_metadata="${METADATA}", scope="notes:read notes:write"`
const get =
  (name: 'protectedResourceMetadata' | 'authorizationServerMetadata' | 'openidConfiguration' | 'jwks') =>
  async (path: string, method = 'GET') =>
    server.oauth[name](new Request(ISSUER + path, { method }), server.exchange())

describe('discovery', () => {
  it.each(['', '/api/mcp'])('describes the resource under its path%s', async (suffix) => {
    const response = await get('protectedResourceMetadata')(`/.well-known/oauth-protected-resource${suffix}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    expect(await response.json()).toEqual({
      resource: RESOURCE,
      authorization_servers: [ISSUER],
      scopes_supported: ['notes:read', 'notes:write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notebook',
      resource_documentation: `${ISSUER}/`,
    })
  })

  it.each(['/api', '/api/mcp/x', '/foo'])('knows no resource under %s', async (suffix) => {
    const response = await get('protectedResourceMetadata')(`/.well-known/oauth-protected-resource${suffix}`)
    expect(response.status).toBe(404)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.text()).not.toContain('resource')
  })

  it('advertises exactly what is answered', async () => {
    const response = await get('authorizationServerMetadata')('/.well-known/oauth-authorization-server')
    const document = (await response.json()) as Record<string, unknown>
    const authMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
    const signed = ['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256']
    expect(document).toEqual({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/oauth/authorize`,
      token_endpoint: `${ISSUER}/oauth/token`,
      revocation_endpoint: `${ISSUER}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: authMethods,
      revocation_endpoint_auth_signing_alg_values_supported: signed,
      registration_endpoint: `${ISSUER}/oauth/register`,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: authMethods,
      token_endpoint_auth_signing_alg_values_supported: signed,
      client_id_metadata_document_supported: true,
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['notes:read', 'notes:write', 'notes:purge', 'offline_access'],
      authorization_response_iss_parameter_supported: true,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      service_documentation: `${ISSUER}/`,
    })
    const alias = await get('openidConfiguration')('/.well-known/openid-configuration')
    expect(await alias.json()).toEqual({
      ...document,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
  })

  it('answers HEAD without a body, a preflight with 204, and other methods with 405', async () => {
    const head = await get('jwks')('/.well-known/jwks.json', 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    const preflight = await get('jwks')('/.well-known/jwks.json', 'OPTIONS')
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('MCP-Protocol-Version')
    const posted = await get('jwks')('/.well-known/jwks.json', 'POST')
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  it('publishes public members only, from memory once they were read', async () => {
    const first = await (await get('jwks')('/.well-known/jwks.json')).json()
    const before = server.requests.length
    expect(await (await get('jwks')('/.well-known/jwks.json')).json()).toEqual(first)
    expect(server.requests.length).toBe(before)
    const { keys: published } = first as { keys: object[] }
    expect(published).toHaveLength(1)
    expect(Object.keys(published[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it('gives two instances that begin at once the same keys, sealed at rest', async () => {
    const instances = [server.oauth, createOAuth(server.deps), createOAuth(server.deps)]
    await Promise.all(instances.map((instance) => instance.warmUp()))
    const documents = await Promise.all(
      instances.map(async (one) =>
        (await one.jwks(new Request(`${ISSUER}/.well-known/jwks.json`), server.exchange())).text(),
      ),
    )
    expect(new Set(documents).size).toBe(1)
  })

  it('refuses to go on with signing keys that its secrets do not open', async () => {
    await server.store.run(set(keys.signingKeys(), 'AAAAAAAA.AAAA'))
    await expect(server.oauth.warmUp()).rejects.toThrow('do not open')
  })
})

describe('registration', () => {
  const post = (body: string, type = 'application/json') =>
    server.call('register', '/oauth/register', { method: 'POST', headers: { 'content-type': type }, body })
  const register = (metadata: unknown) => post(JSON.stringify(metadata))

  it('echoes what was registered, writes nothing, and gives the same id for the same metadata', async () => {
    const response = await register({
      ...publicClient,
      redirect_uris: [CALLBACK, 'http://127.0.0.1/cb'],
      skip_consent: true,
      client_id: 'mine',
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const client = (await response.json()) as { client_id: string }
    expect(client).toEqual({
      ...publicClient,
      redirect_uris: [CALLBACK, 'http://127.0.0.1/cb'],
      response_types: ['code'],
      client_id: expect.stringMatching(/^dc1_[\w-]+$/),
      client_id_issued_at: server.now() / 1000,
    })
    server.pass(100)
    const again = await register({ ...publicClient, redirect_uris: ['http://127.0.0.1/cb', CALLBACK] })
    expect(((await again.json()) as typeof client).client_id).toBe(client.client_id)
    expect(server.requests).toEqual([])
  })

  it('gives a confidential client an id and a secret of its own', async () => {
    const sent = { redirect_uris: [CALLBACK] }
    const [one, two] = [await (await register(sent)).json(), await (await register(sent)).json()]
    expect(one).toMatchObject({
      client_secret: expect.stringMatching(/^gcs_[\w-]{51}$/),
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
    })
    expect(one).not.toHaveProperty('client_name')
    expect((one as { client_id: string }).client_id).not.toBe((two as { client_id: string }).client_id)
  })

  it.each([
    { what: 'no redirect', body: '{"client_name":"x"}', expected: '400 invalid_redirect_uri' },
    {
      what: 'only a forbidden one',
      body: '{"redirect_uris":["javascript:1"]}',
      expected: '400 invalid_redirect_uri',
    },
    { what: 'null', body: 'null', expected: '400 invalid_client_metadata' },
    { what: 'a list', body: '[]', expected: '400 invalid_client_metadata' },
    { what: 'half of JSON', body: '{', expected: '400 invalid_client_metadata' },
    {
      what: 'too much',
      body: JSON.stringify({ x: 'x'.repeat(17_000) }),
      expected: '413 invalid_client_metadata',
    },
    {
      what: 'what does not fit into an id',
      body: JSON.stringify({
        redirect_uris: [1, 2, 3].map((n) => `https://a.example/${n}${'p'.repeat(400)}`),
      }),
      expected: '400 invalid_client_metadata',
    },
  ])('refuses $what with $expected', async ({ body, expected }) => {
    const response = await post(body)
    const { error } = (await response.json()) as { error: string }
    expect(`${response.status} ${error}`).toBe(expected)
  })

  it('refuses another media type and another method', async () => {
    expect((await post('{}', 'text/plain')).status).toBe(415)
    const got = await server.call('register', '/oauth/register')
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })
})

describe('the check of a bearer token', () => {
  const read = (authorization?: string) =>
    server.oauth.readBearer(new Request(RESOURCE, authorization ? { headers: { authorization } } : {}))

  it('costs no store request once the keys are there, good or bad', async () => {
    const { tokens } = await server.connect()
    const before = server.requests.length
    expect(await read(`Bearer ${tokens.access_token}`)).toMatchObject({
      ok: true,
      value: { accountId: 'ada', generation: 1, scopes: ['notes:read', 'notes:write'] },
    })
    expect(await read(`bearer ${tokens.access_token}`)).toMatchObject({ ok: true })
    expect(await read(`Bearer ${tokens.access_token}x`)).toMatchObject({ error: { kind: 'invalid_token' } })
    expect(await read()).toMatchObject({ error: { kind: 'missing' } })
    server.pass(3605)
    expect(await read(`Bearer ${tokens.access_token}`)).toMatchObject({ error: { kind: 'invalid_token' } })
    expect(server.requests.length).toBe(before)
  })

  it('refuses a token that another key signed, reading the keys again at most once in 10 seconds', async () => {
    const { tokens } = await server.connect()
    const { privateKey } = await generateKeyPair('ES256')
    const [head = '', body = ''] = tokens.access_token.split('.')
    const header = JSON.parse(atob(head))
    const claims = JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')))
    const forge = (kid: string) => new SignJWT(claims).setProtectedHeader({ ...header, kid }).sign(privateKey)
    const sameKid = await forge(header.kid)
    const otherKid = await forge('k'.repeat(43))
    const unsigned = new UnsecuredJWT(claims).encode()
    server.pass(10)
    const before = server.requests.length
    for (const token of [sameKid, otherKid, otherKid, unsigned, `${head}.${body}.`]) {
      expect(await read(`Bearer ${token}`)).toMatchObject({ error: { kind: 'invalid_token' } })
    }
    expect(server.requests.length).toBe(before + 1)
  })

  it('does not take an outage for a bad token', async () => {
    const { tokens } = await server.connect()
    const down = { ...server.store, run: () => Promise.reject(new StoreUnavailable('down')) }
    const cold = createOAuth({ ...server.deps, store: down })
    const request = () =>
      new Request(RESOURCE, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    await expect(cold.readBearer(request())).rejects.toThrow(StoreUnavailable)
    await expect(cold.readBearer(request())).rejects.toThrow(StoreUnavailable)
    const forged = new Request(RESOURCE, { headers: { authorization: 'Bearer garbage' } })
    expect(await cold.readBearer(forged)).toMatchObject({ error: { kind: 'invalid_token' } })
  })

  it('notes a use in one request, then in none for a minute', async () => {
    const { tokens } = await server.connect()
    const count = async () => {
      const before = server.requests.length
      await server.admit(tokens.access_token)
      return server.requests.slice(before).map(({ kinds }) => kinds.join(' '))
    }
    expect(await count()).toEqual(['get get', 'swap set'])
    expect(await count()).toEqual(['get get'])
    const [grant] = await server.oauth.listGrants('ada')
    expect(grant).toMatchObject({ lastUsedAt: server.now(), redirectUri: CALLBACK, client: { name: 'App' } })
    server.pass(60)
    // The signing keys are old by now and are read along, in the same request.
    expect(await count()).toEqual(['get get get', expect.stringMatching(/^set/)])
  })

  it('holds a grant only for the account, client and epoch of the token', async () => {
    const { tokens } = await server.connect()
    const claims = await read(`Bearer ${tokens.access_token}`)
    if (!claims.ok) throw new Error('the token is good')
    for (const change of [{ accountId: 'bob' }, { clientId: 'dc1_x' }, { epoch: 2 }]) {
      const check = server.oauth.grantCheck({ ...claims.value, ...change })
      expect(check.decide(await server.store.run(check.operation)).ok).toBe(false)
    }
  })

  it('ends connections only for their owner', async () => {
    const { tokens } = await server.connect()
    const [{ id = '' } = {}] = await server.oauth.listGrants('ada')
    expect(await server.oauth.endGrant({ accountId: 'bob', grantId: id, why: 'person' })).toBe(false)
    expect(await server.admit(tokens.access_token)).toMatchObject({ ok: true })
    expect(await server.oauth.endGrant({ accountId: 'ada', grantId: id, why: 'person' })).toBe(true)
    expect(await server.admit(tokens.access_token)).toEqual({ ok: false, error: 'grant_ended' })
  })

  it.each([
    { refusal: { kind: 'missing' }, status: 401, value: `Bearer ${CHALLENGE}` },
    { refusal: { kind: 'invalid_token' }, status: 401, value: `Bearer error="invalid_token", ${CHALLENGE}` },
    {
      refusal: { kind: 'insufficient_scope', scopes: ['notes:read', 'notes:purge'] },
      status: 403,
      value: `Bearer error="insufficient_scope", scope="notes:read notes:purge", resource_metadata="${METADATA}", error_description="Connect this app to the server again and allow the permissions in scope"`,
    },
    {
      refusal: { kind: 'invalid_request' },
      status: 400,
      value: `Bearer error="invalid_request", resource_metadata="${METADATA}"`,
    },
  ] as const)('challenges $refusal.kind with $status', ({ refusal, status, value }) => {
    expect(server.oauth.challenge(refusal)).toEqual({ status, wwwAuthenticate: value })
  })
})
