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
  | { readonly outcome: 'redeemed'; readonly grant: ActiveGrant }
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
  return { outcome: 'redeemed', grant: activate(grant, attempt.requestId, activation) }
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
