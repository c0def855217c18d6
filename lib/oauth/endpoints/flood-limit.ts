import { FLOOD_BURST, FLOOD_CALLERS_MAX, FLOOD_PER_SECOND } from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'

/**
 * Whether a request before sign-in may be answered: `undefined`, or after how many seconds to come back.
 * Counted in this instance's memory: nobody reaches the store before signing in.
 */
export type FloodLimit = (request: Request) => { readonly retryAfterSeconds: number } | undefined

/** Makes a token bucket for each caller. */
export function createFloodLimit({ clock, callerOf }: Pick<OAuthDeps, 'clock' | 'callerOf'>): FloodLimit {
  const buckets = createBoundedMap<{ readonly left: number; readonly at: number }>(FLOOD_CALLERS_MAX)

  return (request) => {
    const caller = callerOf?.(request) ?? ''
    const now = clock()
    const { left, at } = buckets.get(caller) ?? { left: FLOOD_BURST, at: now }
    const filled = Math.min(FLOOD_BURST, left + (Math.max(0, now - at) / 1000) * FLOOD_PER_SECOND)
    const passes = filled >= 1
    buckets.set(caller, { left: passes ? filled - 1 : filled, at: now })
    return passes ? undefined : { retryAfterSeconds: 1 }
  }
}
