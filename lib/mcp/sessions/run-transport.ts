import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type McpServer,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import { deferred } from '#lib/core/deferred'
import { INVALID_PARAMS, RESOURCE_NOT_FOUND } from '#lib/mcp/rpc-error'
import { canAnswer } from '#lib/mcp/sessions/client-abilities'
import { formatWireId, parseWireId } from '#lib/mcp/sessions/event-id'
import { reaches } from '#lib/mcp/sessions/records'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { textMember } from '#lib/mcp/text-member'

export type Answer = JSONRPCResultResponse | JSONRPCErrorResponse

/** Where the messages of a server go. */
export interface Outgoing {
  /** The answer to a request of the client. */
  answer(message: Answer): void
  /** A request of ours, under an id that is unique in the session. Resolves when it cannot be lost any more. */
  ask(message: JSONRPCRequest): Promise<void>
  /** About a request of the client: on the stream that answers it. */
  notify(message: JSONRPCNotification): void
  /** About none: on the session's own stream. */
  announce(message: JSONRPCNotification): void
  /** A handler asked to have its stream closed; the client comes back for the rest (SEP-1699). */
  closeStream(): void
}

/** A server that serves the requests of one run. */
export interface Served {
  /** Tells the server whom it serves, then hands it the requests. */
  start(requests: readonly JSONRPCRequest[]): Promise<void>
  /** A message of the client to this run: a response, progress, a cancellation. */
  receive(message: JSONRPCMessage): void
  close(): Promise<void>
}

/** The id of the `initialize` that we replay. A client may use it as well: ours is the first that is answered. */
const HYDRATION = 'gatehouse:initialize'

/**
 * Connects a fresh server to a session. Each server counts its own requests from 0, so their ids are
 * rewritten on the way out and mapped back on the way in; progress tokens and cancellations with them.
 */
export async function serveRun(
  server: McpServer,
  {
    session,
    xid,
    epoch,
    pushes,
    outgoing,
  }: {
    readonly session: LiveSession
    readonly xid: string
    readonly epoch: number
    /** Whether the server has to know its client (`ServerFactory.pushes`). */
    readonly pushes: boolean
    readonly outgoing: Outgoing
  },
): Promise<Served> {
  const hydrated = deferred<void>()
  let hydrating = pushes
  const wire = (id: RequestId) => formatWireId({ xid, epoch, parked: false, n: Number(id) })

  async function sendRequest(message: JSONRPCRequest): Promise<void> {
    if (!canAnswer(session.capabilities, message)) {
      throw new Error(`The client did not declare that it answers ${message.method}`)
    }
    await outgoing.ask({ ...message, id: wire(message.id), ...withToken(message, wire) })
  }

  function sendNotification(message: JSONRPCNotification, related: RequestId | undefined): void {
    const { method, params } = message
    if (method === 'notifications/message' && !reaches(textMember(params, 'level'), session.level)) return
    if (method === 'notifications/cancelled') {
      const requestId = wire(params?.['requestId'] as RequestId)
      outgoing.notify({ ...message, params: { ...params, requestId } })
    } else if (related !== undefined || method === 'notifications/progress') outgoing.notify(message)
    else outgoing.announce(message)
  }

  const transport: Transport = {
    sessionId: session.sid,
    async start() {},
    async send(message, options) {
      // The SDK's own messages: their form is known.
      if (!('method' in message)) {
        if (!hydrating) return outgoing.answer(message)
        hydrating = false
        hydrated.resolve()
      } else if ('id' in message) await sendRequest(message)
      else sendNotification(message, options?.relatedRequestId)
    },
    async close() {
      transport.onclose?.()
    },
  }
  await server.connect(transport)

  return {
    async start(requests) {
      if (pushes) {
        transport.onmessage?.(initializeOf(session))
        await hydrated.promise
      }
      const extra = { closeSSEStream: () => outgoing.closeStream() }
      for (const request of requests) transport.onmessage?.(request, extra)
    },
    receive(message) {
      const inner = inward(message, epoch)
      if (inner) transport.onmessage?.(inner)
    },
    close: () => server.close(),
  }
}

/** What the session's client said when it opened it, as far as it matters to a server. */
function initializeOf({ revision, capabilities, client }: LiveSession): JSONRPCRequest {
  const params = { protocolVersion: revision, capabilities, clientInfo: client }
  return { jsonrpc: '2.0', id: HYDRATION, method: 'initialize', params }
}

/** The SDK names progress by the id of the request, which is ours to rewrite. */
function withToken({ params }: JSONRPCRequest, wire: (id: RequestId) => string): Partial<JSONRPCRequest> {
  const token = params?._meta?.progressToken
  return token === undefined
    ? {}
    : { params: { ...params, _meta: { ...params?._meta, progressToken: wire(token) } } }
}

/** A client's message with the ids that the server knows; `undefined` for what this server did not ask. */
function inward(message: JSONRPCMessage, epoch: number): JSONRPCMessage | undefined {
  if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
    const id = parseWireId(message.id)
    return id?.epoch === epoch ? { ...message, id: id.n } : undefined
  }
  if (!('method' in message) || message.method !== 'notifications/progress') return message
  const token = parseWireId(message.params?.['progressToken'])
  if (token?.epoch !== epoch) return undefined
  return { ...message, params: { ...message.params, progressToken: token.n } }
}

/** The SDK has only the code of 2026-07-28 for this (-32602); until 2025-11-25 it was one of its own. */
export function spelledForLegacy(message: Answer, request: JSONRPCRequest | undefined): Answer {
  if (!isJSONRPCErrorResponse(message) || message.error.code !== INVALID_PARAMS) return message
  const { uri, reason } = (message.error.data ?? {}) as { readonly uri?: unknown; readonly reason?: unknown }
  if (request?.method !== 'resources/read' || uri === undefined || reason !== undefined) return message
  return { ...message, error: { ...message.error, code: RESOURCE_NOT_FOUND } }
}
