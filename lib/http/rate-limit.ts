import { RATE_WINDOW_MS } from '#lib/config/limits'
import { err, ok } from '#lib/core/result'
import type { Check } from '#lib/store/check'
import { keys } from '#lib/store/keys'
import { add } from '#lib/store/operations'

/**
 * Counts a call of an account in the current minute, for all instances together.
 *
 * @param limit - calls a minute
 * @param now - milliseconds
 * @returns a check whose refusal says after how many seconds the next minute begins
 */
export function callRateCheck(
  accountId: string,
  limit: number,
  now: number,
): Check<'add', number, { readonly retryAfterSeconds: number }> {
  const window = Math.floor(now / RATE_WINDOW_MS)
  const endsInMs = (window + 1) * RATE_WINDOW_MS - now
  return {
    // Twice the window: an instance whose clock is late still finds the counter.
    operation: add(keys.callRate(accountId, window), { calls: 1 }, 2 * RATE_WINDOW_MS),
    decide: (sums) => {
      const calls = sums['calls'] ?? 0
      return calls <= limit ? ok(calls) : err({ retryAfterSeconds: Math.max(1, Math.ceil(endsInMs / 1000)) })
    },
  }
}
