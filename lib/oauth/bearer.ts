import { ACCESS_TOKEN_MAX_LENGTH } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'

/**
 * Why the credentials of a call are refused, in the words of RFC 6750 §3.1. `missing`: there are none, and the
 * challenge names no error. `invalid_request`: the header is malformed or there are two.
 */
export interface BearerRefusal {
  readonly kind: 'missing' | 'invalid_request' | 'invalid_token'
}

/** Why a call is refused at the resource. */
export type CallRefusal =
  | BearerRefusal
  /** `scopes`: all that the operation needs and those already held. */
  | { readonly kind: 'insufficient_scope'; readonly scopes: readonly string[] }

/** What a refusal says on the wire. */
export interface Challenge {
  readonly status: 400 | 401 | 403
  readonly wwwAuthenticate: string
}

/** For hosts that show it. Without comma, quote and equals sign: some split the header there. */
const HOW_TO_GET_MORE =
  'error_description="Connect this app to the server again and allow the permissions in scope"'

/** RFC 6750 §2.1, `b64token`. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * The bearer token of a request (RFC 6750 §2.1). Only the header counts: tokens in a query or a form are
 * ignored (OAuth 2.1 §5.1).
 */
export function bearerToken(request: Request): Result<string, BearerRefusal> {
  const header = request.headers.get('authorization')
  // An empty `Bearer` is what a host sends whose setting is empty: it has no credentials yet.
  if (header === null || !/^bearer(?: |$)/i.test(header)) return err({ kind: 'missing' })

  const token = header.slice('bearer'.length).trim()
  if (token === '') return err({ kind: 'missing' })
  // Two headers arrive joined by a comma.
  if (/[\s,]/.test(token)) return err({ kind: 'invalid_request' })
  if (token.length > ACCESS_TOKEN_MAX_LENGTH || !B64TOKEN.test(token)) return err({ kind: 'invalid_token' })
  return ok(token)
}

/**
 * The status and the `WWW-Authenticate` value of a refusal (RFC 6750 §3, RFC 9728 §5.1). Hosts read it with
 * naive patterns: one scheme, `name="value"` pairs, `, ` between them.
 */
export function challengeOf(
  refusal: CallRefusal,
  server: { readonly resourceMetadata: string; readonly baseScopes: readonly string[] },
): Challenge {
  const metadata = `resource_metadata="${server.resourceMetadata}"`
  const scope = (names: readonly string[]) => `scope="${names.join(' ')}"`
  switch (refusal.kind) {
    case 'missing':
      return { status: 401, wwwAuthenticate: `Bearer ${metadata}, ${scope(server.baseScopes)}` }
    case 'invalid_request':
      return { status: 400, wwwAuthenticate: `Bearer error="invalid_request", ${metadata}` }
    case 'invalid_token':
      return {
        status: 401,
        wwwAuthenticate: `Bearer error="invalid_token", ${metadata}, ${scope(server.baseScopes)}`,
      }
    case 'insufficient_scope':
      return {
        status: 403,
        wwwAuthenticate: `Bearer error="insufficient_scope", ${scope(refusal.scopes)}, ${metadata}, ${HOW_TO_GET_MORE}`,
      }
  }
}
