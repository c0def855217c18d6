import { err, ok, type Result } from '#lib/core/result'
import { type GrantType, grantTypes } from '#lib/oauth/client'
import type { Parameters } from '#lib/oauth/parameters'
import { isCodeVerifier } from '#lib/oauth/pkce'
import { meansResource } from '#lib/oauth/resource-indicator'

/** Errors of the token endpoint (RFC 6749 §5.2, RFC 8707 §2). */
export type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'

/** A token request that is complete, before anything of it is believed. */
export type TokenRequest =
  | {
      readonly grantType: 'authorization_code'
      readonly code: string
      readonly codeVerifier: string
      readonly redirectUri: string | undefined
    }
  | {
      readonly grantType: 'refresh_token'
      readonly refreshToken: string
      readonly scope: string | undefined
    }

/**
 * The first look at a token request (OAuth 2.1 §3.2.2): what it is for. Client authentication comes next, so
 * that a client which is unknown learns that before anything else.
 */
export function readGrantType({ get, repeated }: Parameters): Result<GrantType, TokenError> {
  if ([...repeated].some((name) => name !== 'resource')) return err('invalid_request')
  const sent = get('grant_type')
  if (sent === undefined) return err('invalid_request')
  const grantType = grantTypes.find((known) => known === sent)
  return grantType ? ok(grantType) : err('unsupported_grant_type')
}

/** Reads the rest of a token request. */
export function readTokenRequest(
  grantType: GrantType,
  { get, repeated }: Parameters,
  resource: string,
): Result<TokenRequest, TokenError> {
  const request = grantType === 'authorization_code' ? readCode(get) : readRefresh(get)
  if (!request) return err('invalid_request')
  const isOurs = !repeated.has('resource') && meansResource(get('resource'), resource)
  return isOurs ? ok(request) : err('invalid_target')
}

function readCode(get: Parameters['get']): TokenRequest | undefined {
  const code = get('code')
  const codeVerifier = get('code_verifier') ?? ''
  if (code === undefined || !isCodeVerifier(codeVerifier)) return undefined
  return { grantType: 'authorization_code', code, codeVerifier, redirectUri: get('redirect_uri') }
}

function readRefresh(get: Parameters['get']): TokenRequest | undefined {
  const refreshToken = get('refresh_token')
  return refreshToken === undefined
    ? undefined
    : { grantType: 'refresh_token', refreshToken, scope: get('scope') }
}
