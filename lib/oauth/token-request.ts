import { err, ok, type Result } from '#lib/core/result'
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

/** Reads a token request (OAuth 2.1 §3.2.2); client authentication is read apart. */
export function readTokenRequest(parameters: Parameters, resource: string): Result<TokenRequest, TokenError> {
  const { get, repeated } = parameters
  if ([...repeated].some((name) => name !== 'resource')) return err('invalid_request')

  const request = readGrant(get)
  if (!request.ok) return request
  const isOurs = !repeated.has('resource') && meansResource(get('resource'), resource)
  return isOurs ? request : err('invalid_target')
}

function readGrant(get: Parameters['get']): Result<TokenRequest, TokenError> {
  const grantType = get('grant_type')
  if (grantType === undefined) return err('invalid_request')

  if (grantType === 'authorization_code') {
    const code = get('code')
    const codeVerifier = get('code_verifier') ?? ''
    if (code === undefined || !isCodeVerifier(codeVerifier)) return err('invalid_request')
    return ok({ grantType, code, codeVerifier, redirectUri: get('redirect_uri') })
  }
  if (grantType === 'refresh_token') {
    const refreshToken = get('refresh_token')
    return refreshToken === undefined
      ? err('invalid_request')
      : ok({ grantType, refreshToken, scope: get('scope') })
  }
  return err('unsupported_grant_type')
}
