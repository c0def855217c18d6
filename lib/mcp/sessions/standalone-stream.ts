import { CATCH_UP_PAUSE_MS, RETRY_MS, RETRY_SOON_MS, RETRY_SUPERSEDED_MS } from '#lib/config/limits'
import type { BusEntry, SessionNote } from '#lib/mcp/bus'
import { openEventStream } from '#lib/mcp/live/event-stream'
import type { Hold, Standing } from '#lib/mcp/sessions/holder'
import { canBePrimed, type LiveSession } from '#lib/mcp/sessions/session'
import { everythingChanged, messageFor } from '#lib/mcp/sessions/standalone-messages'
import type { Operation } from '#lib/store/port'

/** Why a stream ends. */
export type Ending =
  /** Its longest life, or that of its token, is over; or the process stops. */
  | 'time'
  | 'stop'
  /** The account may not be served any more: the client hears why when it comes back. */
  | 'refused'
  /** Nothing happened for a while. */
  | 'nap'
  /** A newer stream of the account took its place. */
  | 'room'
  /** Another connection holds the stream of this session. */
  | 'superseded'
  /** The session ended. */
  | 'ended'
  /** The client left. */
  | 'gone'

/** What a stream is made of. */
export interface StreamParts {
  readonly session: LiveSession
  readonly hold: Hold
  /** The last entry that the client knows. */
  readonly cursor: string
  /** Takes a write that nobody waits for. */
  readonly save: (operation: Operation) => void
  /** Without wake-ups nobody hears that another took over: the store is asked before anything is said. */
  readonly asksFirst: boolean
  /** When a client whose stream naps is to come back, after so many naps without news. */
  readonly napRetryMs: (naps: number) => number
  /** What the session is subscribed to now. */
  readonly readSubscriptions: () => Promise<ReadonlySet<string>>
}

/** The GET stream of one session on one connection. */
export interface StandaloneStream {
  readonly response: Response
  /** The last entry that was told, or was nothing for this session. */
  readonly cursor: string
  /** Messages so far. */
  readonly told: number
  /** Aborts when it is over. */
  readonly signal: AbortSignal
  take(entries: readonly BusEntry[], asked: boolean): Promise<void> | undefined
  /** The client may have missed something: it is told to look at everything. */
  tellAll(): void
  /** Asks the store whether it still holds the stream, and whether the session lives. */
  check(): Promise<void>
  end(why: Ending): void
}

/** Where a client is in its GET stream: `g_<entry>`. */
export const eventIdOf = (cursor: string): string => `g_${cursor}`

/** Begins the stream: tells the client where it is. */
export function createStandaloneStream(parts: StreamParts): StandaloneStream {
  const { session, hold } = parts
  const over = new AbortController()
  const stream = openEventStream({ primes: canBePrimed(session) })
  let { cursor } = parts
  let { subscriptions } = session
  let told = 0

  function end(why: Ending): void {
    if (over.signal.aborted) return
    over.abort()
    const naps = napsAfter(why, told, hold.naps)
    const retryMs = retryAfter(why, parts.napRetryMs(naps))
    stream.end(retryMs === undefined ? undefined : { id: eventIdOf(cursor), retryMs })
    if (why === 'ended' || why === 'superseded') return
    // What went out last may not have reached a client that left: without its word it is told again.
    parts.save(hold.letGo(why === 'gone' ? { naps } : { naps, cursor }))
  }

  function obey(standing: Standing): void {
    if (standing !== 'held') end(standing === 'taken' ? 'superseded' : 'ended')
  }

  async function heed(note: SessionNote): Promise<void> {
    if (note === 'preferences') subscriptions = await parts.readSubscriptions()
    else obey(await hold.look(cursor))
  }

  /** What has to be done before an entry can be said. */
  function beforehand(entry: BusEntry, { entries, may, heeded }: Saying): Promise<Saying> | undefined {
    const { note } = entry
    if (note && entry.sid === session.sid && !heeded.has(note)) {
      const next = { entries, may, heeded: new Set([...heeded, note]) }
      return untilDone(() => heed(note), over.signal).then(() => next)
    }
    if (may || !messageFor(session.sid, subscriptions, entry)) return undefined
    const last = entries.at(-1)?.id ?? entry.id
    const advance = async () => obey(await hold.advance(last))
    return untilDone(advance, over.signal).then(() => ({ entries, may: true, heeded }))
  }

  function sayOne(entry: BusEntry): void {
    const message = messageFor(session.sid, subscriptions, entry)
    if (message && stream.send(message, eventIdOf(entry.id))) told++
    cursor = entry.id
  }

  /** Says at once what it can; the rest when what stands in the way is done. */
  function say(saying: Saying): Promise<void> | undefined {
    for (const [index, entry] of saying.entries.entries()) {
      if (over.signal.aborted) return undefined
      const ready = beforehand(entry, saying)
      if (ready !== undefined)
        return ready.then((next) => say({ ...next, entries: saying.entries.slice(index) }))
      sayOne(entry)
      const rest = { ...saying, entries: saying.entries.slice(index + 1) }
      if (stream.congested) return stream.drained().then(() => say(rest))
    }
    return undefined
  }

  stream.onGone(() => end('gone'))
  stream.prime(eventIdOf(cursor), RETRY_MS)
  return {
    response: stream.response,
    signal: over.signal,
    get cursor() {
      return cursor
    },
    get told() {
      return told
    },
    take: (entries, asked) => say({ entries, may: !(asked && parts.asksFirst), heeded: new Set() }),
    tellAll() {
      for (const message of everythingChanged(subscriptions)) stream.send(message)
    },
    check: async () => obey(await hold.look(cursor)),
    end,
  }
}

interface Saying {
  readonly entries: readonly BusEntry[]
  /** It may be said: nobody else can have taken over unnoticed, or it was asked. */
  readonly may: boolean
  /** Notes that were heeded since these entries were read: once is enough. */
  readonly heeded: ReadonlySet<SessionNote>
}

/** Tries until it works. While the store is out of reach nothing is said: it may be another's to say. */
async function untilDone(act: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const done = await act().then(
      () => true,
      () => false,
    )
    if (done) return
    await new Promise((resolve) => setTimeout(resolve, CATCH_UP_PAUSE_MS))
  }
}

function napsAfter(why: Ending, told: number, before: number): number {
  if (told > 0) return 0
  return why === 'nap' ? before + 1 : before
}

/** When the client is to come back; `undefined`: it is told nothing. */
function retryAfter(why: Ending, napRetryMs: number): number | undefined {
  if (why === 'ended' || why === 'gone') return undefined
  if (why === 'nap') return napRetryMs
  return why === 'room' || why === 'superseded' ? RETRY_SUPERSEDED_MS : RETRY_SOON_MS
}
