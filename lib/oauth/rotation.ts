import { SUPERSESSIONS_KEPT } from '#lib/config/limits'
import type { ActiveGrant, Grant } from '#lib/oauth/grant'

/** A refresh token that was presented: MAC and proof were already compared. */
export interface Presented {
  readonly generation: number
  readonly clientId: string
}

/** The rules that an operator may set, and the time. */
export interface RotationRules {
  /** ms */
  readonly now: number
  readonly graceSeconds: number
  readonly idleSeconds: number
}

/** What is to happen to a refresh. `generation` is the one whose token is answered. */
export type RotationDecision =
  | { readonly outcome: 'refused'; readonly reason: 'grant_unknown' | 'client_differs' | 'grant_expired' }
  /** `rolled_forward`: the store had forgotten generations that it once made. */
  | {
      readonly outcome: 'rotated' | 'rolled_forward'
      readonly grant: RefreshableGrant
      readonly generation: number
    }
  | { readonly outcome: 'replayed'; readonly generation: number }
  /** A superseded token came back too late: somebody else has it, so the grant ends. */
  | { readonly outcome: 'reused' }

/** A grant that holds a refresh token. */
export type RefreshableGrant = ActiveGrant & { readonly refresh: NonNullable<ActiveGrant['refresh']> }

/** Narrows a grant to one that can be refreshed. */
export const isRefreshable = (grant: Grant | undefined): grant is RefreshableGrant =>
  grant?.status === 'active' && grant.refresh !== undefined

/**
 * Decides on a refresh (DESIGN.md §6; OAuth 2.1 §4.3.1). The current generation rotates. A superseded one is
 * answered with the current token while the client may not have got its successor, or lost a race within the
 * grace; later it is reuse. One beyond the record means that the store went back in time, so the record
 * follows the token.
 */
export function decideRotation(
  grant: Grant | undefined,
  presented: Presented,
  rules: RotationRules,
): RotationDecision {
  if (!isRefreshable(grant)) return { outcome: 'refused', reason: 'grant_unknown' }
  if (grant.client.id !== presented.clientId) return { outcome: 'refused', reason: 'client_differs' }

  const idleUntil = grant.renewedAt + rules.idleSeconds * 1000
  if (rules.now >= Math.min(idleUntil, grant.expiresAt))
    return { outcome: 'refused', reason: 'grant_expired' }

  const current = grant.refresh.generation
  if (presented.generation >= current) {
    const outcome = presented.generation === current ? 'rotated' : 'rolled_forward'
    return {
      outcome,
      grant: advance(grant, presented.generation, rules.now),
      generation: presented.generation + 1,
    }
  }
  return mayReplay(grant.refresh, presented.generation, rules)
    ? { outcome: 'replayed', generation: current }
    : { outcome: 'reused' }
}

function mayReplay(
  refresh: RefreshableGrant['refresh'],
  generation: number,
  { now, graceSeconds }: RotationRules,
): boolean {
  const successorIsUnused =
    generation + 1 === refresh.generation && refresh.usedGeneration < refresh.generation
  const at = refresh.superseded.find((entry) => entry.generation === generation)?.at
  return successorIsUnused || (at !== undefined && now - at <= graceSeconds * 1000)
}

/** The grant after `generation` was used to refresh. */
function advance(grant: RefreshableGrant, generation: number, now: number): RefreshableGrant {
  const { refresh } = grant
  return {
    ...grant,
    renewedAt: now,
    refresh: {
      ...refresh,
      generation: generation + 1,
      usedGeneration: Math.max(refresh.usedGeneration, generation),
      superseded: [...refresh.superseded, { generation, at: now }].slice(-SUPERSESSIONS_KEPT),
    },
  }
}

/**
 * The grant after a call with an access token of `generation`: a generation that is in use has arrived, so
 * the one before it has no more excuse. `undefined` when that changes nothing.
 */
export function markUsed(grant: Grant | undefined, generation: number): RefreshableGrant | undefined {
  if (!isRefreshable(grant)) return undefined
  const { refresh } = grant
  const used = Math.min(generation, refresh.generation)
  return used > refresh.usedGeneration
    ? { ...grant, refresh: { ...refresh, usedGeneration: used } }
    : undefined
}

/** How long the record of a grant still lives (ms, at least 1). */
export function grantLifetimeMs(
  grant: ActiveGrant,
  { now, idleSeconds }: { readonly now: number; readonly idleSeconds: number },
): number {
  const rest = grant.expiresAt - now
  return Math.max(1, grant.refresh ? Math.min(rest, idleSeconds * 1000) : rest)
}
