import { FOLLOW_OVERTAKEN_MS, FOLLOW_PAGE } from '#lib/config/limits'
import type { Wake, Wakes } from '#lib/mcp/live/wakes'
import { isLater } from '#lib/store/entry-id'
import { read } from '#lib/store/operations'
import type { Entry, Store } from '#lib/store/port'

/** Who follows which log, from where. */
export interface Following {
  readonly log: string
  /** Exclusive. */
  readonly after: string
  /** The log is read at least this often, whatever wake-ups say. */
  readonly pollMs: number
  /** Reads at once. Without it the first read is the first gap or the first poll. */
  readonly readFirst?: boolean
  /** In order, each once. `asked`: they come from a read, not from a wake-up. */
  readonly onEntries: (entries: readonly Entry[], asked: boolean) => void
  /**
   * Instead of a plain read of up to `FOLLOW_PAGE` entries, e.g. because a lease is renewed with it. As many
   * entries mean that there may be more.
   */
  readonly read?: (after: string) => Promise<readonly Entry[]>
  /** A read failed: the store is out of reach. Following goes on. */
  readonly onFault?: (error: unknown) => void
}

export interface Followed {
  /** The last entry that was handed on, or where it began. */
  readonly cursor: string
  /** Takes entries that somebody else read after `after`, when they follow what is known here. */
  offer(after: string, entries: readonly Entry[]): void
}

/** Follows a log until the signal aborts. Begins to listen before it returns. */
export type Follow = (how: Following, signal: AbortSignal) => Followed

/**
 * Follows logs with no request for a wake-up that continues what is known (it carries the entry and names the
 * one before), one read for a gap, and a slow poll that heals whatever nobody noticed.
 */
export function createFollow({ store, wakes }: { readonly store: Store; readonly wakes: Wakes }): Follow {
  return (how, signal) => {
    const ask = how.read ?? ((after: string) => store.run(read(how.log, { after, limit: FOLLOW_PAGE })))
    const known = knownOf(how, signal)
    const reading = oneAtATime(() => readOnce(known, { ...how, read: ask }), signal)

    function onWake(wake: Wake): void {
      if (!known.hearOf(wake) && !reading.active) reading.start()
    }

    const stop = wakes.listen(how.log, { onWake, onGap: reading.start })
    const polling = setInterval(() => {
      if (!reading.active) reading.start()
    }, how.pollMs)
    const end = () => {
      clearInterval(polling)
      stop()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    if (how.readFirst) reading.start()

    return {
      get cursor() {
        return known.cursor
      },
      offer(after, entries) {
        if (!isLater(after, known.cursor)) known.take(entries, true)
      },
    }
  }
}

interface Known {
  readonly cursor: string
  /** The newest entry that a wake-up spoke of. */
  readonly rumoured: string
  take(entries: readonly Entry[], asked: boolean): void
  /** `false`: something is missing before it. */
  hearOf(wake: Wake): boolean
}

/** What a follower knows of its log. */
function knownOf({ after, onEntries }: Following, signal: AbortSignal): Known {
  let cursor = after
  let rumoured = after

  function take(entries: readonly Entry[], asked: boolean): void {
    const fresh = entries.filter(({ id }) => isLater(id, cursor))
    const last = fresh.at(-1)
    if (!last || signal.aborted) return
    cursor = last.id
    onEntries(fresh, asked)
  }

  return {
    get cursor() {
      return cursor
    },
    get rumoured() {
      return rumoured
    },
    take,
    hearOf({ id, prev, data }) {
      if (!isLater(id, cursor)) return true
      if (isLater(id, rumoured)) rumoured = id
      // The one before it is known, or the log began anew after what is known.
      if (isLater(prev, cursor) || data === undefined) return false
      take([{ id, data }], false)
      return true
    },
  }
}

/** What a read leaves to do: nothing, read again, or look again for what a wake-up spoke of. */
type Rest = 'nothing' | 'more' | 'overtaken'

async function readOnce(
  known: Known,
  { read: ask, onFault }: Required<Pick<Following, 'read'>> & Pick<Following, 'onFault'>,
): Promise<Rest> {
  const rumouredBefore = known.rumoured
  const entries = await ask(known.cursor).catch((error: unknown) => {
    onFault?.(error)
    return undefined
  })
  if (!entries) return 'nothing'
  known.take(entries, true)
  if (entries.length >= FOLLOW_PAGE) return 'more'
  if (!isLater(known.rumoured, known.cursor)) return 'nothing'
  return known.rumoured === rumouredBefore ? 'overtaken' : 'more'
}

/** One read at a time, and one more for whatever was asked meanwhile. */
function oneAtATime(readOn: () => Promise<Rest>, signal: AbortSignal) {
  let active = false
  let again = false

  async function run(): Promise<void> {
    let looks = 1
    active = true
    try {
      while (again && !signal.aborted) {
        again = false
        const rest = await readOn()
        again ||= rest === 'more'
        if (rest !== 'overtaken' || looks-- === 0) continue
        await new Promise((resolve) => setTimeout(resolve, FOLLOW_OVERTAKEN_MS))
        again = true
      }
    } finally {
      active = false
    }
  }

  return {
    get active() {
      return active
    },
    start(): void {
      again = true
      if (!active) void run()
    },
  }
}
