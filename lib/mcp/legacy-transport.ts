import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import { JSON_ANSWER_WINDOW_MS, STREAM_KEEP_ALIVE_MS } from '#lib/config/limits'
import { INVALID_PARAMS, RESOURCE_NOT_FOUND } from '#lib/mcp/rpc-error'

type Answer = JSONRPCResultResponse | JSONRPCErrorResponse

/** One POST of the 2025 era on its way through a server of its own. */
export interface LegacyExchange {
  readonly transport: Transport
  /** Hands the requests to the connected server. */
  start(): void
  readonly response: Promise<Response>
  /** Settles when every request has its answer, also after the client is gone. */
  readonly finished: Promise<void>
}

const SSE_HEADERS = {
  'Content-Type': 'text/event-stream',
  'X-Accel-Buffering': 'no',
}

/**
 * Carries the requests of one POST. The answer is plain JSON if nothing else is said and it comes soon;
 * otherwise a stream, which carries notifications and ends with the answers (2025-11-25, Streamable HTTP,
 * "Sending Messages to the Server").
 *
 * Without a session nobody could bring back the client's answer, so the server's own requests fail at once
 * instead of waiting for ever.
 */
export function createLegacyExchange(requests: readonly JSONRPCRequest[], batch: boolean): LegacyExchange {
  const waiting = new Set(requests.map((request) => request.id))
  const answers: Answer[] = []
  const response = deferred<Response>()
  const finished = deferred<void>()
  let stream: EventStream | undefined

  function upgrade(): EventStream {
    if (stream) return stream
    stream = openEventStream()
    response.resolve(new Response(stream.body, { headers: SSE_HEADERS }))
    return stream
  }

  function answer(message: Answer): void {
    if (message.id === undefined || !waiting.delete(message.id)) return
    const spelled = resourceNotFound(message, requests) ?? message
    if (stream) stream.write(spelled)
    else answers.push(spelled)
    if (waiting.size > 0) return

    clearTimeout(window)
    if (stream) stream.end()
    else response.resolve(Response.json(batch ? answers : answers[0]))
    finished.resolve()
  }

  const window = setTimeout(() => {
    const open = upgrade()
    for (const early of answers) open.write(early)
  }, JSON_ANSWER_WINDOW_MS)

  const transport: Transport = {
    async start() {},
    async send(message, options) {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) answer(message)
      else if (isJSONRPCRequest(message)) throw new Error('This client cannot be asked: it has no session.')
      else if (isOurs(options?.relatedRequestId, waiting)) upgrade().write(message)
    },
    async close() {
      transport.onclose?.()
    },
  }

  return {
    transport,
    start: () => {
      for (const request of requests) transport.onmessage?.(request)
    },
    response: response.promise,
    finished: finished.promise,
  }
}

/** The SDK has only the code of 2026-07-28 for this (-32602); until 2025-11-25 it was one of its own. */
function resourceNotFound(message: Answer, requests: readonly JSONRPCRequest[]): Answer | undefined {
  if (!isJSONRPCErrorResponse(message) || message.error.code !== INVALID_PARAMS) return undefined
  const { uri, reason } = (message.error.data ?? {}) as { readonly uri?: unknown; readonly reason?: unknown }
  const request = requests.find(({ id }) => id === message.id)
  if (request?.method !== 'resources/read' || uri === undefined || reason !== undefined) return undefined
  return { ...message, error: { ...message.error, code: RESOURCE_NOT_FOUND } }
}

/** Notifications about no request in particular belong on the session's stream, and there is none. */
function isOurs(related: RequestId | undefined, waiting: ReadonlySet<RequestId>): boolean {
  return related !== undefined && waiting.has(related)
}

interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  write(message: JSONRPCMessage): void
  end(): void
}

/** A stream of events that outlives its reader: what is written after the client left goes nowhere. */
function openEventStream(): EventStream {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened
    },
    cancel() {
      stop()
    },
  })
  const keepAlive = setInterval(() => push(': keepalive\n\n'), STREAM_KEEP_ALIVE_MS)
  const push = (text: string) => controller?.enqueue(encoder.encode(text))

  function stop(): void {
    clearInterval(keepAlive)
    controller = undefined
  }

  return {
    body,
    write: (message) => push(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
    end() {
      controller?.close()
      stop()
    },
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve: (value) => resolve(value) }
}
