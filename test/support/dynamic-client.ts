import { encodeText } from '#lib/core/base64url'
import type { AuthorizationServer } from '#test/support/authorization-server'

/** The id of a public client as a release with other rules would have issued it. */
export async function dynamicClientOf(
  { deps }: AuthorizationServer,
  redirectUris: readonly string[],
): Promise<string> {
  const encoded = encodeText(JSON.stringify({ r: redirectUris, n: 'App', m: 0 }))
  const { kid, mac } = await deps.keyRing.sign('client-registration', encoded)
  return `dc1_${kid}${mac}${encoded}`
}
