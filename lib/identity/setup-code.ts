import { SETUP_CODE_ATTEMPTS_PER_MINUTE } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { equalInConstantTime, sha256 } from '#lib/core/hash'

/** What came of a typed code. */
export type SetupCodeVerdict = 'right' | 'wrong' | 'too_many_attempts'

const MINUTE_MS = 60_000

/**
 * Compares typed codes with `OWNER_SETUP_CODE` in constant time, at most so many a minute in this instance.
 * Nothing is written anywhere: these people have not signed in.
 */
export function createSetupCode(code: string, clock: Clock): (typed: string) => Promise<SetupCodeVerdict> {
  let minute = 0
  let attempts = 0

  return async (typed) => {
    const now = Math.floor(clock() / MINUTE_MS)
    if (now !== minute) {
      minute = now
      attempts = 0
    }
    attempts += 1
    if (attempts > SETUP_CODE_ATTEMPTS_PER_MINUTE) return 'too_many_attempts'

    // Digests have one length, so the comparison does not tell how long the code is.
    const [expected, given] = await Promise.all([sha256(code), sha256(typed.trim())])
    return equalInConstantTime(expected, given) ? 'right' : 'wrong'
  }
}
