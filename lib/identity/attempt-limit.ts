import { ATTEMPT_CALLERS_MAX } from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import type { Clock } from '#lib/core/clock'

/** Whether one more attempt to sign in may be looked at now. */
export type AttemptLimit = (request: Request) => boolean

const MINUTE_MS = 60_000

interface AttemptLimits {
  readonly clock: Clock
  /** The address of a caller, where a trusted proxy tells it. */
  readonly callerOf: (request: Request) => string | undefined
  /** Attempts a minute of one known caller. */
  readonly each: number
  /** Attempts a minute of all callers together. */
  readonly all: number
}

/**
 * Counts attempts in this instance's memory: these people have not signed in, so nothing is written anywhere.
 * Where no proxy tells who calls, only all together are counted.
 */
export function createAttemptLimit({ clock, callerOf, each, all }: AttemptLimits): AttemptLimit {
  let minute = 0
  let total = 0
  let callers = createBoundedMap<number>(ATTEMPT_CALLERS_MAX)

  return (request) => {
    const now = Math.floor(clock() / MINUTE_MS)
    if (now !== minute) {
      minute = now
      total = 0
      callers = createBoundedMap<number>(ATTEMPT_CALLERS_MAX)
    }
    const caller = callerOf(request)
    if (caller !== undefined) {
      const count = (callers.get(caller) ?? 0) + 1
      callers.set(caller, count)
      // One caller alone cannot use up what everybody has.
      if (count > each) return false
    }
    total += 1
    return total <= all
  }
}
