import type { ActiveGrant, ConnectionGrant, PendingGrant } from '#lib/oauth/grant'

/** An attempt to redeem an authorization code, with the secrets already compared. */
export interface Redemption {
  readonly clientId: string
  /** Sent by the client or not (OAuth 2.1 §4.1.3 needs it no longer). */
  readonly redirectUri: string | undefined
  /** Whether the code is the one of this grant. */
  readonly codeMatches: boolean
  /** Whether the verifier is the one of this grant's challenge. */
  readonly verifierMatches: boolean
  /** Of the HTTP request: repeated by a transport, it is the same attempt. */
  readonly requestId: string
}

/** What a first redemption adds. */
export interface Activation {
  /** ms */
  readonly now: number
  readonly refreshMaxSeconds: number
  readonly accessTokenSeconds: number
  readonly salt: string
}

/** Why a code is not good. All are `invalid_grant` to the client. */
export type RedemptionRefusal =
  | 'code_unknown'
  | 'code_expired'
  | 'client_differs'
  | 'redirect_uri_differs'
  | 'verifier_differs'

/** What is to happen. `replayed`: a valid attempt at a spent code, which ends the grant. */
export type RedemptionDecision =
  | { readonly outcome: 'refused'; readonly reason: RedemptionRefusal }
  | { readonly outcome: 'redeemed'; readonly grant: ActiveGrant; readonly codeExpiresAt: number }
  | { readonly outcome: 'repeated'; readonly grant: ActiveGrant }
  | { readonly outcome: 'replayed' }

/**
 * Decides on a redemption (OAuth 2.1 §4.1.3). An attempt that is wrong in any way changes nothing, whatever
 * the state of the grant: who does not hold the verifier can neither spend a code nor end a grant.
 */
export function decideRedemption(
  grant: ConnectionGrant | undefined,
  attempt: Redemption,
  activation: Activation,
): RedemptionDecision {
  const refusal = refusalOf(grant, attempt)
  if (refusal || !grant) return { outcome: 'refused', reason: refusal ?? 'code_unknown' }

  if (grant.status === 'active') {
    return grant.redeemedBy === attempt.requestId ? { outcome: 'repeated', grant } : { outcome: 'replayed' }
  }
  if (activation.now >= grant.codeExpiresAt) return { outcome: 'refused', reason: 'code_expired' }
  const { codeExpiresAt } = grant
  return { outcome: 'redeemed', grant: activate(grant, attempt.requestId, activation), codeExpiresAt }
}

function refusalOf(grant: ConnectionGrant | undefined, attempt: Redemption): RedemptionRefusal | undefined {
  if (!grant || !attempt.codeMatches) return 'code_unknown'
  if (grant.client.id !== attempt.clientId) return 'client_differs'
  if (attempt.redirectUri !== undefined && attempt.redirectUri !== grant.redirectUri) {
    return 'redirect_uri_differs'
  }
  return attempt.verifierMatches ? undefined : 'verifier_differs'
}

function activate(
  { codeExpiresAt: _, ...grant }: PendingGrant,
  requestId: string,
  { now, refreshMaxSeconds, accessTokenSeconds, salt }: Activation,
): ActiveGrant {
  const refreshes = grant.client.grantTypes.includes('refresh_token')
  return {
    ...grant,
    status: 'active',
    redeemedBy: requestId,
    renewedAt: now,
    expiresAt: now + (refreshes ? refreshMaxSeconds : accessTokenSeconds) * 1000,
    ...(refreshes ? { refresh: { salt, generation: 1, usedGeneration: 0, superseded: [] } } : {}),
  }
}

/** A redemption that the store may have carried out, though its request was answered with an outage. */
export interface Unanswered {
  readonly grantId: string
  readonly requestId: string
  /** ms: until then the same code may be sent again. */
  readonly codeExpiresAt: number
}

/**
 * The grant without an unanswered redemption (decision 0014): pending again. Where it was not carried out, the
 * record changes all the same, so that a request which is still on its way loses its compare. `null`: the code
 * has expired since, so what nobody was given ends. `undefined`: there is nothing to take back.
 */
export function withoutUnanswered(
  grant: ConnectionGrant | undefined,
  { requestId, codeExpiresAt }: Unanswered,
  now: number,
): PendingGrant | null | undefined {
  if (!grant || grant.withdrawn?.includes(requestId)) return undefined
  const withdrawn = [...(grant.withdrawn ?? []), requestId]
  if (grant.status === 'pending') return { ...grant, withdrawn }
  if (grant.redeemedBy !== requestId) return undefined
  if (now >= codeExpiresAt) return null

  const { redeemedBy: _by, renewedAt: _renewed, expiresAt: _expires, refresh: _refresh, ...rest } = grant
  return { ...rest, status: 'pending', codeExpiresAt, withdrawn }
}

/**
 * Whether the request that redeemed a code may yet turn out to be unanswered: it was a moment ago, and nothing
 * of what it gave was used.
 */
export const mayBeUnanswered = (grant: ConnectionGrant, now: number, codeSeconds: number): boolean =>
  grant.status === 'active' &&
  (grant.refresh?.usedGeneration ?? 0) === 0 &&
  now < grant.renewedAt + codeSeconds * 1000
