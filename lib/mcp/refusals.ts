import type { Caller } from '#lib/mcp/define'
import { rpcError } from '#lib/mcp/rpc-error'

/** Why a bearer token was not good enough, in RFC 6750 §3.1 terms. */
export type BearerRefusal = { readonly kind: 'missing' | 'invalid_request' | 'invalid_token' }

/** Those, and a call that needs more than its token allows. */
export type Challenged =
  | BearerRefusal
  | { readonly kind: 'insufficient_scope'; readonly scopes: readonly string[] }

/** Why a call with a good token is not admitted. */
export type AdmissionRefusal =
  | { readonly reason: 'token_invalid' }
  | { readonly reason: 'rate_limited'; readonly retryAfterSeconds: number }

/** The status and the `WWW-Authenticate` header that tell a client why (RFC 6750 §3). */
export type Challenge = (refusal: Challenged) => {
  readonly status: 400 | 401 | 403
  readonly wwwAuthenticate: string
}

const refusalMessages: Readonly<Record<Challenged['kind'], string>> = {
  missing: 'Authorization required',
  invalid_request: 'The Authorization header is malformed',
  invalid_token: 'The access token is not valid',
  insufficient_scope: 'The access token lacks a scope that this needs',
}

/**
 * Hosts that do not ask the person for more show this text to them, or to the model, which passes it on. It
 * names the permissions that are missing and the way to get them.
 */
export function whatToDo(scopes: readonly string[], { scopes: held, client }: Caller): string {
  const missing = scopes.filter((scope) => !held.includes(scope)).join(', ')
  if (client.personal) {
    return (
      `This token is not allowed to do that. It needs the permission ${missing}. ` +
      'Ask the person to make a token with that permission on /dashboard/tokens of this server.'
    )
  }
  return (
    `This app is not allowed to do that yet. It needs the permission ${missing}. ` +
    'Ask the person to connect this app to the server again and to allow it there ' +
    '(in Claude Code: run /mcp, choose this server, authenticate again).'
  )
}

/** Answers a token that is missing, wrong or too weak. */
export function refuseBearer(refusal: Challenged, challenge: Challenge, message?: string): Response {
  const { status, wwwAuthenticate } = challenge(refusal)
  return rpcError({
    status,
    message: message ?? refusalMessages[refusal.kind],
    headers: { 'WWW-Authenticate': wwwAuthenticate },
  })
}

/** Answers a call whose token is good and that may still not run. */
export function refuseAdmission(refusal: AdmissionRefusal, challenge: Challenge): Response {
  if (refusal.reason === 'token_invalid') return refuseBearer({ kind: 'invalid_token' }, challenge)
  return rpcError({
    status: 429,
    message: 'Too many requests',
    headers: { 'Retry-After': String(refusal.retryAfterSeconds) },
  })
}
