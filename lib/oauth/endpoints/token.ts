import { FORM_MAX_BYTES } from '#lib/config/limits'
import { err, type Result } from '#lib/core/result'
import { readForm } from '#lib/http/body'
import type { Exchange } from '#lib/http/endpoint'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import { readClientCredentials } from '#lib/oauth/client-credentials'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { type Issue, issueTokens } from '#lib/oauth/endpoints/issue-tokens'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import { redeemCode } from '#lib/oauth/endpoints/redeem'
import { refreshTokens } from '#lib/oauth/endpoints/refresh'
import { authenticateClient } from '#lib/oauth/endpoints/resolve-client'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { readParameters } from '#lib/oauth/parameters'
import { readGrantType, readTokenRequest, type TokenError } from '#lib/oauth/token-request'

const headers = { ...PUBLIC_CORS, ...NO_STORE }

/** An error, and whether the client authenticated by header: then the answer carries a challenge. */
interface TokenRefusal {
  readonly error: TokenError
  readonly viaHeader: boolean
}

/** The token endpoint (OAuth 2.1 §3.2; OAUTH.md §1.6). */
export function tokenEndpoint(deps: OAuthDeps, signingKeys: SigningKeySet): Handle {
  return publicEndpoint('POST', async (request, exchange) => {
    const form = await readForm(request, FORM_MAX_BYTES)
    if (!form.ok) {
      const status = form.error === 'too_large' ? 413 : 400
      return Response.json({ error: 'invalid_request' }, { status, headers })
    }
    // Before anything is spent: without a key to sign with there is no answer.
    await signingKeys.current()
    const authorization = request.headers.get('authorization')
    const granted = await grant({ authorization, form: form.value }, { deps, exchange })
    if (!granted.ok) return refused(granted.error)

    void signingKeys.refresh()
    return Response.json(await issueTokens(granted.value, deps, signingKeys), { headers })
  })
}

async function grant(
  { authorization, form }: { readonly authorization: string | null; readonly form: URLSearchParams },
  { deps, exchange }: { readonly deps: OAuthDeps; readonly exchange: Exchange },
): Promise<Result<Issue, TokenRefusal>> {
  const parameters = readParameters(form)
  const grantType = readGrantType(parameters)
  if (!grantType.ok) return err({ error: grantType.error, viaHeader: false })

  const credentials = readClientCredentials(authorization, parameters)
  if (!credentials.ok) return credentials
  const client = await authenticateClient(credentials.value, deps)
  if (!client) return err({ error: 'invalid_client', viaHeader: authorization !== null })

  const request = readTokenRequest(grantType.value, parameters, deps.resource)
  if (!request.ok) return err({ error: request.error, viaHeader: false })
  const scene = { client, requestId: exchange.requestId, deps }
  const issue =
    request.value.grantType === 'authorization_code'
      ? await redeemCode(request.value, scene)
      : await refreshTokens(request.value, scene)
  return issue.ok ? issue : err({ error: issue.error, viaHeader: false })
}

/** RFC 6749 §5.2: 401 only for failed client authentication, with a challenge only if the header was used. */
function refused({ error, viaHeader }: TokenRefusal): Response {
  if (error !== 'invalid_client') return Response.json({ error }, { status: 400, headers })
  const challenge = viaHeader ? { 'WWW-Authenticate': 'Basic realm="oauth"' } : {}
  return Response.json({ error }, { status: 401, headers: { ...headers, ...challenge } })
}
