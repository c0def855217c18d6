import type { JSONRPCMessage, ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import { CHANGES_KEEP, CHANGES_MS, CHANGES_POLL_MS, POLL_ONLY_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { createFeeds } from '#lib/mcp/live/feeds'
import { createFollow } from '#lib/mcp/live/follow'
import { createOrderedWriter } from '#lib/mcp/live/in-order'
import type { Wakes } from '#lib/mcp/live/wakes'
import { keys } from '#lib/store/keys'
import { append } from '#lib/store/operations'
import type { Entry, Operation, Store } from '#lib/store/port'

/**
 * Tells open streams that something changed. Every event belongs to one account: nobody can listen to what
 * is somebody else's, whatever URI they name.
 */
export interface EventBus {
  /** Returns at once and never throws. */
  publish(accountId: string, event: ServerEvent): void
  /** The view of one account, in the form the SDK listens to. */
  scoped(accountId: string): ServerEventBus
  /** Resolves when events published from now on, on any instance, will be heard. */
  ready(accountId: string): Promise<void>
}

/** What whoever holds the GET stream of a session is to look at in the store, in the order of the messages. */
export type SessionNote = 'preferences' | 'ended' | 'holder'

/**
 * An entry of an account's log: an event, a message or a note for one session's GET stream, or something of a
 * later release.
 */
export interface BusEntry {
  readonly id: string
  readonly event?: ServerEvent
  readonly sid?: string
  readonly message?: JSONRPCMessage
  readonly note?: SessionNote
}

/** Who reads an account's log from a place of its own; see `FeedReader`. */
export interface BusReader {
  /** Exclusive. */
  readonly after: string
  onEntries(entries: readonly BusEntry[], asked: boolean): Promise<void> | undefined
  onLost(): void
}

/** The bus of all instances: one log per account in the store. */
export interface ChangeBus extends EventBus {
  /** A message for one session's GET stream, wherever it is and whenever it comes. */
  send(accountId: string, sid: string, message: JSONRPCMessage): void
  /** Tells whoever holds that stream to look at something; for the batch that changes it, after the change. */
  note(accountId: string, sid: string, note: SessionNote): Extract<Operation, { kind: 'append' }>
  /** Reads the account's log from a place on, until the signal aborts. */
  follow(accountId: string, reader: BusReader, signal: AbortSignal): void
}

interface BusDeps {
  readonly store: Store
  readonly wakes: Wakes
  readonly clock: Clock
  /** Keeps a serverless instance awake until a change is written. */
  readonly waitUntil: (work: Promise<unknown>) => void
  /** A change could not be written: nobody will hear of it. */
  readonly onFault?: (error: unknown) => void
  /** How often a log is read whatever wake-ups say. */
  readonly pollMs?: number
}

/**
 * Makes the bus. A change costs its publisher one request and its receivers none; whoever comes later reads the
 * log. Without wake-ups everything is found by polling.
 */
export function createBus(deps: BusDeps): ChangeBus {
  const { store, wakes, clock } = deps
  const pollMs = deps.pollMs ?? (wakes.channel ? CHANGES_POLL_MS : POLL_ONLY_MS)
  const feeds = createFeeds({ store, wakes, clock, follow: createFollow({ store, wakes }), pollMs })

  const entryOf = (accountId: string, entry: object) =>
    append(keys.changes(accountId), JSON.stringify(entry), {
      keep: CHANGES_KEEP,
      ttlMs: CHANGES_MS,
      tell: wakes.channel,
    })

  const writeInOrder = createOrderedWriter(store)
  function write(accountId: string, entry: object): void {
    deps.waitUntil(writeInOrder(entryOf(accountId, entry)).catch((error: unknown) => deps.onFault?.(error)))
  }

  function subscribe(accountId: string, listener: (event: ServerEvent) => void): () => void {
    const hear = (entry: Entry) => {
      const { event } = readEntry(entry)
      if (event) listener(event)
    }
    const log = keys.changes(accountId)
    let left = false
    let stop = feeds.listen(log, hear)
    // Whoever listens without having asked whether all is ready hears what comes after a moment.
    if (!stop) {
      const ready = feeds.ready(log).then(() => {
        if (!left) stop = feeds.listen(log, hear)
      })
      ready.catch((error: unknown) => deps.onFault?.(error))
    }
    return () => {
      left = true
      stop?.()
    }
  }

  const publish = (accountId: string, event: ServerEvent) => write(accountId, { e: event })
  return {
    publish,
    send: (accountId, sid, message) => write(accountId, { s: sid, m: message }),
    note: (accountId, sid, note) => entryOf(accountId, { s: sid, n: note }),
    scoped: (accountId) => ({
      publish: (event) => publish(accountId, event),
      subscribe: (listener) => subscribe(accountId, listener),
    }),
    ready: (accountId) => feeds.ready(keys.changes(accountId)),
    follow(accountId, reader, signal) {
      const { after } = reader
      feeds.join(
        keys.changes(accountId),
        {
          after,
          onEntries: (entries, asked) => reader.onEntries(entries.map(readEntry), asked),
          onLost: () => reader.onLost(),
        },
        signal,
      )
    },
  }
}

function readEntry({ id, data }: Entry): BusEntry {
  const { e, s, m, n } = JSON.parse(data) as {
    readonly e?: ServerEvent
    readonly s?: string
    readonly m?: JSONRPCMessage
    readonly n?: SessionNote
  }
  return {
    id,
    ...(e ? { event: e } : {}),
    ...(s ? { sid: s, ...(m ? { message: m } : {}), ...(n ? { note: n } : {}) } : {}),
  }
}
