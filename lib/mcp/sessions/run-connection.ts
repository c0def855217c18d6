import { RETRY_MS, RETRY_SOON_MS, STREAM_RECHECK_MS } from '#lib/config/limits'
import { deferred } from '#lib/core/deferred'
import type { Random } from '#lib/core/random'
import { type EventStream, openEventStream } from '#lib/mcp/live/event-stream'
import { formatRunPlace, type RunPlace } from '#lib/mcp/sessions/event-id'
import type { Frame } from '#lib/mcp/sessions/run-log'
import { canBePrimed, type LiveSession } from '#lib/mcp/sessions/session'

/** One client connection that carries the frames of a run, whether it runs here or is only read here. */
export interface RunConnection {
  /** Names it to other instances. */
  readonly id: string
  readonly response: Promise<Response>
  readonly open: boolean
  /** Answers without a stream. */
  answer(response: Response): void
  /** The last frame that was sent, or where the stream began. */
  readonly place: RunPlace | undefined
  /**
   * Begins the stream at a place. Without a log nothing can be read again, and no frame gets an id. Answers like
   * `send`, for the frames that waited.
   */
  begin(from: RunPlace, how: { readonly logged: boolean }): boolean
  /**
   * `false`: so much is unread that it was not sent. From then on the log is read from `place` on, when
   * `drained`.
   */
  send(frame: Frame): boolean
  /** Resolves when little is unread, or the connection is over. */
  drained(): Promise<void>
  /** Ends it: all is said, or somebody else reads. */
  end(): void
  /** Ends it so that the client comes back for the rest. */
  endPolitely(): void
  /** Nothing more goes out here, for whatever reason. */
  onEnded(callback: () => void): void
  /** The client left, or the connection was ended politely: frames from now on are for other readers. */
  onLeft(callback: () => void): void
}

/** What a connection needs to know. */
export interface RunConnectionHow {
  readonly session: LiveSession
  readonly random: Random
  /** Ends politely after this: the platform would cut it. */
  readonly maxSeconds: number
  /** Whether the caller may still be served; it is asked now and then. */
  readonly stillAdmitted: () => Promise<boolean>
}

/** Makes the connection of one request. Frames that are sent before `begin` wait for it. */
export function createRunConnection(how: RunConnectionHow): RunConnection {
  const answered = deferred<Response>()
  const early: Frame[] = []
  let id: string | undefined
  let stream: EventStream | undefined
  let state: 'waiting' | 'open' | 'closed' = 'waiting'
  let logged = true
  let last: RunPlace | undefined
  let stopTimers = (): void => undefined
  const left: (() => void)[] = []
  const ended: (() => void)[] = []

  function close(polite: boolean): void {
    if (state === 'closed') return
    state = 'closed'
    stopTimers()
    for (const callback of ended.splice(0)) callback()
    if (!stream) answered.resolve(emptyStream())
    else if (polite && logged && last) stream.end({ id: formatRunPlace(last), retryMs: RETRY_SOON_MS })
    else stream.end()
  }

  /** Ends it for frames that other readers may still want. */
  function leave(polite: boolean): void {
    close(polite)
    for (const callback of left.splice(0)) callback()
  }

  function write({ eventId, message, place }: Frame): boolean {
    if (logged && stream?.congested) return false
    last = place
    stream?.send(message, logged ? eventId : undefined)
    return true
  }

  const connection: RunConnection = {
    get id() {
      id ??= how.random(12)
      return id
    },
    response: answered.promise,
    get open() {
      return state !== 'closed'
    },
    get place() {
      return last
    },
    answer(response) {
      state = 'closed'
      answered.resolve(response)
    },
    begin(from, begin) {
      if (state !== 'waiting') return true
      state = 'open'
      logged = begin.logged
      last = from
      stream = openEventStream({ primes: canBePrimed(how.session) })
      stream.onGone(() => leave(false))
      if (logged) stream.prime(formatRunPlace(from), RETRY_MS)
      const all = early.splice(0).every(write)
      if (state === 'open') stopTimers = limitLife(how, leave)
      answered.resolve(stream.response)
      return all
    },
    send(frame) {
      if (state === 'waiting') early.push(frame)
      return state !== 'open' || write(frame)
    },
    drained: async () => stream?.drained(),
    end: () => close(false),
    endPolitely: () => leave(true),
    onEnded: (callback) => void ended.push(callback),
    onLeft: (callback) => void left.push(callback),
  }
  return connection
}

/**
 * A stream ends in time, and does not outlive its connection. While the store is out of reach nobody can tell: it
 * goes on. Returns what stops that.
 */
function limitLife(
  { maxSeconds, stillAdmitted }: RunConnectionHow,
  leave: (polite: boolean) => void,
): () => void {
  async function recheck(): Promise<void> {
    if (!(await stillAdmitted().catch(() => true))) leave(false)
  }
  const end = setTimeout(() => leave(true), maxSeconds * 1000)
  const asking = setInterval(() => void recheck(), STREAM_RECHECK_MS)
  return () => {
    clearTimeout(end)
    clearInterval(asking)
  }
}

/** The answer to a request that was cancelled: there is nothing to say (2025-11-25, "Cancellation"). */
function emptyStream(): Response {
  const stream = openEventStream()
  stream.end()
  return stream.response
}
