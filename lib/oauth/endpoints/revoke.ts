import { FORM_MAX_BYTES } from '#lib/config/limits'
import { readForm } from '#lib/http/body'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import { verifyAccessToken } from '#lib/oauth/access-token'
import type { Client } from '#lib/oauth/client'
import { readClientCredentials } from '#lib/oauth/client-credentials'
import { plausibleKid } from '#lib/oauth/endpoints/bearer-reader'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { noteEnd } from '#lib/oauth/endpoints/grants'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import { authenticateClient } from '#lib/oauth/endpoints/resolve-client'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { refused } from '#lib/oauth/endpoints/token'
import { asConnection, type ConnectionGrant, grantRecord } from '#lib/oauth/grant'
import { readParameters } from '#lib/oauth/parameters'
import { isProven, type PresentedRefreshToken, readRefreshToken } from '#lib/oauth/refresh-token'
import { keys } from '#lib/store/keys'
import { del } from '#lib/store/operations'
import { readRecord } from '#lib/store/record'

/**
 * Token revocation (RFC 7009; OAUTH.md §1.9). An access or a refresh token ends the whole grant, if it is one
 * of the client that asks. What is unknown, of another client or no token at all is answered alike: 200.
 */
export function revocationEndpoint(deps: OAuthDeps, signingKeys: SigningKeySet): Handle {
  return publicEndpoint('POST', async (request) => {
    const form = await readForm(request, FORM_MAX_BYTES)
    if (!form.ok) return refused({ error: 'invalid_request', viaHeader: false }, form.error)
    const parameters = readParameters(form.value)
    if (parameters.repeated.size > 0) return refused({ error: 'invalid_request', viaHeader: false })

    const authorization = request.headers.get('authorization')
    const credentials = readClientCredentials(authorization, parameters)
    if (!credentials.ok) return refused(credentials.error)
    const client = await authenticateClient(credentials.value, deps)
    if (!client) return refused({ error: 'invalid_client', viaHeader: authorization !== null })

    // `token_type_hint` is not needed: the two kinds cannot be taken for one another.
    const token = parameters.get('token')
    if (token === undefined) return refused({ error: 'invalid_request', viaHeader: false })
    await revoke(token, { client, deps, signingKeys })
    return new Response(null, { status: 200, headers: { ...PUBLIC_CORS, ...NO_STORE } })
  })
}

interface Scene {
  readonly client: Client
  readonly deps: OAuthDeps
  readonly signingKeys: SigningKeySet
}

async function revoke(token: string, { client, deps, signingKeys }: Scene): Promise<void> {
  const refreshToken = await readRefreshToken(token, deps.keyRing)
  const grantId = refreshToken?.grantId ?? (await grantIdOf(token, { client, deps, signingKeys }))
  if (grantId === undefined) return

  const grant = asConnection(await readRecord(deps.store, keys.grant(grantId), grantRecord))
  if (grant?.client.id !== client.id) return
  if (refreshToken && !(await provesGrant(refreshToken, grant))) return

  // A refresh that runs at the same time loses its compare against this.
  await deps.store.run(del(keys.grant(grantId)))
  const { accountId } = grant
  await noteEnd(deps, { accountId, grantId, clientKey: grant.client.key, why: 'revoked_by_client' })
}

/** Any generation will do: whoever holds an old one was given it. */
async function provesGrant(token: PresentedRefreshToken, grant: ConnectionGrant): Promise<boolean> {
  const salt = grant.status === 'active' ? grant.refresh?.salt : undefined
  return salt !== undefined && isProven(token, salt)
}

/** The grant of an access token that is valid now and of this client. */
async function grantIdOf(token: string, { client, deps, signingKeys }: Scene): Promise<string | undefined> {
  const kid = plausibleKid(token, deps)
  const verifier = kid === undefined ? undefined : await signingKeys.find(kid)
  if (!verifier) return undefined
  const claims = await verifyAccessToken(token, { ...deps, verifier, now: deps.clock() })
  return claims?.clientId === client.id ? claims.grantId : undefined
}
