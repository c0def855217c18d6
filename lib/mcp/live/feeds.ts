import { WAKE_LINGER_MS } from '#lib/config/limits'
import { createFeed, type Feed, type FeedDeps, type FeedReader } from '#lib/mcp/live/feed'
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

  async function start(log: string): Promise<void> {
    const feed = await feedFromEnd(log, deps)
    if (find(log)) feed.close()
    else add(log, feed)
  }

  return {
    async ready(log) {
      const found = find(log)
      if (found?.feed.readers === 0) linger(log, found)
      if (found) return deps.wakes.ready()
      const pending = starting.get(log) ?? start(log).finally(() => starting.delete(log))
      starting.set(log, pending)
      await pending
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
    join(log, reader, signal) {
      const one = find(log) ?? add(log, createFeed(log, { after: reader.after, current: false }, deps))
      one.feed.join(reader, signal)
      signal.addEventListener('abort', () => linger(log, one), { once: true })
    },
    get open() {
      return open.size
    },
  }
}

/** Begins at the end of the log. Listens before it looks where the end is. */
async function feedFromEnd(log: string, deps: FeedDeps): Promise<Feed> {
  let readFirst = false
  const missed = () => {
    readFirst = true
  }
  await deps.wakes.ready()
  const stop = deps.wakes.listen(log, { onWake: missed, onGap: missed })
  try {
    const [newest] = await deps.store.run(read(log, { limit: 1, newestFirst: true }))
    return createFeed(log, { after: newest?.id ?? FIRST_ENTRY, current: true, readFirst }, deps)
  } finally {
    stop()
  }
}
