import { CATCH_UP_PAUSE_MS, CHANGES_MS, FOLLOW_OVERTAKEN_MS, FOLLOW_PAGE } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Follow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { FIRST_ENTRY, isLater } from '#lib/store/entry-id'
import { read } from '#lib/store/operations'
import type { Entry, Store } from '#lib/store/port'

/** Who reads a log from a place of its own. */
export interface FeedReader {
  /** Exclusive. */
  readonly after: string
  /**
   * In order, each once. A promise means that it can take no more until then: meanwhile nothing is kept for it,
   * it gets the rest from the log. `asked`: they come from a read, not from a wake-up.
   */
  onEntries(entries: readonly Entry[], asked: boolean): Promise<void> | undefined
  /** What came after its place may have been forgotten before it was read; said before the first entries. */
  onLost(): void
}

/** One log, followed once for all of its readers in this instance. */
export interface Feed {
  /** Reads on from its place until the signal aborts. */
  join(reader: FeedReader, signal: AbortSignal): void
  /** Hears of every entry from now on. */
  listen(listener: (entry: Entry) => void): () => void
  readonly readers: number
  close(): void
}

export interface FeedDeps {
  readonly store: Store
  readonly wakes: Wakes
  readonly follow: Follow
  readonly clock: Clock
  readonly pollMs: number
}

/**
 * Follows a log from `after` on.
 *
 * @param how - `current`: there was nothing after `after` a moment ago, so a reader there need not look;
 *   `readFirst`: something may have come since
 */
export function createFeed(
  log: string,
  how: { readonly after: string; readonly current: boolean; readonly readFirst?: boolean },
  deps: FeedDeps,
): Feed {
  const over = new AbortController()
  const joined = new Set<ReturnType<typeof joinedReader>>()
  const listeners = new Set<(entry: Entry) => void>()
  let current = how.current

  const followed = deps.follow(
    {
      log,
      after: how.after,
      pollMs: deps.pollMs,
      readFirst: how.readFirst ?? false,
      onEntries(entries, asked) {
        current = true
        for (const listener of [...listeners]) entries.forEach(listener)
        for (const one of [...joined]) one.take(entries, asked)
      },
    },
    over.signal,
  )
  const position: Position = {
    behind: (cursor) => isLater(followed.cursor, cursor),
    offer(after, entries) {
      if (!isLater(after, followed.cursor)) current = true
      followed.offer(after, entries)
    },
  }

  return {
    join(reader, signal) {
      if (signal.aborted) return
      const one = joinedReader(reader, { log, signal, position, deps })
      joined.add(one)
      signal.addEventListener('abort', () => joined.delete(one), { once: true })
      if (!current || position.behind(reader.after)) one.catchUp()
    },
    listen(listener) {
      const own = (entry: Entry) => listener(entry)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    get readers() {
      return joined.size + listeners.size
    },
    close: () => over.abort(),
  }
}

/** Where the feed is. */
interface Position {
  /** Whether it knows of entries after this. */
  behind(cursor: string): boolean
  offer(after: string, entries: readonly Entry[]): void
}

interface Joining {
  readonly log: string
  readonly signal: AbortSignal
  readonly position: Position
  readonly deps: FeedDeps
}

/**
 * A reader in step with the feed is handed what the feed hears. One that is behind, or busy, reads the log
 * itself until it is in step.
 */
function joinedReader(reader: FeedReader, { log, signal, position, deps }: Joining) {
  let cursor = reader.after
  let inStep = true

  function take(entries: readonly Entry[], asked: boolean): void {
    if (inStep) wait(hand(entries, asked))
  }

  function hand(entries: readonly Entry[], asked: boolean): Promise<void> | undefined {
    const fresh = entries.filter(({ id }) => isLater(id, cursor))
    const last = fresh.at(-1)
    if (!last || signal.aborted) return undefined
    cursor = last.id
    return reader.onEntries(fresh, asked)
  }

  function wait(busy: Promise<void> | undefined): void {
    if (!busy) return
    inStep = false
    void busy.then(() => readUntilInStep('unless behind'))
  }

  /** Reads pages until one is not full and the feed knows nothing more. */
  async function readUntilInStep(rest: 'always' | 'unless behind'): Promise<void> {
    let next: Next = rest === 'always' ? 'more' : 'unless behind'
    let looks = CATCH_UP_LOOKS
    while (!signal.aborted && looks > 0 && (next === 'more' || position.behind(cursor))) {
      next = await readNext(next === 'more' && cursor === reader.after)
      if (next === 'nothing') looks--
    }
    inStep = true
  }

  /** Reads a page and hands it on. Where there is none, it waits a moment: for the store, or for a replica. */
  async function readNext(first: boolean): Promise<Next> {
    const after = cursor
    const page = await readPage(after, first).catch(() => undefined)
    if (!page) {
      await pause(CATCH_UP_PAUSE_MS)
      return 'more'
    }
    position.offer(after, page)
    await hand(page, true)
    if (page.length >= FOLLOW_PAGE) return 'more'
    if (page.length > 0 || !position.behind(cursor)) return 'unless behind'
    await pause(FOLLOW_OVERTAKEN_MS)
    return 'nothing'
  }

  async function readPage(after: string, first: boolean): Promise<readonly Entry[]> {
    const next = read(log, { after, limit: FOLLOW_PAGE })
    if (!first) return deps.store.run(next)
    const [page, [oldest]] = await deps.store.batch(next, read(log, { limit: 1 }))
    if (mayBeLost({ after, page, oldest, now: deps.clock() }) && !signal.aborted) reader.onLost()
    return page
  }

  return {
    take,
    catchUp(): void {
      inStep = false
      void deps.wakes.ready().then(() => readUntilInStep('always'))
    },
  }
}

type Next = 'more' | 'unless behind' | 'nothing'

/** What a wake-up spoke of and the log has not is looked for so often; then it is gone. */
const CATCH_UP_LOOKS = 5

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/**
 * Whether entries after a place may have been forgotten: the log begins after it, and is long enough to have
 * been capped or was gone in between. Rather once too often: it costs a client a look at its lists.
 */
function mayBeLost(seen: {
  readonly after: string
  readonly page: readonly Entry[]
  readonly oldest: Entry | undefined
  readonly now: number
}): boolean {
  const { after, page, oldest, now } = seen
  if (after === FIRST_ENTRY) return false
  const begins = oldest ? Number.parseInt(oldest.id, 10) : now
  if (oldest && !isLater(oldest.id, after)) return false
  return page.length >= FOLLOW_PAGE || begins - Number.parseInt(after, 10) >= CHANGES_MS
}
