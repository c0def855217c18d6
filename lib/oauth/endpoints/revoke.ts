import { FORM_MAX_BYTES } from '#lib/config/limits'
import { readForm } from '#lib/http/body'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import { verifyAccessToken } from '#lib/oauth/access-token'
import { readClientCredentials } from '#lib/oauth/client-credentials'
import { plausibleKid } from '#lib/oauth/endpoints/bearer-reader'
import type { AuthenticatesClient } from '#lib/oauth/endpoints/client-authentication'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { noteEnd } from '#lib/oauth/endpoints/grants'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { refused, type TokenRefusal } from '#lib/oauth/endpoints/token'
import { asConnection, type ConnectionGrant, grantRecord } from '#lib/oauth/grant'
import { type Parameters, readParameters } from '#lib/oauth/parameters'
import { isProven, readRefreshToken } from '#lib/oauth/refresh-token'
import { keys } from '#lib/store/keys'
import { del } from '#lib/store/operations'
import { readRecord } from '#lib/store/record'

interface Parts {
  readonly signingKeys: SigningKeySet
  readonly authenticates: AuthenticatesClient
}

const malformed = { error: 'invalid_request', viaHeader: false } as const

/**
 * Token revocation (RFC 7009; OAUTH.md §1.9). An access or a refresh token ends the whole grant, if it is one
 * of the client that asks. What is unknown, of another client or no token at all is answered alike: 200.
 */
export function revocationEndpoint(deps: OAuthDeps, parts: Parts): Handle {
  return publicEndpoint('POST', async (request, { requestId }) => {
    const form = await readForm(request, FORM_MAX_BYTES)
    if (!form.ok) return refused(malformed, form.error)
    const parameters = readParameters(form.value)
    if (parameters.repeated.size > 0) return refused(malformed)

    const authorization = request.headers.get('authorization')
    const refusal = await revoke({ authorization, parameters, requestId }, deps, parts)
    if (refusal) return refused(refusal)
    return new Response(null, { status: 200, headers: { ...PUBLIC_CORS, ...NO_STORE } })
  })
}

interface Revocation {
  readonly authorization: string | null
  readonly parameters: Parameters
  readonly requestId: string
}

/** Who asks comes before what for, so that a client whose registration is gone learns that. */
async function revoke(
  { authorization, parameters, requestId }: Revocation,
  deps: OAuthDeps,
  { signingKeys, authenticates }: Parts,
): Promise<TokenRefusal | undefined> {
  const credentials = readClientCredentials(authorization, parameters)
  if (!credentials.ok) return credentials.error
  // `token_type_hint` is not needed: the two kinds cannot be taken for one another.
  const token = parameters.get('token')
  const handedBack = token === undefined ? undefined : await readHandedBack(token, deps, signingKeys)
  const grantId = async () => handedBack?.grantId
  const client = await authenticates(credentials.value, { grantId, requestId })
  if (!client.ok && client.error === 'invalid_client') {
    return { error: client.error, viaHeader: authorization !== null }
  }
  if (token === undefined) return malformed
  if (handedBack && client.ok) await end(handedBack, client.value.id, deps)
  return undefined
}

/** What a token says of its grant before the record is asked. */
interface HandedBack {
  readonly grantId: string
  /** Whether the token is one of this grant. */
  readonly isOf: (grant: ConnectionGrant) => Promise<boolean>
}

/** A token that this server made: a refresh token of any generation, an access token that is still valid. */
async function readHandedBack(
  token: string,
  deps: OAuthDeps,
  signingKeys: SigningKeySet,
): Promise<HandedBack | undefined> {
  const refreshToken = await readRefreshToken(token, deps.keyRing)
  if (refreshToken) {
    const isOf = async (grant: ConnectionGrant) => {
      const salt = grant.status === 'active' ? grant.refresh?.salt : undefined
      return salt !== undefined && isProven(refreshToken, salt)
    }
    return { grantId: refreshToken.grantId, isOf }
  }
  const kid = plausibleKid(token, deps)
  const verifier = kid === undefined ? undefined : await signingKeys.find(kid)
  const claims = verifier && (await verifyAccessToken(token, { ...deps, verifier, now: deps.clock() }))
  return claims && { grantId: claims.grantId, isOf: async ({ client }) => client.id === claims.clientId }
}

async function end({ grantId, isOf }: HandedBack, clientId: string, deps: OAuthDeps): Promise<void> {
  const grant = asConnection(await readRecord(deps.store, keys.grant(grantId), grantRecord))
  if (grant?.client.id !== clientId || !(await isOf(grant))) return

  // A refresh that runs at the same time loses its compare against this.
  await deps.store.run(del(keys.grant(grantId)))
  await noteEnd(deps, grant, 'revoked_by_client')
}
