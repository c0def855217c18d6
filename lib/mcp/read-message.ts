import { isLegacyRequest } from '@modelcontextprotocol/server'
import { MCP_BODY_MAX_BYTES } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import { type BodyProblem, readJson } from '#lib/http/body'
import { PARSE_ERROR, type RpcFailure } from '#lib/mcp/rpc-error'

/** What a request says: a message with its era, or nothing (GET, DELETE). */
export interface Read {
  readonly body: unknown
  readonly legacy: boolean
}

/** Checks 4 and 5: the session or the body, then which era it speaks. */
export async function readMessage(request: Request): Promise<Result<Read, RpcFailure>> {
  if (request.method !== 'POST') {
    // Both belong to sessions of the 2025 era.
    if (!request.headers.has('mcp-session-id')) return err(noSession)
    if (request.method === 'GET' && !accepts(request, 'text/event-stream')) return err(notStreamable)
    return ok({ body: undefined, legacy: true })
  }
  const body = await readJson(request, MCP_BODY_MAX_BYTES)
  if (!body.ok) return err(bodyFailures[body.error])
  const legacy = await isLegacyRequest(request, body.value)
  return legacy && !acceptsBoth(request) ? err(notAcceptable) : ok({ body: body.value, legacy })
}

const noSession: RpcFailure = {
  status: 405,
  message: 'Without Mcp-Session-Id there is only POST',
  headers: { Allow: 'POST, OPTIONS' },
}

const notStreamable: RpcFailure = { status: 406, message: 'Accept must list text/event-stream' }

const bodyFailures: Readonly<Record<BodyProblem, RpcFailure>> = {
  media_type: { status: 415, message: 'Content-Type must be application/json' },
  too_large: { status: 413, message: `The body must not exceed ${MCP_BODY_MAX_BYTES} bytes` },
  malformed: { status: 400, code: PARSE_ERROR, message: 'The body is not valid JSON', id: null },
}

const notAcceptable: RpcFailure = {
  status: 406,
  message: 'Accept must list application/json and text/event-stream',
}

/** Clients of the 2025 era must take both forms of answer; a wildcard is taken for both. */
function acceptsBoth(request: Request): boolean {
  return accepts(request, 'application/json') && accepts(request, 'text/event-stream')
}

function accepts(request: Request, type: string): boolean {
  const accept = request.headers.get('accept') ?? '*/*'
  return accept.includes('*/*') || accept.includes(type)
}
