import type { AuthorizationError, ReturnAddress } from '#lib/oauth/authorization-request'

/** What the client is told: a code, or why there is none. */
export type AuthorizationAnswer = { readonly code: string } | { readonly error: AuthorizationError }

/** Parameters of an answer; whatever of these a redirect URI brings along is replaced. */
const ANSWER = new Set(['code', 'error', 'error_description', 'error_uri', 'state', 'iss'])

/**
 * The URL of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2): the registered query is kept, and
 * `iss`, `state` and `code` or `error` stand in it exactly once. The URL is built from the raw string: a
 * parser would change its spelling.
 */
export function authorizationResponse(
  { redirectUri, rawState }: ReturnAddress,
  answer: AuthorizationAnswer,
  issuer: string,
): string {
  const [address = '', ...rest] = redirectUri.split('?')
  const registered = rest
    .join('?')
    .split('&')
    .filter(
      (piece) => piece !== '' && ![...new URLSearchParams(piece).keys()].some((name) => ANSWER.has(name)),
    )
  const [[name, value] = ['error', 'server_error']] = Object.entries(answer)
  const parameters = [
    ...registered,
    `${name}=${encodeURIComponent(value)}`,
    ...(rawState === undefined ? [] : [`state=${rawState}`]),
    `iss=${encodeURIComponent(issuer)}`,
  ]
  return `${address}?${parameters.join('&')}`
}
