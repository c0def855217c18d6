/** An error answer of the endpoint itself, before or instead of a result. */
export interface RpcFailure {
  readonly status: number
  /** JSON-RPC code; -32000 where neither JSON-RPC nor MCP has a better one. */
  readonly code?: number
  readonly message: string
  readonly data?: unknown
  /** Absent: no request is being answered, and the body has no `id` (Streamable HTTP, "Sending Messages"). */
  readonly id?: string | number | null
  readonly headers?: Readonly<Record<string, string>>
}

export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
export const INVALID_PARAMS = -32602
/** 2026-07-28: headers and body of a request disagree. */
export const HEADER_MISMATCH = -32020
/** 2025 revisions: `resources/read` of something that is not there. */
export const RESOURCE_NOT_FOUND = -32002
const SERVER_ERROR = -32000

/** A JSON-RPC error with its HTTP status. */
export function rpcError({ status, code, message, data, id, headers }: RpcFailure): Response {
  const error = { code: code ?? SERVER_ERROR, message, ...(data === undefined ? {} : { data }) }
  return Response.json(
    { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error },
    headers ? { status, headers } : { status },
  )
}
