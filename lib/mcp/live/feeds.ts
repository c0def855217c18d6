import { CATCH_UP_PAUSE_MS, WAKE_LINGER_MS } from '#lib/config/limits'
import { createFeed, type Feed, type FeedDeps, type FeedReader, lookAt, type Seen } from '#lib/mcp/live/feed'
import { FIRST_ENTRY } from '#lib/store/entry-id'
import { read } from '#lib/store/operations'
import type { Entry } from '#lib/store/port'

/** The logs that this instance follows: each once, while somebody reads it, and a little longer. */
export interface Feeds {
  /**
   * Resolves when entries appended from now on will be heard by `listen`.
   *
   * @throws StoreUnavailable
   */
  ready(log: string): Promise<void>
  /** Hears of every entry from now on; `undefined` when nobody was `ready`. */
  listen(log: string, listener: (entry: Entry) => void): (() => void) | undefined
  /** Reads a log from a place on, until the signal aborts. */
  join(log: string, reader: FeedReader, signal: AbortSignal): void
  readonly open: number
}

interface OpenFeed {
  readonly feed: Feed
  idleSince: number
  lingering: ReturnType<typeof setTimeout> | undefined
}

export function createFeeds(deps: FeedDeps): Feeds {
  const open = new Map<string, OpenFeed>()
  const starting = new Map<string, Promise<void>>()

  /** The feed of a log; one that idled longer than it lingers was frozen with its instance. */
  function find(log: string): OpenFeed | undefined {
    const found = open.get(log)
    if (found && found.feed.readers === 0 && deps.clock() - found.idleSince > WAKE_LINGER_MS)
      close(log, found)
    return open.get(log)
  }

  function add(log: string, feed: Feed): OpenFeed {
    const added: OpenFeed = { feed, idleSince: 0, lingering: undefined }
    open.set(log, added)
    linger(log, added)
    return added
  }

  function linger(log: string, one: OpenFeed): void {
    one.idleSince = deps.clock()
    clearTimeout(one.lingering)
    one.lingering = setTimeout(() => {
      if (one.feed.readers === 0) close(log, one)
    }, WAKE_LINGER_MS)
  }

  function close(log: string, one: OpenFeed): void {
    clearTimeout(one.lingering)
    one.feed.close()
    if (open.get(log) === one) open.delete(log)
  }

  /** Begins to follow a log, once for all who ask at the same time. */
  function start(log: string, look: Look): Promise<void> {
    const begin = async () => {
      const feed = await feedFromEnd(log, look, deps)
      if (find(log)) feed.close()
      else add(log, feed)
    }
    const pending = starting.get(log) ?? begin().finally(() => starting.delete(log))
    starting.set(log, pending)
    return pending
  }

  /** Joins at once where the log is followed; else begins to, and waits for the store as long as it takes. */
  async function joinWhenOpen(log: string, reader: FeedReader, signal: AbortSignal): Promise<void> {
    let seen: Seen | undefined
    const look = async () => {
      seen = await lookAt(deps.store, log, reader.after)
      return seen.newest
    }
    while (!signal.aborted) {
      const found = find(log)
      if (found) {
        found.feed.join(reader, signal, seen)
        signal.addEventListener('abort', () => linger(log, found), { once: true })
        return
      }
      await start(log, look).catch(() => new Promise((resolve) => setTimeout(resolve, CATCH_UP_PAUSE_MS)))
    }
  }

  return {
    async ready(log) {
      const found = find(log)
      if (found?.feed.readers === 0) linger(log, found)
      if (found) return deps.wakes.ready()
      await start(log, async () => {
        const [newest] = await deps.store.run(read(log, { limit: 1, newestFirst: true }))
        return newest
      })
    },
    listen(log, listener) {
      const found = find(log)
      if (!found) return undefined
      const stop = found.feed.listen(listener)
      return () => {
        stop()
        linger(log, found)
      }
    },
    join: (log, reader, signal) => void joinWhenOpen(log, reader, signal),
    get open() {
      return open.size
    },
  }
}

/** Finds the last entry of a log. */
type Look = () => Promise<Entry | undefined>

/** Begins at the end of the log. Listens before it looks where the end is. */
async function feedFromEnd(log: string, look: Look, deps: FeedDeps): Promise<Feed> {
  let readFirst = false
  const missed = () => {
    readFirst = true
  }
  await deps.wakes.ready()
  const stop = deps.wakes.listen(log, { onWake: missed, onGap: missed })
  try {
    const newest = await look()
    return createFeed(log, { end: newest?.id ?? FIRST_ENTRY, readFirst }, deps)
  } finally {
    stop()
  }
}
