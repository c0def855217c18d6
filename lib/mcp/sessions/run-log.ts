import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { RUN_DONE_MS, RUN_FLUSH_MS, RUN_FRAME_MAX_BYTES, RUN_LOG_KEEP, RUN_MS } from '#lib/config/limits'
import { formatRunPlace, isAfter, logId, type RunPlace } from '#lib/mcp/sessions/event-id'
import { keys } from '#lib/store/keys'
import { append } from '#lib/store/operations'
import type { Entry, Operation, Store } from '#lib/store/port'

/** Frames that were logged together: their numbers with their messages, and whether the stream ends with them. */
const EntrySchema = z.object({
  m: z.array(z.tuple([z.number(), z.custom<JSONRPCMessage>((value) => typeof value === 'object')])),
  end: z.literal(1).optional(),
})

/** A frame of a stream, as its readers send it. */
export interface Frame {
  readonly eventId: string
  readonly place: RunPlace
  readonly message: JSONRPCMessage
}

/** The log of one run, as its writer uses it. There is one writer an epoch; a stale one is refused. */
export interface RunLog {
  /** Numbers a frame and keeps it for the next flush. */
  add(message: JSONRPCMessage): Frame
  /** The place of the last frame. */
  readonly place: RunPlace
  /** From now on somebody else reads: appended frames are told. */
  tellReaders(): void
  /** Writes what is waiting. Rejects when the store is out of reach; what was to be written then waits on. */
  flush(how?: Flush): Promise<Flushed>
  /** From now on every frame is written at once: the process may be killed. */
  hurry(): void
  close(): void
}

/** What else one request carries: operations before and after the frames, and whether these are the last. */
export interface Flush {
  readonly first?: readonly Operation[]
  readonly last?: readonly Operation[]
  readonly end?: boolean
}

/** Answers to `first`, and whether another instance has taken the run over. */
export interface Flushed {
  readonly answers: readonly unknown[]
  readonly stale: boolean
}

/** What a log is made of. */
export interface RunLogDeps {
  readonly store: Store
  /** The channel of wake-ups; absent: they are off. */
  readonly channel: string | undefined
  /** The lazy flush failed or was refused. */
  readonly onFlushed: (outcome: Flushed | { readonly fault: unknown }) => void
}

/** Begins the log of a run in an epoch. */
export function openRunLog(
  { sid, xid, epoch }: { readonly sid: string; readonly xid: string; readonly epoch: number },
  { store, channel, onFlushed }: RunLogDeps,
): RunLog {
  const log = keys.mcpRunLog(sid, xid)
  let seq = 0
  let waiting: (readonly [number, JSONRPCMessage])[] = []
  let told = false
  /** The number up to which a write went out and was never answered. */
  let doubtful: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let flushMs = RUN_FLUSH_MS
  let last: Promise<unknown> = Promise.resolve()

  function entry(end: boolean): Operation[] {
    const frames = waiting
    waiting = []
    if (frames.length === 0 && !end) return []
    // An end without a frame has a number of its own.
    if (frames.length === 0) seq += 1
    const data = JSON.stringify({ m: frames.map(bounded), ...(end ? { end: 1 } : {}) })
    return [
      append(log, data, {
        id: logId({ epoch, seq }),
        keep: RUN_LOG_KEEP,
        ttlMs: end ? RUN_DONE_MS : RUN_MS,
        ...(told && channel !== undefined ? { tell: channel } : {}),
      }),
    ]
  }

  async function write({ first = [], last: after = [], end = false }: Flush): Promise<Flushed> {
    clearTimeout(timer)
    timer = undefined
    const kept = waiting
    const entries = entry(end)
    if (first.length + entries.length + after.length === 0) return { answers: [], stale: false }
    try {
      const answers = await store.batch(...first, ...entries, ...after)
      const appended = answers[first.length] as { readonly stale?: true } | undefined
      // What was written although nobody answered refuses its own repetition.
      const stale = entries.length > 0 && appended?.stale === true && doubtful !== seq
      doubtful = undefined
      return { answers: answers.slice(0, first.length), stale }
    } catch (error) {
      doubtful = seq
      waiting = [...kept, ...waiting]
      throw error
    }
  }

  /** One write after the other: a log's ids only grow. */
  function flush(how: Flush = {}): Promise<Flushed> {
    const written = last.then(() => write(how))
    last = written.catch(() => undefined)
    return written
  }

  return {
    add(message) {
      seq += 1
      waiting.push([seq, message])
      timer ??= setTimeout(
        () => void flush().then(onFlushed, (fault: unknown) => onFlushed({ fault })),
        flushMs,
      )
      const place = { xid, epoch, seq }
      return { eventId: formatRunPlace(place), place, message }
    },
    get place() {
      return { xid, epoch, seq }
    },
    tellReaders: () => {
      told = true
    },
    flush,
    hurry: () => {
      flushMs = 0
    },
    close: () => clearTimeout(timer),
  }
}

/** A frame too large for the log still reaches a client that is connected. */
function bounded(frame: readonly [number, JSONRPCMessage]): readonly [number, JSONRPCMessage] {
  const [seq, message] = frame
  if (JSON.stringify(message).length <= RUN_FRAME_MAX_BYTES) return frame
  if (!('id' in message) || 'method' in message) return [seq, notice]
  const error = { code: -32_603, message: 'The result is too large to be delivered again' }
  return [seq, { jsonrpc: '2.0', id: message.id, error } as JSONRPCMessage]
}

const notice: JSONRPCMessage = {
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'warning', data: 'A notification was too large to be delivered again' },
}

/** Frames of a log's entries that come after a place, each once, and whether the stream has ended. */
export function readFrames(entries: readonly Entry[], after: RunPlace): { frames: Frame[]; ended: boolean } {
  const { xid } = after
  const frames: Frame[] = []
  let last = after
  let ended = false
  for (const { id, data } of entries) {
    const { m, end } = EntrySchema.parse(JSON.parse(data))
    const epoch = Number(id.split('-')[0])
    for (const [seq, message] of m) {
      const place = { xid, epoch, seq }
      // A write whose answer was lost stands in the log again, together with what came after it.
      if (!isAfter(place, last)) continue
      last = place
      frames.push({ eventId: formatRunPlace(place), place, message })
    }
    if (end) ended = true
  }
  return { frames, ended }
}
