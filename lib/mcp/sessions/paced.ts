import { CATCH_UP_PAUSE_MS, FOLLOW_PAGE } from '#lib/config/limits'
import type { Entry } from '#lib/store/port'

/** How a log is told to somebody who may be slow. */
export interface Pacing {
  readonly signal: AbortSignal
  /** Resolves when more can be said. */
  drained(): Promise<void>
  /** `false`: not all of it was said, because no more can be said now. */
  say(entries: readonly Entry[]): boolean
  /** Reads a page of what was not said yet. */
  readOn(): Promise<readonly Entry[]>
  /** What was read cannot be said. */
  onFault(): void
}

/**
 * Tells entries as they come, and those that were too many from the log, a page at a time, as fast as the reader
 * reads: what waits for a slow one waits in the store.
 */
export function paced({
  signal,
  drained,
  say,
  readOn,
  onFault,
}: Pacing): (entries: readonly Entry[]) => void {
  let catchingUp = false
  let missed = false

  async function catchUp(): Promise<void> {
    catchingUp = true
    while (!signal.aborted) {
      missed = false
      await drained()
      const entries = await readOn().catch(() => undefined)
      if (!entries) await new Promise((resolve) => setTimeout(resolve, CATCH_UP_PAUSE_MS))
      else if (say(entries) && entries.length < FOLLOW_PAGE && !missed) break
    }
    catchingUp = false
  }

  return (entries) => {
    if (catchingUp) missed = true
    else if (!say(entries)) catchUp().catch(onFault)
  }
}
