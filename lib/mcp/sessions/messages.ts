import {
  isInitializeRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCErrorResponse,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'
import { BATCH_MAX_MESSAGES, REQUEST_ID_MAX_LENGTH } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import { INVALID_REQUEST, type RpcFailure } from '#lib/mcp/rpc-error'

/** The one revision that knew batches. */
const BATCH_VERSION = '2025-03-26'

/** What a POST of the 2025 era brought. */
export interface Messages {
  readonly requests: readonly JSONRPCRequest[]
  readonly notifications: readonly JSONRPCNotification[]
  readonly responses: readonly (JSONRPCResultResponse | JSONRPCErrorResponse)[]
  readonly batch: boolean
  readonly initialize: boolean
}

/** Reads the messages of a POST; what is no message of JSON-RPC, or stands in no such revision, is refused. */
export function readMessages(request: Request, body: unknown): Result<Messages, RpcFailure> {
  const batch = Array.isArray(body)
  const messages: readonly unknown[] = batch ? body : [body]
  const version = request.headers.get('mcp-protocol-version')
  const initialize = messages.some(isInitialize)

  // Only `initialize` may name a version we do not know: it is answered with one that we do.
  if (version !== null && !SUPPORTED_PROTOCOL_VERSIONS.includes(version) && !initialize) {
    const supported = SUPPORTED_PROTOCOL_VERSIONS.join(', ')
    const message = `Unsupported MCP-Protocol-Version. Supported: ${supported}`
    return err({ status: 400, message, id: null })
  }
  const fault = batch ? batchFault(messages, version) : idFault(messages)
  const sorted = fault === undefined ? sortMessages(messages) : undefined
  return sorted
    ? ok({ ...sorted, batch, initialize })
    : err(invalidRequest(fault ?? 'The body is not a JSON-RPC message'))
}

/** Messages by their kind; `undefined` when one is none. What matches no schema is what costs: each is tried once. */
function sortMessages(messages: readonly unknown[]) {
  const requests: JSONRPCRequest[] = []
  const notifications: JSONRPCNotification[] = []
  const responses: (JSONRPCResultResponse | JSONRPCErrorResponse)[] = []
  for (const message of messages) {
    if (isJSONRPCRequest(message)) requests.push(withoutAnswers(message))
    else if (isJSONRPCNotification(message)) notifications.push(message)
    else if (isJSONRPCResponse(message)) responses.push(message)
    else return undefined
  }
  return { requests, notifications, responses }
}

/** HTTP 400 with the JSON-RPC code for a request that is none. */
export const invalidRequest = (message: string): RpcFailure => ({
  status: 400,
  code: INVALID_REQUEST,
  message,
  id: null,
})

/** Whether a session of this revision may send batches. */
export const hasBatches = (revision: string): boolean => revision === BATCH_VERSION

function batchFault(messages: readonly unknown[], version: string | null): string | undefined {
  if (version !== null && version !== BATCH_VERSION) return 'This protocol version has no batches'
  if (messages.length > BATCH_MAX_MESSAGES) return `A batch has at most ${BATCH_MAX_MESSAGES} messages`
  if (messages.some(isInitialize)) return 'initialize must not be part of a batch'

  const ids = messages.filter(isJSONRPCRequest).map(({ id }) => id)
  if (new Set(ids).size < ids.length) return 'Two requests of the batch have the same id'
  return idFault(messages)
}

/** Its name first: what does not match the SDK's schema costs more than all the rest. */
const isInitialize = (message: unknown) =>
  (message as { readonly method?: unknown } | null)?.method === 'initialize' && isInitializeRequest(message)

function idFault(messages: readonly unknown[]): string | undefined {
  const ids = messages.filter(isJSONRPCRequest).map(({ id }) => `${id}`)
  return ids.some((id) => id.length > REQUEST_ID_MAX_LENGTH)
    ? `The id of a request has at most ${REQUEST_ID_MAX_LENGTH} characters`
    : undefined
}

/**
 * Answers to questions belong in responses in this era: in the parameters of a request only we put them, when
 * a parked call goes on.
 */
function withoutAnswers(request: JSONRPCRequest): JSONRPCRequest {
  const { params } = request
  if (!params || !('inputResponses' in params || 'requestState' in params)) return request
  const { inputResponses: _responses, requestState: _state, ...rest } = params
  return { ...request, params: rest }
}
