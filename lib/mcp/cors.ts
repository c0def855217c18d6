import { PREFLIGHT_MAX_AGE_SECONDS } from '#lib/config/limits'
import type { OriginGuard } from '#lib/mcp/origins'

const EXPOSED = 'WWW-Authenticate, Mcp-Session-Id, Retry-After, MCP-Protocol-Version'
const ALLOWED =
  'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Last-Event-ID, Mcp-Method, Mcp-Name'
/** Headers that mirror an argument of a tool (2026-07-28, `x-mcp-header`); their names are the tool's. */
const paramHeader = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/i

/**
 * Puts on an answer what every answer of the MCP endpoint carries: it depends on who asks, nobody may keep
 * it, and a page of an allowed origin may read it. There are no credentials besides the bearer token.
 */
export function withPolicy(response: Response, request: Request, guard: OriginGuard): Response {
  const { headers } = response
  headers.set('Vary', 'Origin, Authorization')
  // Compression would hold back the events of a stream.
  const stream = headers.get('Content-Type') === 'text/event-stream'
  headers.set('Cache-Control', stream ? 'no-store, no-transform' : 'no-store')

  const origin = request.headers.get('origin')
  if (origin !== null && guard.allowsOrigin(origin)) {
    headers.set('Access-Control-Allow-Origin', origin)
    headers.set('Access-Control-Expose-Headers', EXPOSED)
  }
  return response
}

/** Answers a preflight. A page of another origin gets no permission, and so never sends its request. */
export function preflight(request: Request, guard: OriginGuard, methods: string): Response {
  const origin = request.headers.get('origin')
  if (origin === null || !guard.allowsOrigin(origin)) {
    return new Response(null, { status: 204, headers: { Allow: methods } })
  }
  return new Response(null, {
    status: 204,
    headers: {
      Allow: methods,
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': [ALLOWED, ...requestedParams(request)].join(', '),
      'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
    },
  })
}

function requestedParams(request: Request): string[] {
  const requested = request.headers.get('access-control-request-headers') ?? ''
  return requested
    .split(',')
    .map((name) => name.trim())
    .filter((name) => paramHeader.test(name))
}
