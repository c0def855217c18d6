import type { Client } from '#lib/oauth/client'
import type { ClientCredentials } from '#lib/oauth/client-credentials'
import { DYNAMIC_CLIENT_PREFIX, isDynamicClientSecret, openDynamicClient } from '#lib/oauth/dynamic-client'
import type { ProvesClient } from '#lib/oauth/endpoints/client-proof'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { findStaticClient } from '#lib/oauth/endpoints/static-clients'
import { isStaticClientSecret, STATIC_CLIENT_PREFIX } from '#lib/oauth/static-client'

/**
 * The one way from a client id to a client; `undefined` when there is none. Only the id of a static client is
 * looked up in the store.
 */
export async function resolveClient(
  clientId: string,
  deps: Pick<OAuthDeps, 'keyRing' | 'store'>,
): Promise<Client | undefined> {
  if (clientId.startsWith(DYNAMIC_CLIENT_PREFIX)) return openDynamicClient(clientId, deps.keyRing)
  if (clientId.startsWith(STATIC_CLIENT_PREFIX)) return findStaticClient(deps, clientId)
  return undefined
}

/** What proves a client besides its secret. */
interface Proof extends Pick<OAuthDeps, 'keyRing' | 'store'> {
  readonly provesClient: ProvesClient
  readonly requestId: string
}

/**
 * The client that presented these credentials, if they are good and of a kind it registered for.
 * `undefined` is `invalid_client`.
 */
export async function authenticateClient(
  credentials: ClientCredentials,
  proof: Proof,
): Promise<Client | undefined> {
  const client = await resolveClient(credentials.clientId, proof)
  if (!client?.authMethods.includes(credentials.method)) return undefined
  return (await isProven(client, credentials, proof)) ? client : undefined
}

async function isProven(
  client: Client,
  { method, clientSecret = '', clientAssertion = '' }: ClientCredentials,
  { keyRing, provesClient, requestId }: Proof,
): Promise<boolean> {
  if (method === 'none') return true
  if (client.kind === 'dynamic') return isDynamicClientSecret(clientSecret, client.id, keyRing)
  if (client.kind !== 'static') return false
  if (method !== 'private_key_jwt') return isStaticClientSecret(clientSecret, client)
  const { id: clientId, keys } = client
  return keys !== undefined && provesClient(clientAssertion, { clientId, keys, requestId })
}
