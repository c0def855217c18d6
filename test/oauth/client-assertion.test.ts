import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimedClientId, verifyClientAssertion } from '#lib/oauth/client-assertion'

const CLIENT = 'https://app.example/client.json'
const ISSUER = 'https://gate.example'
const NOW = Date.UTC(2100, 0, 1)
const SECONDS = NOW / 1000

interface Pair {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}
let ours: Pair
let other: Pair

beforeAll(async () => {
  ours = await pair('ES256', 'a')
  other = await pair('ES256', 'a')
})

async function pair(alg: string, kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid } }
}

const good: JWTPayload = {
  iss: CLIENT,
  sub: CLIENT,
  aud: ISSUER,
  jti: 'once',
  iat: SECONDS,
  exp: SECONDS + 60,
}

const sign = (
  claims: Record<string, unknown> = {},
  { header = {}, key = ours.privateKey as CryptoKey | Uint8Array } = {},
) => new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'a', ...header }).sign(key)

const verify = (assertion: string, { keys = [ours.jwk] } = {}) =>
  verifyClientAssertion(assertion, {
    clientId: CLIENT,
    keys,
    audiences: [ISSUER, `${ISSUER}/oauth/token`],
    now: NOW,
  })

describe('a client assertion (RFC 7523 §3)', () => {
  it.each([
    { what: 'the issuer as audience', claims: {} },
    { what: 'the token endpoint as audience', claims: { aud: `${ISSUER}/oauth/token` } },
    { what: 'one audience in a list', claims: { aud: [ISSUER] } },
    { what: 'no time of issue', claims: { iat: undefined } },
    { what: 'fractions of a second', claims: { iat: SECONDS - 0.5, exp: SECONDS + 59.25 } },
    { what: '5 minutes to live', claims: { exp: SECONDS + 300 } },
    { what: 'a clock 30 seconds ahead', claims: { iat: SECONDS + 30, nbf: SECONDS + 30 } },
    { what: 'a clock 29 seconds behind', claims: { iat: SECONDS - 89, exp: SECONDS - 29 } },
  ])('proves the client with $what', async ({ claims }) => {
    const exp = 'exp' in claims ? Math.ceil(claims.exp) : SECONDS + 60
    expect(await verify(await sign(claims))).toEqual({ ok: true, value: { jti: 'once', expiresAt: exp } })
  })

  it.each(['RS256', 'PS256', 'ES384', 'EdDSA'])('may be signed with %s', async (alg) => {
    const { privateKey, jwk } = await pair(alg, 'b')
    const assertion = await sign({}, { header: { alg, kid: 'b' }, key: privateKey })
    expect((await verify(assertion, { keys: [ours.jwk, jwk] })).ok).toBe(true)
  })

  it.each([{ typ: 'JWT' }, { typ: 'client-authentication+jwt' }, { kid: undefined }])(
    'may carry the header %o',
    async (header) => {
      expect((await verify(await sign({}, { header }))).ok).toBe(true)
    },
  )

  it('finds its key among several of one name', async () => {
    expect((await verify(await sign(), { keys: [other.jwk, ours.jwk] })).ok).toBe(true)
  })

  it.each([
    { attack: 'another issuer', claims: { iss: 'https://evil.example/c' } },
    { attack: 'another subject', claims: { sub: 'https://evil.example/c' } },
    { attack: 'no subject', claims: { sub: undefined } },
    { attack: 'another audience', claims: { aud: 'https://other.example' } },
    { attack: 'the issuer with a slash', claims: { aud: `${ISSUER}/` } },
    { attack: 'the resource as audience', claims: { aud: `${ISSUER}/api/mcp` } },
    { attack: 'two audiences', claims: { aud: [ISSUER, 'https://other.example'] } },
    { attack: 'no audience', claims: { aud: undefined } },
    { attack: 'no audience in a list', claims: { aud: [] } },
    { attack: 'no end', claims: { exp: undefined } },
    { attack: 'an end that is a text', claims: { exp: String(SECONDS + 60) } },
    { attack: 'an end 30 seconds ago', claims: { exp: SECONDS - 30 } },
    { attack: 'a beginning 31 seconds from now', claims: { nbf: SECONDS + 31 } },
    { attack: 'an issue 31 seconds from now', claims: { iat: SECONDS + 31 } },
    { attack: 'no identifier', claims: { jti: undefined } },
    { attack: 'an empty identifier', claims: { jti: '' } },
    { attack: 'an identifier that is a number', claims: { jti: 7 } },
  ])('proves nobody with $attack', async ({ claims }) => {
    expect(await verify(await sign(claims))).toEqual({ ok: false, error: 'assertion_claims_wrong' })
  })

  it('lives for 5 minutes at most, and the clocks may differ', async () => {
    expect((await verify(await sign({ exp: SECONDS + 330 }))).ok).toBe(true)
    expect(await verify(await sign({ exp: SECONDS + 331 }))).toEqual({
      ok: false,
      error: 'assertion_lives_too_long',
    })
  })

  it('proves nobody with the key of somebody else', async () => {
    expect(await verify(await sign({}, { key: other.privateKey }))).toEqual({
      ok: false,
      error: 'assertion_signature_wrong',
    })
  })

  it.each([
    { why: 'another name', keys: () => [{ ...ours.jwk, kid: 'b' }] },
    { why: 'another algorithm', keys: () => [{ ...ours.jwk, alg: 'ES384' }] },
    { why: 'the use of encryption', keys: () => [{ ...ours.jwk, use: 'enc' }] },
    { why: 'no keys', keys: () => [] },
  ])('finds no key with $why', async ({ keys }) => {
    expect(await verify(await sign(), { keys: keys() })).toEqual({
      ok: false,
      error: 'assertion_key_unknown',
    })
  })

  it('never takes a public key for a shared secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(ours.jwk))
    const forged = await sign({}, { header: { alg: 'HS256' }, key: secret })
    expect(await verify(forged)).toEqual({ ok: false, error: 'assertion_malformed' })
  })

  it('never uses a key that it brings along', async () => {
    const header = { jwk: other.jwk, jku: 'https://evil.example/jwks', kid: 'x' }
    const forged = await sign({}, { header, key: other.privateKey })
    expect(await verify(forged)).toEqual({ ok: false, error: 'assertion_key_unknown' })
  })

  it('proves nobody unsigned, changed, cut or of another type', async () => {
    const [header = '', payload = '', signature = ''] = (await sign()).split('.')
    const none = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${payload}.`
    const changed = btoa(JSON.stringify({ ...good, jti: 'twice' })).replaceAll('=', '')
    for (const forged of [
      none,
      `${header}.${changed}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      '',
      'x',
      await sign({}, { header: { typ: 'at+jwt' } }),
      await sign({}, { header: { crit: ['x'], x: 1 } }).catch(() => ''),
    ]) {
      expect((await verify(forged)).ok).toBe(false)
    }
  })

  it('is not looked at beyond 8 KiB', async () => {
    expect((await verify(await sign({ pad: 'x'.repeat(9000) }))).ok).toBe(false)
  })

  it('says whom it is from only when issuer and subject agree', async () => {
    expect(claimedClientId(await sign())).toBe(CLIENT)
    expect(claimedClientId(await sign({ sub: 'x' }))).toBeUndefined()
    expect(claimedClientId(await sign({ iss: '', sub: '' }))).toBeUndefined()
    expect(claimedClientId('a.b.c')).toBeUndefined()
    expect(claimedClientId(await sign({ pad: 'x'.repeat(9000) }))).toBeUndefined()
  })
})
