import { err, ok, type Result } from '#lib/core/result'
import type { Client } from '#lib/oauth/client'
import type { ClientCredentials } from '#lib/oauth/client-credentials'
import { looksLikeClientIdUrl } from '#lib/oauth/client-id-url'
import { authenticateDocumentClient } from '#lib/oauth/endpoints/authenticate-document-client'
import type { ClientDocuments } from '#lib/oauth/endpoints/client-documents'
import type { ProvesClient } from '#lib/oauth/endpoints/client-proof'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { authenticateClient } from '#lib/oauth/endpoints/resolve-client'

/** What the credentials came with. */
export interface PresentedWith {
  /** The grant that the request is about; `undefined`: none of ours. */
  readonly grantId: () => Promise<string | undefined>
  readonly requestId: string
}

/**
 * The client that presented credentials, of whatever kind. `invalid_grant`: a client named by an address
 * presented something of which it holds no grant.
 */
export type AuthenticatesClient = (
  credentials: ClientCredentials,
  presented: PresentedWith,
) => Promise<Result<Client, 'invalid_client' | 'invalid_grant'>>

/** Binds the authentication of clients to what each kind needs. */
export function createClientAuthentication(
  deps: Pick<OAuthDeps, 'store' | 'keyRing'>,
  parts: { readonly documents: Pick<ClientDocuments, 'accepts'>; readonly provesClient: ProvesClient },
): AuthenticatesClient {
  const { provesClient } = parts
  return async (credentials, { grantId, requestId }) => {
    if (looksLikeClientIdUrl(credentials.clientId)) {
      return authenticateDocumentClient(credentials, await grantId(), { deps, ...parts, requestId })
    }
    const client = await authenticateClient(credentials, { ...deps, provesClient, requestId })
    return client ? ok(client) : err('invalid_client')
  }
}
