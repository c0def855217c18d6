import { METADATA_MAX_AGE_SECONDS } from '#lib/config/limits'
import { PUBLIC_CORS } from '#lib/http/headers'
import { jsonNotFound } from '#lib/http/json'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import {
  authorizationServerMetadata,
  openidConfiguration,
  protectedResourceMetadata,
} from '#lib/oauth/metadata'

const headers = { ...PUBLIC_CORS, 'Cache-Control': `public, max-age=${METADATA_MAX_AGE_SECONDS}` }

const documentOf = (body: object): Handle =>
  publicEndpoint('GET', async () => Response.json(body, { headers }))

/** The discovery documents (RFC 9728, RFC 8414) and the public keys. None of them depends on the request. */
export function discoveryEndpoints(deps: OAuthDeps, signingKeys: SigningKeySet) {
  const wellKnown = '/.well-known/oauth-protected-resource'
  const paths = new Set([wellKnown, wellKnown + new URL(deps.resource).pathname])
  // This pattern turns all of them off: then nothing is advertised.
  const acceptsClientDocuments = !deps.settings.cimdBlock.includes('*')
  const server = { ...deps, acceptsClientDocuments }
  const resourceDocument = documentOf(protectedResourceMetadata(deps))

  const resourceMetadata: Handle = async (request, exchange) =>
    // Under any other path it would describe a resource that does not exist.
    paths.has(new URL(request.url).pathname) ? resourceDocument(request, exchange) : jsonNotFound(request)

  return {
    protectedResourceMetadata: resourceMetadata,
    authorizationServerMetadata: documentOf(authorizationServerMetadata(server)),
    openidConfiguration: documentOf(openidConfiguration(server)),
    jwks: publicEndpoint('GET', async () => {
      const { jwks } = await signingKeys.current()
      void signingKeys.refresh()
      return Response.json(jwks, { headers })
    }),
  }
}
