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
  /** Reads on from its place until the signal aborts. `seen`: what a look from there has just shown. */
  join(reader: FeedReader, signal: AbortSignal, seen?: Seen): void
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

/** What one look at a log shows to a reader. */
export interface Seen {
  readonly page: readonly Entry[]
  readonly oldest: Entry | undefined
  readonly newest: Entry | undefined
}

/** Reads a page after a place, and where the log begins and ends: one request. */
export async function lookAt(store: Store, log: string, after: string): Promise<Seen> {
  const [page, [oldest], [newest]] = await store.batch(
    read(log, { after, limit: FOLLOW_PAGE }),
    read(log, { limit: 1 }),
    read(log, { limit: 1, newestFirst: true }),
  )
  return { page, oldest, newest }
}

/**
 * Follows a log from its end on.
 *
 * @param how - `end`: the last entry, as it was a moment ago; `readFirst`: something may have come since
 */
export function createFeed(
  log: string,
  how: { readonly end: string; readonly readFirst: boolean },
  deps: FeedDeps,
): Feed {
  const over = new AbortController()
  const joined = new Set<ReturnType<typeof joinedReader>>()
  const listeners = new Set<(entry: Entry) => void>()

  const followed = deps.follow(
    {
      log,
      after: how.end,
      pollMs: deps.pollMs,
      readFirst: how.readFirst,
      onEntries(entries, asked) {
        for (const listener of [...listeners]) entries.forEach(listener)
        for (const one of [...joined]) one.take(entries, asked)
      },
    },
    over.signal,
  )
  const position: Position = {
    behind: (cursor) => isLater(followed.cursor, cursor),
    offer: (after, entries) => followed.offer(after, entries),
  }

  return {
    join(reader, signal, seen) {
      if (signal.aborted) return
      const one = joinedReader(reader, { log, signal, position, deps })
      joined.add(one)
      signal.addEventListener('abort', () => joined.delete(one), { once: true })
      // One that seems to be ahead may be, or knows a time that has not come.
      if (reader.after !== followed.cursor) one.catchUp(seen)
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
  async function readUntilInStep(begin: Next): Promise<void> {
    let next = begin
    let looks = CATCH_UP_LOOKS
    while (!signal.aborted && looks > 0 && (next === 'more' || position.behind(cursor))) {
      const page = await deps.store
        .run(read(log, { after: cursor, limit: FOLLOW_PAGE }))
        .catch(() => undefined)
      next = page ? await passOn(page) : ((await later()) ?? 'more')
      if (next === 'nothing') looks--
    }
    inStep = true
  }

  /** Hands a page on. Where there is nothing on it that should be, it waits a moment for a replica. */
  async function passOn(page: readonly Entry[]): Promise<Next> {
    position.offer(cursor, page)
    await hand(page, true)
    if (page.length >= FOLLOW_PAGE) return 'more'
    if (page.length > 0 || !position.behind(cursor)) return 'unless behind'
    await pause(FOLLOW_OVERTAKEN_MS)
    return 'nothing'
  }

  /** Begins at the reader's place, and makes sure that it is one. */
  async function begin(given: Seen | undefined): Promise<void> {
    await deps.wakes.ready()
    let seen = given
    while (!seen && !signal.aborted) seen = await lookAt(deps.store, log, cursor).catch(later)
    if (!seen || signal.aborted) return
    const end = seen.newest?.id ?? FIRST_ENTRY
    // Written by a clock that was ahead, or by a store that went back: what comes now comes after it.
    if (isLater(cursor, end)) cursor = end
    else if (mayBeLost(cursor, seen, deps.clock())) reader.onLost()
    await readUntilInStep(await passOn(seen.page))
  }

  return {
    take,
    catchUp(seen: Seen | undefined): void {
      inStep = false
      void begin(seen)
    },
  }
}

/** The store did not answer: a while later it is asked again. */
const later = async (): Promise<undefined> => {
  await pause(CATCH_UP_PAUSE_MS)
}

type Next = 'more' | 'unless behind' | 'nothing'

/** What a wake-up spoke of and the log has not is looked for so often; then it is gone. */
const CATCH_UP_LOOKS = 5

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/**
 * Whether entries after a place may have been forgotten: the log begins after it, and is long enough to have
 * been capped or was gone in between. Rather once too often: it costs a client a look at its lists.
 */
function mayBeLost(after: string, { page, oldest }: Seen, now: number): boolean {
  if (after === FIRST_ENTRY || (oldest && !isLater(oldest.id, after))) return false
  const begins = oldest ? Number.parseInt(oldest.id, 10) : now
  return page.length >= FOLLOW_PAGE || begins - Number.parseInt(after, 10) >= CHANGES_MS
}
