import { z } from 'zod'

/** What a client may choose that registers itself. */
export const registrableAuthMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const

/** How a client proves who it is at the token endpoint (RFC 7591 §2). */
export const authMethods = [...registrableAuthMethods, 'private_key_jwt'] as const
export type AuthMethod = (typeof authMethods)[number]

/** What a client may do at the token endpoint. */
export const grantTypes = ['authorization_code', 'refresh_token'] as const
export type GrantType = (typeof grantTypes)[number]

/** Where the public keys of a client stand, with which it signs assertions: in its metadata or at an address. */
export const clientKeys = z.union([
  z.looseObject({ jwks: z.looseObject({ keys: z.array(z.looseObject({})) }) }),
  z.looseObject({ jwksUri: z.string() }),
])
export type ClientKeys =
  | { readonly jwks: { readonly keys: Record<string, unknown>[] } }
  | { readonly jwksUri: string }

/**
 * A client as a grant remembers it, so that its connection can be shown and judged when the client id no
 * longer opens.
 */
export const clientRecord = z.looseObject({
  id: z.string(),
  /** How the client came: more kinds follow, so a reader must expect any. */
  kind: z.string(),
  /** Stable over re-registrations: blocking, trust and permissions go by it (DESIGN.md §6). */
  key: z.string(),
  name: z.string(),
  /** Whether the name is vouched for by more than the client itself. */
  verified: z.boolean(),
  redirectUris: z.array(z.string()),
  grantTypes: z.array(z.string()),
  /** Of a metadata document: the token endpoint never fetches it again. */
  authMethods: z.array(z.string()).optional(),
  keys: clientKeys.optional(),
  /** Of a metadata document: what the person saw of it. */
  digest: z.string().optional(),
})
export type ClientRecord = z.output<typeof clientRecord>

interface AnyClient {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly verified: boolean
  /** Raw strings: they are compared, never normalized. */
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly GrantType[]
  /** Methods it may use; more than one when it did not choose (OAUTH.md §1.6). */
  readonly authMethods: readonly AuthMethod[]
  /** Registered `scope`: the most it may ask for. */
  readonly scopeCeiling: readonly string[] | undefined
}

/** Registered by itself and kept in its own id (RFC 7591 appendix A.5.2). */
export interface DynamicClient extends AnyClient {
  readonly kind: 'dynamic'
}

/** Named by the address of its metadata, which its domain vouches for (client id metadata documents). */
export interface DocumentClient extends AnyClient {
  readonly kind: 'metadata_document'
  /** The name of the host that the document came from. */
  readonly host: string
  readonly keys: ClientKeys | undefined
  /** Changes with the name, the redirect URIs and whatever else a person agreed to. */
  readonly digest: string
}

/** Registered by the operator and kept in the store. */
export interface StaticClient extends AnyClient {
  readonly kind: 'static'
  /** SHA-256 of each secret that is good now. */
  readonly secretHashes: readonly string[]
  readonly keys: ClientKeys | undefined
}

/** Every kind of client. */
export type Client = DynamicClient | DocumentClient | StaticClient

/** What a grant keeps of its client. */
export function toClientRecord(client: Client): ClientRecord {
  const { id, kind, key, name, verified } = client
  return {
    id,
    kind,
    key,
    name,
    verified,
    redirectUris: [...client.redirectUris],
    grantTypes: [...client.grantTypes],
    ...(client.kind === 'metadata_document' ? documentFacts(client) : {}),
  }
}

const documentFacts = ({ authMethods: methods, keys, digest }: DocumentClient) => ({
  authMethods: [...methods],
  digest,
  ...(keys === undefined ? {} : { keys }),
})
