import { generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { signAccessToken, verifyAccessToken } from '#lib/oauth/access-token'

const now = Date.UTC(2026, 10, 22)
const seconds = now / 1000
const parties = { issuer: 'https://gate.example', resource: 'https://gate.example/api/mcp' }
const claims = {
  accountId: 'ada',
  epoch: 3,
  clientId: `dc1_${'c'.repeat(1020)}`,
  clientKeyHash: 'k'.repeat(43),
  clientEpoch: 0,
  grantId: 'grant',
  generation: 2,
  scopes: ['notes:read', 'notes:write'],
  issuedAt: seconds,
  expiresAt: seconds + 3600,
  tokenId: 'token',
}
let keys: { privateKey: CryptoKey; publicKey: CryptoKey }

beforeAll(async () => {
  keys = await generateKeyPair('ES256')
})

const verify = (token: string, at = now) =>
  verifyAccessToken(token, { ...parties, verifier: { alg: 'ES256', key: keys.publicKey }, now: at })

/** A token that our key signed, wrong in one thing. */
const forge = (payload: object, header: object = {}) =>
  new SignJWT({
    iss: parties.issuer,
    aud: parties.resource,
    sub: 'ada',
    client_id: 'c',
    scope: 'notes:read',
    jti: 'j',
    gid: 'g',
    gen: 1,
    ev: 1,
    ck: 'client-key',
    ce: 0,
    iat: seconds,
    exp: seconds + 3600,
    ...payload,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k', ...header })
    .sign(keys.privateKey, { crit: { x: true } })

describe('an access token', () => {
  it('says what it was made to say, in less than 4 KiB with the longest client id', async () => {
    const token = await signAccessToken(claims, {
      ...parties,
      signer: { kid: 'k', alg: 'ES256', key: keys.privateKey },
    })
    expect(token.length).toBeLessThan(4096)
    expect(await verify(token)).toEqual({ ...claims, keyId: 'k' })
  })

  it.each([
    { what: 'nothing', payload: {}, header: {} },
    { what: 'a list of one audience', payload: { aud: [parties.resource] }, header: {} },
    { what: 'an issue 60 seconds ahead', payload: { iat: seconds + 60 }, header: {} },
    { what: 'an end 4 seconds ago', payload: { exp: seconds - 4 }, header: {} },
  ])('is accepted with $what changed', async ({ payload, header }) => {
    expect(await verify(await forge(payload, header))).toBeDefined()
  })

  it.each([
    { attack: 'another type', payload: {}, header: { typ: 'JWT' } },
    { attack: 'no type', payload: {}, header: { typ: undefined } },
    { attack: 'another issuer', payload: { iss: 'https://evil.example' }, header: {} },
    { attack: 'an issuer with a slash', payload: { iss: `${parties.issuer}/` }, header: {} },
    { attack: 'another audience', payload: { aud: 'https://other.example' }, header: {} },
    { attack: 'two audiences', payload: { aud: [parties.resource, 'https://other.example'] }, header: {} },
    { attack: 'an issue 61 seconds ahead', payload: { iat: seconds + 61 }, header: {} },
    { attack: 'an end 5 seconds ago', payload: { exp: seconds - 5 }, header: {} },
    { attack: 'a start in the future', payload: { nbf: seconds + 61 }, header: {} },
    { attack: 'an unknown critical header', payload: {}, header: { crit: ['x'], x: 1 } },
    ...['exp', 'iat', 'sub', 'client_id', 'jti', 'gid', 'scope', 'gen', 'ev', 'aud', 'iss'].map((name) => ({
      attack: `no ${name}`,
      payload: { [name]: undefined },
      header: {},
    })),
    { attack: 'a number for a name', payload: { sub: 5 }, header: {} },
    { attack: 'a negative epoch', payload: { ev: -1 }, header: {} },
  ])('is refused with $attack', async ({ payload, header }) => {
    expect(await verify(await forge(payload, header))).toBeUndefined()
  })

  it('is refused when the public key was used as an HMAC secret, or the algorithm is none', async () => {
    const raw = await crypto.subtle.exportKey('raw', keys.publicKey)
    const hmac = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(new Uint8Array(raw))
    const none = `${btoa('{"alg":"none","typ":"at+jwt"}').replaceAll('=', '')}.${hmac.split('.')[1]}.`
    for (const token of [hmac, none, '', '..', 'a.b.c', 'a'.repeat(4000)]) {
      expect(await verify(token)).toBeUndefined()
    }
  })
})
