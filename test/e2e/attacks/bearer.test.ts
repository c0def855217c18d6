import {
  createLocalJWKSet,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { raw, startTarget, type Target } from '#test/e2e/attacks/target'
import { ERAS, listNotes, post } from '#test/support/mcp-request'

let target: Target
let good: string
let refreshToken: string
let published: JWK
let claims: Record<string, unknown>
let header: { alg: string; kid: string; typ: string }
let thief: CryptoKey
let thiefPublic: JWK
beforeAll(async () => {
  target = await startTarget()
  ;({ access_token: good, refresh_token: refreshToken } = await target.connect())
  const { keys } = (await (await fetch(`${target.origin}/.well-known/jwks.json`)).json()) as { keys: JWK[] }
  published = keys[0] ?? {}
  const [head = '', body = ''] = good.split('.')
  header = JSON.parse(Buffer.from(head, 'base64url').toString())
  claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const pair = await generateKeyPair('ES256', { extractable: true })
  thief = pair.privateKey
  thiefPublic = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JWK
})
afterAll(() => target.dispose())

const signed = (change: Record<string, unknown> = {}, head: Record<string, unknown> = {}) =>
  new SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, ...head }).sign(thief)
const withHmac = (key: Uint8Array) =>
  new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(key)
const text = (value: string) => new TextEncoder().encode(value)
const parts = () => good.split('.') as [string, string, string]
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** 64 bytes leave four bits of the last character unused: a lenient decoder reads the same signature. */
function respelled(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return good.slice(0, -1) + alphabet[alphabet.indexOf(good.at(-1) ?? '') ^ 1]
}

it('the token that everything here forges is verified by the published keys, and works', async () => {
  const { keys } = (await (await fetch(`${target.origin}/.well-known/jwks.json`)).json()) as { keys: JWK[] }
  const { payload, protectedHeader } = await jwtVerify(good, createLocalJWKSet({ keys }), {
    issuer: target.origin,
    audience: `${target.origin}/api/mcp`,
    typ: 'at+jwt',
  })
  expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: published.kid })
  expect(Object.keys(payload)).toEqual(
    expect.arrayContaining(['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'scope']),
  )
  for (const era of ERAS) expect((await listNotes(target.origin, good, era)).status).toBe(200)
})

describe('a forged token is 401 invalid_token', () => {
  it.each<{ attack: string; forge: () => string | Promise<string> }>([
    { attack: 'alg none', forge: () => new UnsecuredJWT(claims).encode() },
    {
      attack: 'alg None with our header',
      forge: () => `${encode({ ...header, alg: 'None' })}.${parts()[1]}.`,
    },
    { attack: 'no signature', forge: () => `${parts()[0]}.${parts()[1]}.` },
    { attack: 'a signature cut by a character', forge: () => good.slice(0, -1) },
    {
      attack: 'a signature cut in half',
      forge: () => `${parts()[0]}.${parts()[1]}.${parts()[2].slice(0, 43)}`,
    },
    { attack: 'a signature of zeros', forge: () => `${parts()[0]}.${parts()[1]}.${'A'.repeat(86)}` },
    { attack: 'a signature with padding', forge: () => `${good}==` },
    { attack: 'two parts', forge: () => `${parts()[0]}.${parts()[1]}` },
    { attack: 'four parts', forge: () => `${good}.x` },
    {
      attack: 'other claims under our signature',
      forge: () => `${parts()[0]}.${encode({ ...claims, scope: 'root' })}.${parts()[2]}`,
    },
    {
      attack: 'another header under our signature',
      forge: () => `${encode({ ...header, cty: 'x' })}.${parts()[1]}.${parts()[2]}`,
    },
    { attack: 'HS256 with the public key as JSON', forge: () => withHmac(text(JSON.stringify(published))) },
    {
      attack: 'HS256 with the public key as PEM',
      forge: async () => withHmac(text(await exportSPKI((await importJWK(published, 'ES256')) as CryptoKey))),
    },
    { attack: 'HS256 with an empty-looking key', forge: () => withHmac(text('\0'.repeat(32))) },
    { attack: 'a thief’s key under our key id', forge: () => signed() },
    { attack: 'a thief’s key under its own id', forge: () => signed({}, { kid: 'k'.repeat(43) }) },
    { attack: 'no key id', forge: () => signed({}, { kid: undefined }) },
    { attack: 'a path as key id', forge: () => signed({}, { kid: '../../../../dev/null' }) },
    { attack: 'a key in the header', forge: () => signed({}, { jwk: thiefPublic }) },
    { attack: 'a key set by address', forge: () => signed({}, { jku: `${target.origin}/evil.json` }) },
    { attack: 'a certificate by address', forge: () => signed({}, { x5u: 'https://evil.example/c.pem' }) },
    {
      attack: 'a critical header',
      forge: () => `${encode({ ...header, crit: ['evil'], evil: true })}.${parts()[1]}.${parts()[2]}`,
    },
    { attack: 'another spelling of the last character', forge: respelled },
    { attack: 'another type', forge: () => signed({}, { typ: 'JWT' }) },
    { attack: 'another issuer', forge: () => signed({ iss: 'https://evil.example' }) },
    { attack: 'another audience', forge: () => signed({ aud: 'https://evil.example' }) },
    { attack: 'two audiences', forge: () => signed({ aud: [claims['aud'], 'https://evil.example'] }) },
    { attack: 'the past', forge: () => signed({ exp: 1 }) },
    { attack: 'the future', forge: () => signed({ iat: Math.floor(Date.now() / 1000) + 3600 }) },
    { attack: 'a refresh token', forge: () => refreshToken },
    { attack: 'a client id', forge: () => target.clientId },
    { attack: 'JSON', forge: () => Buffer.from('{}').toString('base64') },
    { attack: 'a word', forge: () => 'evil' },
    { attack: '5 kB', forge: () => 'A'.repeat(5000) },
    { attack: 'a made-up personal token', forge: () => `gth_pat_${'A'.repeat(60)}` },
    { attack: 'a trailing dot', forge: () => `${good}.` },
    { attack: 'a leading dot', forge: () => `.${good}` },
  ])('$attack', async ({ forge }) => {
    const forged = await forge()
    for (const era of ERAS) {
      const response = await listNotes(target.origin, forged, era)
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", resource_metadata="[^"]+\/\.well-known\/oauth-protected-resource\/api\/mcp", scope="[^"]+"$/,
      )
      expect(await response.json()).not.toHaveProperty('id')
    }
    expect((await listNotes(target.origin, good)).status).toBe(200)
  })
})

describe('credentials in another place or shape', () => {
  const call = async (headers: Record<string, string>, query = '', method = 'POST') =>
    fetch(`${target.origin}/api/mcp${query}`, {
      method,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      ...(method === 'POST' ? { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' } : {}),
    })

  it.each<{ attack: string; send: () => Promise<{ status: number; headers: Headers }>; status: number }>([
    { attack: 'none', send: () => call({}), status: 401 },
    { attack: 'a token in the query', send: () => call({}, `?access_token=${good}`), status: 401 },
    { attack: 'a cookie', send: () => call({ cookie: `access_token=${good}` }), status: 401 },
    {
      attack: 'another scheme',
      send: () => call({ authorization: `Basic ${btoa(`x:${good}`)}` }),
      status: 401,
    },
    { attack: 'DPoP', send: () => call({ authorization: `DPoP ${good}` }), status: 401 },
    { attack: 'an empty bearer', send: () => call({ authorization: 'Bearer ' }), status: 401 },
    {
      attack: 'two tokens in one header',
      send: () => call({ authorization: `Bearer ${good} ${good}` }),
      status: 400,
    },
    {
      attack: 'GET without any, before the method counts',
      send: () => call({}, '', 'GET'),
      status: 401,
    },
    { attack: 'DELETE without any', send: () => call({}, '', 'DELETE'), status: 401 },
    { attack: 'a session id instead', send: () => call({ 'mcp-session-id': good }), status: 401 },
  ])('$attack is $status', async ({ send, status }) => {
    const response = await send()
    expect(response.status).toBe(status)
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toMatch(/^Bearer /)
    // RFC 6750 §3.1: no error where there were no credentials.
    if (status === 401) expect(challenge).not.toContain('error=')
  })

  it('two Authorization headers never pass', async () => {
    for (const second of ['Bearer evil', `Bearer ${good}`]) {
      const { status } = await raw(target.origin, '/api/mcp', { authorization: [`Bearer ${good}`, second] })
      // Node keeps the first of two; a proxy may join them. Neither is a call that works: GET is no POST.
      expect([400, 401, 405]).toContain(status)
    }
  })

  it.each([
    { attack: 'a foreign page', origin: 'https://evil.example' },
    { attack: 'a sandboxed page', origin: 'null' },
    { attack: 'an app of the device', origin: 'cursor://evil' },
    { attack: 'an origin that begins like ours', origin: 'http://localhost.evil.example' },
  ])('with the Origin of $attack are 403', async ({ origin }) => {
    const response = await call({ authorization: `Bearer ${good}`, origin })
    expect(response.status).toBe(403)
    expect(response.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('to another Host are 403, and nothing takes its name', async () => {
    const headers = {
      host: 'evil.example',
      authorization: `Bearer ${good}`,
      'x-forwarded-host': 'evil.example',
    }
    const { status, body } = await raw(target.origin, '/api/mcp', headers)
    expect(status).toBe(403)
    expect(body).not.toContain('evil')
  })
})

describe('a token with fewer permissions', () => {
  it.each(ERAS)('is 403 before the tool runs, with all that is needed and held, in %s', async (era) => {
    const { access_token: token, scope } = await target.connect({ scope: 'notes:read' })
    expect(scope).toBe('notes:read')
    const params = { name: 'save_note', arguments: { title: 'evil', text: 'evil' } }
    const response = await post(target.origin, { token, era, method: 'tools/call', params })
    expect(response.status).toBe(403)
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toContain('error="insufficient_scope"')
    expect(/scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ').toSorted()).toEqual([
      'notes:read',
      'notes:write',
    ])
    expect(challenge).toContain('resource_metadata="')
    const listed = await listNotes(target.origin, token, era)
    expect(listed.status).toBe(200)
    expect(await listed.text()).not.toContain('evil')
  })
})
