import { AUTHORIZATION_URL_MAX_BYTES, STATE_MAX_BYTES } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { Client } from '#lib/oauth/client'
import { type Parameters, readParameters } from '#lib/oauth/parameters'
import { isCodeChallenge } from '#lib/oauth/pkce'
import { matchRedirectUri, type RegisteredRedirectUri, redirectKind } from '#lib/oauth/redirect-uri'
import { meansResource } from '#lib/oauth/resource-indicator'
import { requestedScopes, type Scope } from '#lib/oauth/scope'

/** Refusals that only the person at the browser may learn of: nobody proved where an answer may go. */
export type UntoldRefusal =
  | 'request_too_long'
  | 'request_repeated'
  | 'request_unprintable'
  | 'client_id_missing'
  | 'client_unknown'
  | 'redirect_uri_missing'
  | 'redirect_uri_unregistered'
  | 'redirect_uri_private'
  | 'redirect_uri_forbidden'
  | 'sign_in_needed'
  | 'request_expired'

/** RFC 6749 §4.1.2.1, RFC 8707 §2, OpenID Connect Core §3.1.2.6. */
export type AuthorizationError =
  | 'invalid_request'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'interaction_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'unauthorized_client'

/** Where the answer to a client goes. */
export interface ReturnAddress {
  readonly redirectUri: RegisteredRedirectUri
  /** As it was spelled in the query, still encoded, so that it goes back byte for byte. */
  readonly rawState: string | undefined
}

/** A query that may be looked into further. */
export interface AuthorizationQuery {
  readonly clientId: string
  readonly rawState: string | undefined
  readonly parameters: Parameters
}

/** What a client asks for. */
export interface AuthorizationRequest {
  readonly scopes: readonly string[]
  readonly codeChallenge: string
}

/** Line breaks and NUL end strings and headers elsewhere; no parameter has a use for them. */
const BREAKS = /[\0\r\n]/

/**
 * The first look at an authorization request (OAUTH.md §1.4, step 1): nothing may be ambiguous that decides
 * who asks and where the answer goes.
 *
 * @param query - the raw query, without `?`
 */
export function readAuthorizationQuery(query: string): Result<AuthorizationQuery, UntoldRefusal> {
  if (query.length > AUTHORIZATION_URL_MAX_BYTES) return err('request_too_long')

  const pairs = new URLSearchParams(query)
  for (const [name, value] of pairs) {
    if (BREAKS.test(name) || BREAKS.test(value)) return err('request_unprintable')
  }
  const parameters = readParameters(pairs)
  const ambiguous = ['client_id', 'redirect_uri', 'state'].some((name) => parameters.repeated.has(name))
  const clientId = parameters.get('client_id')
  const state = parameters.get('state') ?? ''
  if (ambiguous) return err('request_repeated')
  if (clientId === undefined) return err('client_id_missing')
  if (new TextEncoder().encode(state).length > STATE_MAX_BYTES) return err('request_too_long')

  return ok({ clientId, rawState: rawValue(query, 'state'), parameters })
}

/** Where the answer goes (step 3): only after this may anything be told to the client. */
export function returnAddress(
  { parameters, rawState }: AuthorizationQuery,
  client: Client,
  policy: { readonly strictRedirects: boolean },
): Result<ReturnAddress, UntoldRefusal> {
  const requested = parameters.get('redirect_uri')
  const redirectUri = matchRedirectUri(client.redirectUris, requested)
  if (!redirectUri) return err(requested === undefined ? 'redirect_uri_missing' : 'redirect_uri_unregistered')
  // Asked again, because rules may have become stricter since the client registered.
  const fault = redirectFault(redirectUri, policy)
  return fault ? err(fault) : ok({ redirectUri, rawState })
}

/** Why no client at all may be answered at an address here. */
export function redirectFault(
  uri: string,
  policy: { readonly strictRedirects: boolean },
): UntoldRefusal | undefined {
  const kind = redirectKind(uri)
  if (!kind) return 'redirect_uri_forbidden'
  return kind === 'private-use' && policy.strictRedirects ? 'redirect_uri_private' : undefined
}

/** OpenID Connect Core §3.1.2.1: the client wants an answer without anything being shown. */
export const wantsNoInteraction = (query: AuthorizationQuery): boolean => promptsOf(query).includes('none')

/** The client wants the person to be asked (`prompt=consent`), or something that only the page can offer. */
export const wantsInteraction = (query: AuthorizationQuery): boolean =>
  promptsOf(query).some((prompt) => prompt !== 'none')

const promptsOf = ({ parameters }: AuthorizationQuery): readonly string[] =>
  parameters.get('prompt')?.split(' ') ?? []

/** All else that a request must satisfy (step 5); these errors go to the client. */
export function readAuthorizationRequest(
  { parameters }: AuthorizationQuery,
  client: Client,
  server: { readonly scopes: readonly Scope[]; readonly resource: string },
): Result<AuthorizationRequest, AuthorizationError> {
  const fault = faultOf(parameters) ?? targetFault(parameters, server.resource)
  if (fault) return err(fault)

  const codeChallenge = parameters.get('code_challenge') ?? ''
  // Never a default: without a method the standard would mean `plain` (RFC 7636 §4.3).
  if (!isCodeChallenge(codeChallenge) || parameters.get('code_challenge_method') !== 'S256') {
    return err('invalid_request')
  }
  const scopes = requestedScopes(parameters.get('scope'), {
    scopes: server.scopes,
    ceiling: client.scopeCeiling,
  })
  return scopes.ok ? ok({ scopes: scopes.value, codeChallenge }) : err('invalid_scope')
}

function faultOf({ get, repeated }: Parameters): AuthorizationError | undefined {
  if ([...repeated].some((name) => name !== 'resource')) return 'invalid_request'
  if (get('request') !== undefined) return 'request_not_supported'
  if (get('request_uri') !== undefined) return 'request_uri_not_supported'

  const responseType = get('response_type')
  if (responseType === undefined) return 'invalid_request'
  if (responseType !== 'code') return 'unsupported_response_type'
  return (get('response_mode') ?? 'query') === 'query' ? undefined : 'invalid_request'
}

function targetFault({ get, repeated }: Parameters, resource: string): AuthorizationError | undefined {
  const isOurs = !repeated.has('resource') && meansResource(get('resource'), resource)
  return isOurs ? undefined : 'invalid_target'
}

/** The value of a parameter as it is spelled in a query; `undefined` when it is absent or empty. */
function rawValue(query: string, name: string): string | undefined {
  const piece = query.split('&').find((text) => new URLSearchParams(text).has(name))
  return piece?.slice(piece.indexOf('=') + 1) || undefined
}
