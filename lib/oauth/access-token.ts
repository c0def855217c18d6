import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { TOKEN_EXPIRY_TOLERANCE_SECONDS, TOKEN_FUTURE_TOLERANCE_SECONDS } from '#lib/config/limits'
import { fromBase64url } from '#lib/core/base64url'
import { toSeconds } from '#lib/core/clock'

/** What a valid access token says. */
export interface AccessTokenClaims {
  readonly accountId: string
  /** The account's epoch when the grant was made. */
  readonly epoch: number
  readonly clientId: string
  /** SHA-256 of the client key: names the record of what was decided about the client. */
  readonly clientKeyHash: string
  /** The client's epoch when the grant was made. */
  readonly clientEpoch: number
  readonly grantId: string
  /** Generation of the refresh token that was issued with it. */
  readonly generation: number
  readonly scopes: readonly string[]
  /** Seconds since 1970. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expiresAt: number
  readonly tokenId: string
  /** The key that it was verified with; absent before that. */
  readonly keyId?: string
}

/** The private half of the current signing key. */
export interface Signer {
  readonly kid: string
  readonly alg: string
  readonly key: CryptoKey
}

/** The public half of a signing key. */
export interface Verifier {
  readonly alg: string
  readonly key: CryptoKey
}

/** Who issues tokens, and for what: both are compared exactly. */
export interface Parties {
  readonly issuer: string
  readonly resource: string
}

/** RFC 9068 §2.1. */
const TYPE = 'at+jwt'

/** Signs an access token (RFC 9068 §2). */
export function signAccessToken(
  claims: AccessTokenClaims,
  { issuer, resource, signer }: Parties & { readonly signer: Signer },
): Promise<string> {
  return new SignJWT({
    client_id: claims.clientId,
    scope: claims.scopes.join(' '),
    gid: claims.grantId,
    gen: claims.generation,
    ev: claims.epoch,
    ck: claims.clientKeyHash,
    ce: claims.clientEpoch,
  })
    .setProtectedHeader({ alg: signer.alg, typ: TYPE, kid: signer.kid })
    .setIssuer(issuer)
    .setAudience(resource)
    .setSubject(claims.accountId)
    .setJti(claims.tokenId)
    .setIssuedAt(claims.issuedAt)
    .setExpirationTime(claims.expiresAt)
    .sign(signer.key)
}

const count = z.number().int().nonnegative()
const payload = z.looseObject({
  sub: z.string().min(1),
  client_id: z.string().min(1),
  scope: z.string(),
  jti: z.string().min(1),
  gid: z.string().min(1),
  gen: count,
  ev: count,
  ck: z.string().min(1),
  ce: count,
  iat: z.number(),
  exp: z.number(),
})

/**
 * Verifies an access token (RFC 9068 §4, OAUTH.md §2.5) with a key that the caller found in its own set.
 *
 * @param now - ms
 * @returns `undefined` for anything that is not a token of ours, for this resource, valid now
 */
export async function verifyAccessToken(
  token: string,
  { issuer, resource, verifier, now }: Parties & { readonly verifier: Verifier; readonly now: number },
): Promise<AccessTokenClaims | undefined> {
  if (!isSpelledOnce(token)) return undefined
  const verified = await jwtVerify(token, verifier.key, {
    algorithms: [verifier.alg],
    typ: TYPE,
    issuer,
    audience: resource,
    requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti', 'gid', 'scope'],
    clockTolerance: TOKEN_EXPIRY_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  }).catch(() => undefined)
  if (!verified || !isSingleAudience(verified.payload)) return undefined

  const parsed = payload.safeParse(verified.payload)
  // jose accepts a future `iat` unless a maximum age is set.
  if (!parsed.success || parsed.data.iat > toSeconds(now) + TOKEN_FUTURE_TOLERANCE_SECONDS) return undefined
  const { kid } = verified.protectedHeader
  return { ...toClaims(parsed.data), ...(kid === undefined ? {} : { keyId: kid }) }
}

/** Whether claims that were verified before are still valid at `now` (ms). */
export const isUnexpired = (claims: AccessTokenClaims, now: number): boolean =>
  claims.expiresAt + TOKEN_EXPIRY_TOLERANCE_SECONDS > toSeconds(now)

function toClaims(from: z.output<typeof payload>): AccessTokenClaims {
  return {
    accountId: from.sub,
    epoch: from.ev,
    clientId: from.client_id,
    clientKeyHash: from.ck,
    clientEpoch: from.ce,
    grantId: from.gid,
    generation: from.gen,
    scopes: from.scope.split(' ').filter((name) => name !== ''),
    issuedAt: from.iat,
    expiresAt: from.exp,
    tokenId: from.jti,
  }
}

/**
 * RFC 7515 §2: base64url without padding. jose also takes other spellings of the signature, and a token must
 * have one: a changed character is never the same token.
 */
function isSpelledOnce(token: string): boolean {
  const [, , signature, ...more] = token.split('.')
  return signature !== undefined && more.length === 0 && fromBase64url(signature) !== undefined
}

const isSingleAudience = ({ aud }: JWTPayload) => typeof aud === 'string' || aud?.length === 1
