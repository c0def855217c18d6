import { calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { z } from 'zod'
import type { Signer, Verifier } from '#lib/oauth/access-token'

const jwk = z.looseObject({ kty: z.string() })

/** One key of the set. The state says what it does, so that a new one is published before it signs. */
const signingKey = z.looseObject({
  kid: z.string(),
  alg: z.enum(['ES256', 'RS256', 'EdDSA']),
  /** `next`: published, signs nothing yet. `current`: signs. `retired`: its tokens are still valid. */
  state: z.enum(['next', 'current', 'retired']),
  /** ms: published since. */
  createdAt: z.number(),
  /** ms: signs, or signed, since; absent: since it was made. */
  currentSince: z.number().optional(),
  /** ms: a retired key is dropped from then on. */
  verifyUntil: z.number().optional(),
  privateJwk: jwk,
  publicJwk: jwk,
})

export type SigningKey = z.output<typeof signingKey>

/** The signing keys as they are stored, sealed. */
export const signingKeysRecord = z.looseObject({ v: z.literal(1), keys: z.array(signingKey).min(1) })
export type SigningKeysRecord = z.output<typeof signingKeysRecord>

/** The signing keys, ready for use: every key is imported once (importing costs more than signing). */
export interface SigningKeys {
  readonly signer: Signer
  readonly verifiers: ReadonlyMap<string, Verifier>
  /** Public members only (RFC 7517 §5). */
  readonly jwks: { readonly keys: readonly JWK[] }
}

/** A first set of keys: one ES256 key that signs at once, because nobody can hold an older document. */
export const createSigningKeys = async (now: number): Promise<SigningKeysRecord> => ({
  v: 1,
  keys: [await createSigningKey(now, 'current')],
})

/** Makes an ES256 key. */
export async function createSigningKey(now: number, state: 'current' | 'next'): Promise<SigningKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['sign', 'verify'],
  )
  const [privateJwk, { kty = '', crv, x, y }] = await Promise.all([
    crypto.subtle.exportKey('jwk', privateKey),
    crypto.subtle.exportKey('jwk', publicKey),
  ])
  const publicJwk = { kty, crv, x, y }
  const kid = await calculateJwkThumbprint(publicJwk as JWK)
  const secret = { ...publicJwk, d: privateJwk.d }
  return { kid, alg: 'ES256', state, createdAt: now, privateJwk: secret, publicJwk }
}

/** Imports a stored set. */
export async function importSigningKeys({ keys }: SigningKeysRecord): Promise<SigningKeys> {
  const current = keys.find((key) => key.state === 'current')
  if (!current) throw new Error('the set of signing keys has no current key')

  const verifiers = await Promise.all(
    keys.map(async ({ kid, alg, publicJwk }) => [kid, { alg, key: await imported(publicJwk, alg) }] as const),
  )
  return {
    signer: {
      kid: current.kid,
      alg: current.alg,
      key: await imported(current.privateJwk, current.alg),
    },
    verifiers: new Map(verifiers),
    jwks: { keys: keys.map(({ kid, alg, publicJwk }) => ({ ...publicJwk, kid, alg, use: 'sig' })) },
  }
}

async function imported(key: JWK, alg: string): Promise<CryptoKey> {
  const made = await importJWK(key, alg)
  if (made instanceof Uint8Array) throw new Error('a signing key is asymmetric')
  return made
}
