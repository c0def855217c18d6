import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { STREAM_KEEP_ALIVE_MS, STREAM_UNREAD_MAX_BYTES } from '#lib/config/limits'

/** A stream of events on its way to one client (MCP, Streamable HTTP). */
export interface EventStream {
  readonly response: Response
  /** Whether anybody reads it and it has not ended. */
  readonly open: boolean
  /** Sends a message as one event, with an id where it can be resumed. `false`: nobody reads any more. */
  send(message: JSONRPCMessage, id?: string): boolean
  /** Tells the client where it is and when to come back: `id`, `retry` in ms, empty data. */
  prime(id: string, retryMs: number): void
  /** Ends the stream; with a place and a pause, so that the client comes back for the rest. */
  end(polite?: { readonly id: string; readonly retryMs: number }): void
  /** Much is left unread: a writer with more to say had better wait for `drained`. */
  readonly congested: boolean
  /** Resolves when little is left unread, or the stream is over: a writer with much to say waits for it. */
  drained(): Promise<void>
  /** Called once, when the reader left or was dropped; not when we end the stream. */
  onGone(callback: () => void): void
}

interface EventStreamOptions {
  /**
   * Whether the client takes an event with an id and no data (2025-11-25, SEP-1699). Clients of older revisions
   * parse every event as a message, so `prime` and a polite end tell them `retry` only.
   */
  readonly primes?: boolean
  /** Beyond this the reader is dropped. */
  readonly unreadMaxBytes?: number
  readonly headers?: HeadersInit
}

const SSE_HEADERS = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }

/**
 * Opens a stream of events that outlives its reader: what is sent after the client left goes nowhere. A client
 * that does not read is dropped at a mark instead of filling the memory; one message may be larger than that.
 */
export function openEventStream(options: EventStreamOptions = {}): EventStream {
  const { primes = true, unreadMaxBytes = STREAM_UNREAD_MAX_BYTES } = options
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let gone: (() => void) | undefined
  let waiting: (() => void)[] = []
  const unread = () => unreadMaxBytes - (controller?.desiredSize ?? unreadMaxBytes)

  const body = new ReadableStream<Uint8Array>(
    {
      start(opened) {
        controller = opened
      },
      pull() {
        if (unread() <= unreadMaxBytes / 2) wake()
      },
      cancel: leave,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: unreadMaxBytes }),
  )
  const keepAlive = setInterval(() => {
    // What is still on its way keeps the connection open by itself.
    if (unread() === 0) push(': keepalive\n\n')
  }, STREAM_KEEP_ALIVE_MS)

  function push(text: string): boolean {
    if (!controller) return false
    if (unread() >= unreadMaxBytes) {
      controller.error(new Error('the client does not read its stream'))
      leave()
      return false
    }
    controller.enqueue(encoder.encode(text))
    return true
  }

  function wake(): void {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }

  function stop(): void {
    clearInterval(keepAlive)
    controller = undefined
    wake()
  }

  function leave(): void {
    stop()
    gone?.()
  }

  const place = (id: string, retryMs: number) =>
    push(primes ? `id: ${id}\nretry: ${retryMs}\ndata: \n\n` : `retry: ${retryMs}\n\n`)

  return {
    response: new Response(body, { headers: { ...SSE_HEADERS, ...options.headers } }),
    get open() {
      return controller !== undefined
    },
    send(message, id) {
      const head = id === undefined ? '' : `id: ${id}\n`
      return push(`event: message\n${head}data: ${JSON.stringify(message)}\n\n`)
    },
    prime: place,
    end(polite) {
      if (polite) place(polite.id, polite.retryMs)
      controller?.close()
      stop()
    },
    get congested() {
      return unread() > unreadMaxBytes / 2
    },
    drained: () =>
      unread() > unreadMaxBytes / 2 ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(),
    onGone(callback) {
      gone = callback
    },
  }
}
