import {
  NAP_RETRY_MAX_MS,
  NAP_RETRY_MIN_MS,
  NAP_STAY_MS,
  RETRY_AFTER_SECONDS,
  STREAM_RECHECK_MS,
} from '#lib/config/limits'
import type { Random } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import type { ChangeBus } from '#lib/mcp/bus'
import type { Wakes } from '#lib/mcp/live/wakes'
import { rpcError } from '#lib/mcp/rpc-error'
import { claimHolder, createHold, type Holder } from '#lib/mcp/sessions/holder'
import { SessionPreferences } from '#lib/mcp/sessions/records'
import { createSaver } from '#lib/mcp/sessions/saver'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createStandaloneStream, eventIdOf, type StandaloneStream } from '#lib/mcp/sessions/standalone-stream'
import { createHandover, type Handover, leftNote, takeNote, takerOf } from '#lib/mcp/sessions/take-over'
import type { Streams } from '#lib/mcp/streams'
import { isEntryId, isLater } from '#lib/store/entry-id'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import { readRecord } from '#lib/store/record'

/** What the GET streams of sessions need. */
export interface StandaloneDeps {
  readonly store: Store
  readonly bus: ChangeBus
  readonly wakes: Wakes
  readonly random: Random
  /** The budget that they share with all other streams. */
  readonly streams: Streams
  /** `nap`: a stream ends while nothing happens, and the client comes back (DESIGN.md §7). */
  readonly mode: 'live' | 'nap'
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** Whether calls of the session run here: a nap does not begin meanwhile. */
  readonly busy?: (sid: string) => boolean
  /** For tests. */
  readonly nap?: { readonly stayMs: number; readonly retryMinMs: number; readonly retryMaxMs: number }
}

/** Who asks for the stream. */
export interface Opening {
  readonly admitted: Admitted
  readonly lastEventId: string | undefined
  /** The holder's record, where it was read already. */
  readonly holder?: string | null
}

export interface Standalone {
  /**
   * Opens the stream of a session for what belongs to no request of its client, on this connection and no other.
   *
   * @throws StoreUnavailable
   */
  open(session: LiveSession, opening: Opening): Promise<Response>
  /** Resolves when what the streams left behind is written. */
  drain(): Promise<void>
  /** Streams that are open here. */
  readonly openStreams: number
}

const NAP = { stayMs: NAP_STAY_MS, retryMinMs: NAP_RETRY_MIN_MS, retryMaxMs: NAP_RETRY_MAX_MS }

/**
 * Serves the GET streams of sessions (2025-11-25, "Listening for Messages from the Server"). The newest connection
 * of a session has its stream, on whichever instance; each message goes out on one.
 */
export function createStandalone(deps: StandaloneDeps): Standalone {
  const { store, bus, wakes, streams, nap = NAP } = deps
  const here = new Map<string, StandaloneStream>()
  const saver = createSaver(store, (work) => deps.waitUntil?.(work))

  async function open(session: LiveSession, opening: Opening): Promise<Response> {
    if (!streams.makeRoom(session.accountId)) return noRoom()
    const conn = deps.random(12)
    const handover = createHandover(wakes, session.sid, conn)
    try {
      await wakes.ready()
      const { before, old } = await claim(session, opening, conn)
      const cursor =
        placeOf(opening.lastEventId) ??
        (await placeAfter(before, { old, handover, told: wakes.channel !== undefined }))
      if (!streams.makeRoom(session.accountId)) return noRoom()
      const stream = begin(session, { conn, held: { ...before, conn }, cursor })
      watch(stream, { session, conn, admitted: opening.admitted }, deps)
      if (handover.taken) await stream.check().catch(() => undefined)
      return stream.response
    } finally {
      handover.stop()
    }
  }

  /** Makes this connection the holder. */
  async function claim(session: LiveSession, { holder }: Opening, conn: string) {
    const { sid, accountId } = session
    const key = keys.mcpHolder(sid)
    const text = holder === undefined ? await store.run(get(key, { fresh: true })) : holder
    const tell = wakes.channel ? wakes.hint(key, takeNote(conn)) : [bus.note(accountId, sid, 'holder')]
    const before = await claimHolder(store, session, { conn, text, alongside: tell })
    const old = here.get(sid)
    old?.end('superseded')
    return { before, old }
  }

  function begin(session: LiveSession, { conn, held, cursor }: Begun): StandaloneStream {
    const { sid, accountId } = session
    const stream = createStandaloneStream({
      session,
      cursor,
      hold: createHold(store, { sid, conn, held }),
      save: saver.save,
      asksFirst: wakes.channel === undefined,
      napRetryMs: (naps) => Math.min(nap.retryMinMs * 2 ** Math.min(naps, 20), nap.retryMaxMs),
      async readSubscriptions() {
        const preferences = await readRecord(store, keys.mcpPreferences(sid), SessionPreferences)
        return new Set(preferences?.subscriptions)
      },
    })
    here.set(sid, stream)
    stream.signal.addEventListener('abort', () => {
      if (here.get(sid) === stream) here.delete(sid)
    })
    bus.follow(accountId, { after: cursor, onEntries: stream.take, onLost: stream.tellAll }, stream.signal)
    return stream
  }

  return {
    open,
    drain: saver.drained,
    get openStreams() {
      return here.size
    },
  }
}

interface Begun {
  readonly conn: string
  readonly held: Holder
  readonly cursor: string
}

interface Watched {
  readonly session: LiveSession
  readonly conn: string
  readonly admitted: Admitted
}

/** Sees to it that a stream ends when it has to. */
function watch(stream: StandaloneStream, watched: Watched, deps: StandaloneDeps): void {
  const { wakes, streams, mode, busy, nap = NAP } = deps
  const { session, admitted } = watched
  const { sid, accountId } = session
  const check = () => void stream.check().catch(() => undefined)
  const asking = setInterval(() => void recheck(stream, admitted), STREAM_RECHECK_MS)
  const stops = [
    () => clearInterval(asking),
    streams.hold({ accountId, atMostSeconds: admitted.secondsLeft, end: stream.end }),
    wakes.listen(keys.mcpEnded(sid), { onWake: check, onGap: check }),
    wakes.listen(keys.mcpHolder(sid), {
      onWake: ({ id }) => giveWay(stream, { ...watched, taker: takerOf(id) }, deps),
      onGap: check,
    }),
    ...(mode === 'nap' ? [napWhenIdle(stream, nap.stayMs, () => busy?.(sid) ?? false)] : []),
  ]
  stream.signal.addEventListener('abort', () => {
    for (const stop of stops) stop()
  })
}

/** Another connection takes over: it is told how far this one got. */
function giveWay(
  stream: StandaloneStream,
  { session, conn, taker }: Watched & { readonly taker: string | undefined },
  { store, wakes, waitUntil }: StandaloneDeps,
): void {
  if (taker === undefined || taker === conn || stream.signal.aborted) return
  stream.end('superseded')
  const word = store.batch(...wakes.hint(keys.mcpHolder(session.sid), leftNote(taker, stream.cursor)))
  waitUntil?.(word.catch(() => undefined))
}

/** Where to begin when the client does not say: after what it was told, as far as anybody knows. */
async function placeAfter(
  before: Holder,
  how: { readonly old: StandaloneStream | undefined; readonly handover: Handover; readonly told: boolean },
): Promise<string> {
  const somewhereElse = before.conn !== '' && !how.old && how.told
  const word = how.old?.cursor ?? (somewhereElse ? await how.handover.word() : undefined)
  return word && isLater(word, before.cursor) ? word : before.cursor
}

/** The place that a client names; anything else is no place of this stream. */
function placeOf(lastEventId: string | undefined): string | undefined {
  const head = eventIdOf('')
  const cursor = lastEventId?.startsWith(head) ? lastEventId.slice(head.length) : ''
  return isEntryId(cursor) ? cursor : undefined
}

/** A stream must not outlive its connection. While the store is out of reach nobody can tell: it goes on. */
async function recheck(stream: StandaloneStream, admitted: Admitted): Promise<void> {
  if (!(await admitted.stillAdmitted().catch(() => true))) stream.end('refused')
  else await stream.check().catch(() => undefined)
}

/** Ends a stream when nothing was said for a while and nothing runs. Returns what stops that. */
function napWhenIdle(stream: StandaloneStream, stayMs: number, busy: () => boolean): () => void {
  let { told } = stream
  const looking = setInterval(() => {
    if (stream.told === told && !busy()) stream.end('nap')
    told = stream.told
  }, stayMs)
  return () => clearInterval(looking)
}

const noRoom = () =>
  rpcError({
    status: 503,
    message: 'Too many streams are open here',
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  })
