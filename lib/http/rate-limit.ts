import { RATE_WINDOW_MS } from '#lib/config/limits'
import { err, ok } from '#lib/core/result'
import type { Check } from '#lib/store/check'
import { keys } from '#lib/store/keys'
import { add } from '#lib/store/operations'

/** What is counted, and against what. */
interface CallRate {
  readonly accountId: string
  /** Calls that this request makes: a batch makes several. */
  readonly calls: number
  /** Calls a minute. */
  readonly limit: number
  /** Milliseconds. */
  readonly now: number
}

/**
 * Counts calls of an account in the current minute, for all instances together.
 *
 * @returns a check whose refusal says after how many seconds the next minute begins
 */
export function callRateCheck({
  accountId,
  calls,
  limit,
  now,
}: CallRate): Check<'add', number, { readonly retryAfterSeconds: number }> {
  const window = Math.floor(now / RATE_WINDOW_MS)
  const endsInMs = (window + 1) * RATE_WINDOW_MS - now
  return {
    // Twice the window: an instance whose clock is late still finds the counter.
    operation: add(keys.callRate(accountId, window), { calls }, 2 * RATE_WINDOW_MS),
    decide: (sums) => {
      const sum = sums['calls'] ?? 0
      return sum <= limit ? ok(sum) : err({ retryAfterSeconds: Math.max(1, Math.ceil(endsInMs / 1000)) })
    },
  }
}
