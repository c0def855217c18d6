import type { JWK } from 'jose'
import { CLIENT_ASSERTION_TOLERANCE_SECONDS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { Result } from '#lib/core/result'
import type { ClientKeys } from '#lib/oauth/client'
import {
  type AssertionRefusal,
  type ProvenAssertion,
  verifyClientAssertion,
} from '#lib/oauth/client-assertion'
import type { ClientKeySets } from '#lib/oauth/endpoints/client-key-sets'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'

/** Who asserts something, with which keys, in which request. */
export interface Asserting {
  readonly clientId: string
  readonly keys: ClientKeys
  /** Of the HTTP request: the same one may be looked at twice. */
  readonly requestId: string
}

/**
 * Whether a signed assertion proves a client, and is used for the first time (RFC 7523 §3).
 *
 * @throws StoreUnavailable also when the keys of the client cannot be had: refused as unknown, a host would
 * forget its registration
 */
export type ProvesClient = (assertion: string, who: Asserting) => Promise<boolean>

type Deps = Pick<OAuthDeps, 'store' | 'clock' | 'log' | 'issuer'>

/** Binds the proof to the store, which remembers what was used. */
export function createClientProof(deps: Deps, keySets: ClientKeySets): ProvesClient {
  const audiences = [deps.issuer, `${deps.issuer}/oauth/token`]

  return async (assertion, who) => {
    const verify = (known: readonly JWK[]) =>
      verifyClientAssertion(assertion, { clientId: who.clientId, keys: known, audiences, now: deps.clock() })

    const proven = await verifyWithKeys(verify, who.keys, keySets)
    const isProof = proven.ok && (await isFirstUse(proven.value, who, deps))
    if (!isProof) {
      const reason = proven.ok ? 'assertion_used_before' : proven.error
      deps.log('info', 'client_assertion_refused', { requestId: who.requestId, reason })
    }
    return isProof
  }
}

type Verdict = Result<ProvenAssertion, AssertionRefusal>

/** Keys are renewed when none fits: the client may have replaced them since they were cached. */
async function verifyWithKeys(
  verify: (known: readonly JWK[]) => Promise<Verdict>,
  from: ClientKeys,
  keySets: ClientKeySets,
): Promise<Verdict> {
  if ('jwks' in from) return verify(from.jwks.keys as readonly JWK[])

  const cached = await keySets.at(from.jwksUri, { renew: false })
  if (!cached) throw new StoreUnavailable('the keys of a client cannot be fetched')
  const verdict = await verify(cached)
  if (verdict.ok || !['assertion_key_unknown', 'assertion_signature_wrong'].includes(verdict.error)) {
    return verdict
  }
  const renewed = await keySets.at(from.jwksUri, { renew: true })
  return renewed ? verify(renewed) : verdict
}

/** Remembers an assertion until nobody would accept it any more. A reply that was lost is no second use. */
async function isFirstUse(
  { jti, expiresAt }: ProvenAssertion,
  { clientId, requestId }: Asserting,
  { store, clock }: Deps,
): Promise<boolean> {
  const key = keys.usedAssertion(await sha256(`${clientId}\n${jti}`))
  // Twice the tolerance: clocks of our instances differ as well.
  const ttlMs = (expiresAt + 2 * CLIENT_ASSERTION_TOLERANCE_SECONDS) * 1000 - clock()
  if (await store.run(set(key, requestId, { ifAbsent: true, ttlMs }))) return true
  return (await store.run(get(key, { fresh: true }))) === requestId
}
