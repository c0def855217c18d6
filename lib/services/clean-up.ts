import { CLEAN_UP_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Job } from '#lib/http/cron'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** What has to be looked after although nobody asks for it. */
export interface CleanUp {
  /** Does it now: a scheduler asked. */
  readonly run: Job
  /** Does it after some answer, if nobody did within the hour. Costs one request an hour and instance. */
  soon(): void
}

/** Makes it. `work` is bounded, and may run twice at once: everything it does is decided by the store. */
export function createCleanUp(deps: {
  readonly store: Store
  readonly clock: Clock
  readonly waitUntil: (work: Promise<unknown>) => void
  readonly work: Job
}): CleanUp {
  const { store, clock, waitUntil, work } = deps
  let lookedAt = Number.NEGATIVE_INFINITY

  const mark = (how: { readonly ifAbsent?: true }) =>
    store.run(set(keys.job('clean-up'), '1', { ttlMs: CLEAN_UP_MS, ...how }))

  return {
    async run() {
      await mark({})
      return work()
    },
    soon() {
      if (clock() - lookedAt < CLEAN_UP_MS) return
      lookedAt = clock()
      const turn = mark({ ifAbsent: true }).then((mine) => (mine ? work() : undefined))
      // An attempt that failed is made again in an hour, by somebody.
      waitUntil(turn.catch(() => undefined))
    },
  }
}
