import { authMethods, grantTypes } from '#lib/oauth/client'
import { assertionAlgorithms } from '#lib/oauth/client-assertion'
import { baseScopes, OFFLINE_ACCESS, type Scope } from '#lib/oauth/scope'

/** What the documents say of a server. */
export interface Described {
  readonly issuer: string
  readonly resource: string
  readonly serverName: string
  readonly scopes: readonly Scope[]
}

/** Where the resource's metadata is: the path of the resource behind the well-known name (RFC 9728 §3.1). */
export const resourceMetadataUrl = (issuer: string, resource: string): string =>
  `${issuer}/.well-known/oauth-protected-resource${new URL(resource).pathname}`

/** Protected resource metadata (RFC 9728 §2). Members without a value are left out, never `null`. */
export function protectedResourceMetadata({ issuer, resource, serverName, scopes }: Described) {
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: baseScopes(scopes),
    bearer_methods_supported: ['header'],
    resource_name: serverName,
    resource_documentation: `${issuer}/`,
  }
}

/** Authorization server metadata (RFC 8414 §2). Only what is answered is advertised. */
export function authorizationServerMetadata({
  issuer,
  scopes,
  acceptsClientDocuments,
}: Described & {
  /** Whether clients may be named by the address of their metadata. */
  readonly acceptsClientDocuments: boolean
}) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    registration_endpoint: `${issuer}/oauth/register`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...grantTypes],
    token_endpoint_auth_methods_supported: [...authMethods],
    revocation_endpoint_auth_methods_supported: [...authMethods],
    token_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
    revocation_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...scopes.map((scope) => scope.name), OFFLINE_ACCESS],
    authorization_response_iss_parameter_supported: true,
    ...(acceptsClientDocuments ? { client_id_metadata_document_supported: true } : {}),
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    service_documentation: `${issuer}/`,
  }
}

/**
 * The same under the name of OpenID Connect Discovery 1.0, for hosts that look there only. No ID token is
 * ever issued; the two members are there because parsers of that document require them.
 */
export function openidConfiguration(server: Parameters<typeof authorizationServerMetadata>[0]) {
  return {
    ...authorizationServerMetadata(server),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}
