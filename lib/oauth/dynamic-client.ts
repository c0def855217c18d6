import { z } from 'zod'
import { CLIENT_ID_MAX_LENGTH } from '#lib/config/limits'
import { decodeText, encodeText } from '#lib/core/base64url'
import { sha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import { type AuthMethod, authMethods, type DynamicClient, type GrantType } from '#lib/oauth/client'
import type { ClientMetadata } from '#lib/oauth/client-metadata'
import { redirectHost, redirectPlace } from '#lib/oauth/redirect-uri'

/** How every id of a client that registered itself begins. */
export const DYNAMIC_CLIENT_PREFIX = 'dc1_'
const SECRET_PREFIX = 'gcs_'

/** RFC 7591 §2: what a client gets that does not choose. */
const DEFAULT_METHOD = 'client_secret_basic'

/** `dc1_`, the key's id, the MAC, and the metadata: only `[A-Za-z0-9_-]`, so no encoding can spoil it. */
const ID = /^dc1_([A-Za-z0-9_-]{8})([A-Za-z0-9_-]{43})([A-Za-z0-9_-]+)$/
const SECRET = /^gcs_([A-Za-z0-9_-]{8})([A-Za-z0-9_-]{43})$/

/** The metadata inside an id. Short names: it stands in every URL and token. Absent means the default. */
const payload = z.object({
  r: z.array(z.string()).min(1),
  n: z.string().optional(),
  /** May refresh. */
  f: z.literal(1).optional(),
  /** Index of the chosen authentication method. */
  m: z.number().int().min(0).max(2).optional(),
  s: z.string().optional(),
  a: z.enum(['web', 'native']).optional(),
  /** Makes the id of a confidential client, and so its secret, its own. */
  x: z.string().optional(),
})

/** A client id, and the secret of a confidential client. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientSecret: string | undefined
}

/** The authentication method that was registered, chosen or by default. */
export const effectiveAuthMethod = (metadata: Pick<ClientMetadata, 'authMethod'>): AuthMethod =>
  metadata.authMethod ?? DEFAULT_METHOD

/**
 * Registers a client without writing anything: its id is its metadata and a MAC (RFC 7591 appendix A.5.2).
 * A public client gets the same id for the same metadata, in whatever order; a confidential one gets an id
 * and a secret of its own, and the secret is derived from the id.
 *
 * @returns `undefined` when the id would be longer than clients and servers carry
 */
export async function registerDynamicClient(
  metadata: ClientMetadata,
  { keyRing, random }: { readonly keyRing: KeyRing; readonly random: Random },
): Promise<RegisteredClient | undefined> {
  const isPublic = effectiveAuthMethod(metadata) === 'none'
  const compact: z.output<typeof payload> = {
    r: metadata.redirectUris.toSorted(),
    ...(metadata.name === undefined ? {} : { n: metadata.name }),
    ...(metadata.grantTypes.includes('refresh_token') ? { f: 1 as const } : {}),
    ...(metadata.authMethod === undefined ? {} : { m: authMethods.indexOf(metadata.authMethod) }),
    ...(metadata.scopes === undefined ? {} : { s: metadata.scopes.toSorted().join(' ') }),
    ...(metadata.applicationType === undefined ? {} : { a: metadata.applicationType }),
    ...(isPublic ? {} : { x: random(9) }),
  }
  const encoded = encodeText(JSON.stringify(compact))
  const { kid, mac } = await keyRing.sign('client-registration', encoded)
  const clientId = `${DYNAMIC_CLIENT_PREFIX}${kid}${mac}${encoded}`
  if (clientId.length > CLIENT_ID_MAX_LENGTH) return undefined

  const secret = isPublic ? undefined : await keyRing.sign('client-secret', clientId)
  return { clientId, clientSecret: secret && `${SECRET_PREFIX}${secret.kid}${secret.mac}` }
}

/** The client that an id describes; `undefined` for an id that this server did not issue. */
export async function openDynamicClient(
  clientId: string,
  keyRing: KeyRing,
): Promise<DynamicClient | undefined> {
  if (clientId.length > CLIENT_ID_MAX_LENGTH) return undefined
  const [, kid, mac, encoded] = ID.exec(clientId) ?? []
  if (!kid || !mac || !encoded) return undefined
  if (!(await keyRing.verify('client-registration', encoded, { kid, mac }))) return undefined

  const { r, n, f, m, s } = payload.parse(JSON.parse(decodeText(encoded) ?? ''))
  const chosen = m === undefined ? undefined : authMethods[m]
  const grantTypes: GrantType[] = f ? ['authorization_code', 'refresh_token'] : ['authorization_code']
  return {
    kind: 'dynamic',
    id: clientId,
    key: await clientKey(r),
    name: n ?? redirectHost(r[0] ?? ''),
    verified: false,
    redirectUris: r,
    grantTypes,
    authMethods: chosen ? [chosen] : ['client_secret_basic', 'client_secret_post'],
    scopeCeiling: s?.split(' '),
  }
}

/** Whether a secret is the one that was issued with a client id. */
export async function isDynamicClientSecret(
  secret: string,
  clientId: string,
  keyRing: KeyRing,
): Promise<boolean> {
  const [, kid, mac] = SECRET.exec(secret) ?? []
  return kid && mac ? keyRing.verify('client-secret', clientId, { kid, mac }) : false
}

/** Hosts register again and again with another name or version: where answers go stays (DESIGN.md §6). */
async function clientKey(redirectUris: readonly string[]): Promise<string> {
  const places = [...new Set(redirectUris.map(redirectPlace))].toSorted()
  return `dcr_${(await sha256(places.join(' '))).slice(0, 22)}`
}
