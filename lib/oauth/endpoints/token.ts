import { FORM_MAX_BYTES } from '#lib/config/limits'
import { err, type Result } from '#lib/core/result'
import { type BodyProblem, readForm } from '#lib/http/body'
import type { Exchange } from '#lib/http/endpoint'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import { readClientCredentials } from '#lib/oauth/client-credentials'
import { grantIdOfRequest } from '#lib/oauth/endpoints/authenticate-document-client'
import type { AuthenticatesClient } from '#lib/oauth/endpoints/client-authentication'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { type Issue, issueTokens } from '#lib/oauth/endpoints/issue-tokens'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import { redeemCode } from '#lib/oauth/endpoints/redeem'
import { refreshTokens } from '#lib/oauth/endpoints/refresh'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { createWithdrawals, type Withdrawals } from '#lib/oauth/endpoints/withdrawals'
import { readParameters } from '#lib/oauth/parameters'
import { readGrantType, readTokenRequest, type TokenError } from '#lib/oauth/token-request'

const headers = { ...PUBLIC_CORS, ...NO_STORE }

/** An error, and whether the client authenticated by header: then the answer carries a challenge. */
export interface TokenRefusal {
  readonly error: TokenError
  readonly viaHeader: boolean
}

/** The token endpoint (OAuth 2.1 §3.2; OAUTH.md §1.6). */
export function tokenEndpoint(deps: OAuthDeps, parts: Pick<Scene, 'signingKeys' | 'authenticates'>): Handle {
  const { signingKeys } = parts
  const withdrawals = createWithdrawals(deps)
  return publicEndpoint('POST', async (request, exchange) => {
    const form = await readForm(request, FORM_MAX_BYTES)
    if (!form.ok) return refused({ error: 'invalid_request', viaHeader: false }, form.error)
    const authorization = request.headers.get('authorization')
    const granted = await grant(
      { authorization, form: form.value },
      { ...parts, deps, exchange, withdrawals },
    )
    if (!granted.ok) return refused(granted.error)

    void signingKeys.advance()
    return Response.json(await issueTokens(granted.value, deps, signingKeys), { headers })
  })
}

interface Scene {
  readonly deps: OAuthDeps
  readonly exchange: Exchange
  readonly signingKeys: SigningKeySet
  readonly authenticates: AuthenticatesClient
  readonly withdrawals: Withdrawals
}

async function grant(
  { authorization, form }: { readonly authorization: string | null; readonly form: URLSearchParams },
  { deps, exchange, signingKeys, authenticates, withdrawals }: Scene,
): Promise<Result<Issue, TokenRefusal>> {
  const parameters = readParameters(form)
  const grantType = readGrantType(parameters)
  if (!grantType.ok) return err({ error: grantType.error, viaHeader: false })

  const credentials = readClientCredentials(authorization, parameters)
  if (!credentials.ok) return credentials
  const request = readTokenRequest(grantType.value, parameters, deps.resource)
  const client = await authenticates(credentials.value, {
    grantId: async () => (request.ok ? grantIdOfRequest(request.value, deps) : undefined),
    requestId: exchange.requestId,
  })
  if (!client.ok && client.error === 'invalid_client') {
    return err({ error: client.error, viaHeader: authorization !== null })
  }
  if (!request.ok) return err({ error: request.error, viaHeader: false })
  if (!client.ok) return err({ error: client.error, viaHeader: false })
  // Before anything is spent: without a key to sign with there is no answer, and a key that was dropped signs
  // nothing that would be refused a moment later.
  await signingKeys.confirmed()
  const scene = { client: client.value, requestId: exchange.requestId, deps, withdrawals }
  const issue =
    request.value.grantType === 'authorization_code'
      ? await redeemCode(request.value, scene)
      : await refreshTokens(request.value, scene)
  return issue.ok ? issue : err({ error: issue.error, viaHeader: false })
}

/**
 * A refusal of the token or revocation endpoint (RFC 6749 §5.2): 401 only for failed client authentication,
 * with a challenge only if the header was used.
 */
export function refused({ error, viaHeader }: TokenRefusal, body?: BodyProblem): Response {
  const status = body === 'too_large' ? 413 : 400
  if (error !== 'invalid_client') return Response.json({ error }, { status, headers })
  const challenge = viaHeader ? { 'WWW-Authenticate': 'Basic realm="oauth"' } : {}
  return Response.json({ error }, { status: 401, headers: { ...headers, ...challenge } })
}
