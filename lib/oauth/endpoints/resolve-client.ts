import type { KeyRing } from '#lib/core/key-ring'
import type { Client } from '#lib/oauth/client'
import type { ClientCredentials } from '#lib/oauth/client-credentials'
import { DYNAMIC_CLIENT_PREFIX, isDynamicClientSecret, openDynamicClient } from '#lib/oauth/dynamic-client'

/** The one way from a client id to a client; `undefined` when there is none. Other kinds join here. */
export async function resolveClient(
  clientId: string,
  { keyRing }: { readonly keyRing: KeyRing },
): Promise<Client | undefined> {
  return clientId.startsWith(DYNAMIC_CLIENT_PREFIX) ? openDynamicClient(clientId, keyRing) : undefined
}

/**
 * The client that presented these credentials, if they are good and of a kind it registered for.
 * `undefined` is `invalid_client`.
 */
export async function authenticateClient(
  { clientId, method, clientSecret }: ClientCredentials,
  deps: { readonly keyRing: KeyRing },
): Promise<Client | undefined> {
  const client = await resolveClient(clientId, deps)
  if (!client?.authMethods.includes(method)) return undefined
  if (method === 'none') return client
  return (await isDynamicClientSecret(clientSecret ?? '', clientId, deps.keyRing)) ? client : undefined
}
