import { decodeJwt, decodeProtectedHeader } from 'jose'
import { VERIFIED_TOKENS_MAX } from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import { toSeconds } from '#lib/core/clock'
import { sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { type AccessTokenClaims, isUnexpired, verifyAccessToken } from '#lib/oauth/access-token'
import { type BearerRefusal, bearerToken } from '#lib/oauth/bearer'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { type CallClaims, PERSONAL_TOKEN_PREFIX, readPersonalToken } from '#lib/oauth/personal-token'

const KID = /^[A-Za-z0-9_-]{43}$/

interface Verified {
  readonly claims: AccessTokenClaims
  readonly kid: string
}

/**
 * Makes the reader of bearer tokens. It asks the store for nothing but signing keys, and remembers what it
 * verified, by the token's hash: checking a signature costs more than anything else before a call.
 */
export function createBearerReader(
  deps: Pick<OAuthDeps, 'issuer' | 'resource' | 'clock' | 'keyRing'>,
  signingKeys: SigningKeySet,
): (request: Request) => Promise<Result<CallClaims, BearerRefusal>> {
  const known = createBoundedMap<Verified>(VERIFIED_TOKENS_MAX)

  async function verify(token: string): Promise<Verified | undefined> {
    const kid = plausibleKid(token, deps)
    const verifier = kid === undefined ? undefined : await signingKeys.find(kid)
    if (!kid || !verifier) return undefined
    const claims = await verifyAccessToken(token, { ...deps, verifier, now: deps.clock() })
    return claims && { claims, kid }
  }

  /** A key that was dropped takes the tokens it signed along. */
  const stands = async ({ claims, kid }: Verified) =>
    isUnexpired(claims, deps.clock()) && (await signingKeys.current()).verifiers.has(kid)

  return async (request) => {
    const token = bearerToken(request)
    if (!token.ok) return token
    if (token.value.startsWith(PERSONAL_TOKEN_PREFIX)) {
      const claims = await readPersonalToken(token.value, { keyRing: deps.keyRing, now: deps.clock() })
      return claims ? ok(claims) : err({ kind: 'invalid_token' })
    }

    const hash = await sha256(token.value)
    const before = known.get(hash)
    if (before && (await stands(before))) return ok(before.claims)

    const verified = await verify(token.value)
    if (!verified) {
      known.delete(hash)
      return err({ kind: 'invalid_token' })
    }
    known.set(hash, verified)
    return ok(verified.claims)
  }
}

/**
 * The key that a token names, if it says that it is ours and still good: only then may an unknown key make
 * this server read its keys again. A key is looked up in our own set, never where a token points.
 */
export function plausibleKid(
  token: string,
  { issuer, resource, clock }: Pick<OAuthDeps, 'issuer' | 'resource' | 'clock'>,
): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token)
    const { iss, aud, exp = 0 } = decodeJwt(token)
    const isOurs = iss === issuer && [aud].flat().includes(resource) && exp > toSeconds(clock()) - 60
    return isOurs && kid !== undefined && KID.test(kid) ? kid : undefined
  } catch {
    return undefined
  }
}
