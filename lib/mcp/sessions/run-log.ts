import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { RUN_DONE_MS, RUN_FLUSH_MS, RUN_FRAME_MAX_BYTES, RUN_LOG_KEEP, RUN_MS } from '#lib/config/limits'
import { formatRunPlace, isAfter, logId, type RunPlace } from '#lib/mcp/sessions/event-id'
import { jsonLength } from '#lib/mcp/sessions/json-length'
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
  let waiting: Numbered[] = []
  let told = false
  /** The number up to which a write went out and was never answered. */
  let doubtful: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let flushMs = RUN_FLUSH_MS
  let last: Promise<unknown> = Promise.resolve()

  async function writePart(
    frames: readonly Numbered[],
    { first = [], last: after = [], end = false }: Flush,
  ) {
    const says = frames.length > 0 || end
    // An end without a frame has a number of its own.
    if (end && frames.length === 0) seq += 1
    const upTo = frames.at(-1)?.[0] ?? seq
    const how = { log, id: logId({ epoch, seq: upTo }), end, tell: told ? channel : undefined }
    const operations = [...first, ...(says ? [entryOf(frames, how)] : []), ...after]
    if (operations.length === 0) return { answers: [], stale: false }
    const answers = await store.batch(...operations).catch((error: unknown) => {
      doubtful = upTo
      throw error
    })
    // What was written although nobody answered refuses its own repetition.
    const stale = says && isStale(answers[first.length]) && doubtful !== upTo
    doubtful = undefined
    return { answers: answers.slice(0, first.length), stale }
  }

  /** What waits, in as many entries as a request to the store can carry one each. */
  async function write(how: Flush): Promise<Flushed> {
    clearTimeout(timer)
    timer = undefined
    const parts = inParts(waiting)
    waiting = []
    try {
      while (parts.length > 1) {
        const { stale } = await writePart(parts[0] ?? [], {})
        if (stale) return { answers: [], stale }
        parts.shift()
      }
      return await writePart(parts[0] ?? [], how)
    } catch (error) {
      waiting = [...parts.flat(), ...waiting]
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

function entryOf(
  frames: readonly Numbered[],
  { log, id, end, tell }: { log: string; id: string; end: boolean; tell: string | undefined },
): Operation {
  const data = JSON.stringify({ m: frames.map(bounded), ...(end ? { end: 1 } : {}) })
  const ttlMs = end ? RUN_DONE_MS : RUN_MS
  return append(log, data, { id, keep: RUN_LOG_KEEP, ttlMs, ...(tell === undefined ? {} : { tell }) })
}

const isStale = (appended: unknown) => (appended as { readonly stale?: true } | undefined)?.stale === true

type Numbered = readonly [seq: number, message: JSONRPCMessage]

/** Frames in order, together up to about the size of the largest single one. */
function inParts(frames: readonly Numbered[]): Numbered[][] {
  const parts: Numbered[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const frame of frames) {
    const length = jsonLength(frame)
    if (size + length > RUN_FRAME_MAX_BYTES) {
      parts.push([])
      size = 0
    }
    parts.at(-1)?.push(frame)
    size += length
  }
  return parts
}

/** A frame too large for the log still reaches a client that is connected. */
function bounded(frame: Numbered): Numbered {
  const [seq, message] = frame
  if (jsonLength(message) <= RUN_FRAME_MAX_BYTES) return frame
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
