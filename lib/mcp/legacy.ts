import {
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCRequest,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { BATCH_MAX_MESSAGES } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { Admitted } from '#lib/mcp/admitted'
import { createLegacyExchange } from '#lib/mcp/legacy-transport'
import { INVALID_REQUEST, type RpcFailure, rpcError } from '#lib/mcp/rpc-error'
import type { ServerFactory } from '#lib/mcp/server'

/** The one revision that knew batches, and the one that sent no version header. */
const BATCH_VERSION = '2025-03-26'

/**
 * Serves a POST of the 2025 revisions (2024-11-05 clients speak the same over this transport) without a
 * session: a server of its own answers it and is gone. Sessions will take this place, behind the same
 * signature.
 */
export async function serveLegacy(admitted: Admitted, factory: ServerFactory): Promise<Response> {
  const read = readMessages(admitted)
  if (!read.ok) return rpcError(read.error)

  const { requests, batch } = read.value
  // Notifications and answers of a client without a session have no receiver.
  if (requests.length === 0) return new Response(null, { status: 202 })

  let challenged: readonly string[] | undefined
  const server = factory.create({
    era: 'legacy',
    requests,
    caller: admitted.caller,
    requestId: admitted.requestId,
    streams: false,
    // Of a batch each request may ask for something else: one challenge names all of it.
    challenge: (scopes) => {
      challenged = [...new Set([...(challenged ?? []), ...scopes])]
    },
    publish: admitted.publish,
  })
  for (const request of requests) await server.resolveScopeChallenge({ request })
  if (challenged) return admitted.insufficientScope(challenged)

  const exchange = createLegacyExchange(requests, batch)
  await server.connect(exchange.transport)
  exchange.start()
  const closed = exchange.finished.then(() => server.close())
  const response = await exchange.response
  // A stream has only begun; a JSON answer is all there is.
  if (response.headers.get('Content-Type') === 'text/event-stream') admitted.afterResponse(closed)
  return response
}

interface Messages {
  readonly requests: readonly JSONRPCRequest[]
  readonly batch: boolean
}

function readMessages({ request, body }: Admitted): Result<Messages, RpcFailure> {
  const batch = Array.isArray(body)
  const messages: readonly unknown[] = batch ? body : [body]
  const version = request.headers.get('mcp-protocol-version')

  // Only `initialize` may name a version we do not know: it is answered with one that we do.
  if (
    version !== null &&
    !SUPPORTED_PROTOCOL_VERSIONS.includes(version) &&
    !messages.some(isInitializeRequest)
  ) {
    const supported = SUPPORTED_PROTOCOL_VERSIONS.join(', ')
    return err({
      status: 400,
      message: `Unsupported MCP-Protocol-Version. Supported: ${supported}`,
      id: null,
    })
  }
  const fault = batch ? batchFault(messages, version) : undefined
  if (fault !== undefined || !messages.every(isMessage)) {
    const message = fault ?? 'The body is not a JSON-RPC message'
    return err({ status: 400, code: INVALID_REQUEST, message, id: null })
  }
  return ok({ requests: messages.filter(isJSONRPCRequest), batch })
}

function batchFault(messages: readonly unknown[], version: string | null): string | undefined {
  if (version !== null && version !== BATCH_VERSION) return 'This protocol version has no batches'
  if (messages.length > BATCH_MAX_MESSAGES) return `A batch has at most ${BATCH_MAX_MESSAGES} messages`
  if (messages.some(isInitializeRequest)) return 'initialize must not be part of a batch'

  const ids = messages.filter(isJSONRPCRequest).map(({ id }) => id)
  return new Set(ids).size < ids.length ? 'Two requests of the batch have the same id' : undefined
}

const isMessage = (message: unknown) =>
  isJSONRPCRequest(message) || isJSONRPCNotification(message) || isJSONRPCResponse(message)
