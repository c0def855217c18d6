import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { z } from 'zod'
import {
  CLIENT_ASSERTION_MAX_LENGTH,
  CLIENT_ASSERTION_MAX_SECONDS,
  CLIENT_ASSERTION_TOLERANCE_SECONDS,
  CLIENT_KEYS_MAX,
} from '#lib/config/limits'
import { toSeconds } from '#lib/core/clock'
import { err, ok, type Result } from '#lib/core/result'

/** RFC 7523 §2.2. */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What a client may sign with. All are asymmetric: a public key can never be taken for a shared secret. */
export const assertionAlgorithms = ['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256'] as const

/** `JWT`, the type that the successor of RFC 7523 asks for, or none. */
const TYPES = new Set([undefined, 'jwt', 'client-authentication+jwt'])

/** Why an assertion does not prove who sent it. All are `invalid_client` to the client. */
export type AssertionRefusal =
  | 'assertion_malformed'
  | 'assertion_key_unknown'
  | 'assertion_signature_wrong'
  | 'assertion_claims_wrong'
  | 'assertion_lives_too_long'

/** A proven assertion: it may be used once, so whoever accepts it remembers `jti` until it has expired. */
export interface ProvenAssertion {
  readonly jti: string
  /** Seconds since 1970. */
  readonly expiresAt: number
}

/**
 * Who an assertion says it is from, before anything of it is believed (RFC 7523 §3: issuer and subject are
 * the client); `undefined` when it says it of nobody.
 */
export function claimedClientId(assertion: string): string | undefined {
  if (assertion.length > CLIENT_ASSERTION_MAX_LENGTH) return undefined
  try {
    const { iss, sub } = decodeJwt(assertion)
    return typeof iss === 'string' && iss !== '' && iss === sub ? iss : undefined
  } catch {
    return undefined
  }
}

/**
 * Verifies the signed assertion of a client (RFC 7523 §3, OpenID Connect Core §9): from and about this client,
 * for exactly one audience which is ours, with an identifier, and good for 5 minutes at most.
 *
 * @param keys - the public keys of the client
 * @param audiences - what this server is called: its issuer and its token endpoint
 * @param now - ms
 */
export async function verifyClientAssertion(
  assertion: string,
  {
    clientId,
    keys,
    audiences,
    now,
  }: {
    readonly clientId: string
    readonly keys: readonly JWK[]
    readonly audiences: readonly string[]
    readonly now: number
  },
): Promise<Result<ProvenAssertion, AssertionRefusal>> {
  const header = readHeader(assertion)
  if (!header) return err('assertion_malformed')
  const candidates = keys.filter((key) => mayHaveSigned(key, header)).slice(0, CLIENT_KEYS_MAX)
  if (candidates.length === 0) return err('assertion_key_unknown')

  if (!(await isSignedBy(candidates, assertion, header.alg))) return err('assertion_signature_wrong')
  return checkClaims(decodeJwt(assertion), { clientId, audiences, now: toSeconds(now) })
}

const claimsSet = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.tuple([z.string()])]),
  exp: z.number(),
  jti: z.string().min(1),
  nbf: z.number().optional(),
  iat: z.number().optional(),
})

interface Header {
  readonly alg: string
  readonly kid: string | undefined
}

function readHeader(assertion: string): Header | undefined {
  if (assertion.length > CLIENT_ASSERTION_MAX_LENGTH) return undefined
  try {
    const { alg, kid, typ } = decodeProtectedHeader(assertion)
    const isKnown = assertionAlgorithms.some((name) => name === alg)
    return alg !== undefined && isKnown && TYPES.has(typ?.toLowerCase()) ? { alg, kid } : undefined
  } catch {
    return undefined
  }
}

const mayHaveSigned = (key: JWK, { alg, kid }: Header): boolean =>
  (kid === undefined || key.kid === undefined || key.kid === kid) &&
  (key.alg === undefined || key.alg === alg) &&
  (key.use === undefined || key.use === 'sig')

/** Several keys may share one name while they are replaced. */
async function isSignedBy(keys: readonly JWK[], assertion: string, alg: string): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(assertion, await importJWK(key, alg), { algorithms: [alg] })
      return true
    } catch {
      // The next one may fit.
    }
  }
  return false
}

/** Times are checked against the clock we were given, in seconds. */
function checkClaims(
  payload: unknown,
  {
    clientId,
    audiences,
    now,
  }: { readonly clientId: string; readonly audiences: readonly string[]; readonly now: number },
): Result<ProvenAssertion, AssertionRefusal> {
  const parsed = claimsSet.safeParse(payload)
  if (!parsed.success) return err('assertion_claims_wrong')
  const { iss, sub, aud, exp, jti, nbf = 0, iat = 0 } = parsed.data

  const isFromThem = iss === clientId && sub === clientId
  if (!isFromThem || !audiences.includes([aud].flat()[0] ?? '')) return err('assertion_claims_wrong')

  const tolerance = CLIENT_ASSERTION_TOLERANCE_SECONDS
  const isNow = now < exp + tolerance && Math.max(nbf, iat) <= now + tolerance
  if (!isNow) return err('assertion_claims_wrong')
  if (exp > now + CLIENT_ASSERTION_MAX_SECONDS + tolerance) return err('assertion_lives_too_long')
  // A time may have a fraction (RFC 7519 §2); a lifetime in the store has none.
  return ok({ jti, expiresAt: Math.ceil(exp) })
}
