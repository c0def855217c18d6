import { z } from 'zod'
import { CLIENT_NAME_MAX_LENGTH } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { type ClientKeys, type DocumentClient, type GrantType, grantTypes } from '#lib/oauth/client'
import { readClientIdUrl } from '#lib/oauth/client-id-url'
import {
  acceptedGrantTypes,
  acceptedRedirectUris,
  cleanName,
  knownScopes,
  optional,
  publicJwks,
  type RegistrationPolicy,
} from '#lib/oauth/client-metadata'

/** How a client may authenticate that published its metadata: it shares no secret with anyone. */
export const documentAuthMethods = ['none', 'private_key_jwt'] as const
type DocumentAuthMethod = (typeof documentAuthMethods)[number]

/** What is kept of a client id metadata document, after it was found good. */
export interface MetadataDocument {
  readonly clientId: string
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly GrantType[]
  readonly authMethods: readonly DocumentAuthMethod[]
  /** `undefined`: it signs nothing. */
  readonly keys?: ClientKeys | undefined
  /** The most it may ask for; `undefined` when it named none. */
  readonly scopes?: readonly string[] | undefined
}

/** A document as the cache of the store keeps it, between requests and instances. */
export const cachedDocument = z.looseObject({
  v: z.literal(1),
  clientId: z.string(),
  name: z.string(),
  redirectUris: z.array(z.string()).min(1),
  grantTypes: z.array(z.enum(grantTypes)),
  authMethods: z.array(z.enum(documentAuthMethods)),
  keys: z.union([z.looseObject({ jwks: publicJwks }), z.looseObject({ jwksUri: z.string() })]).optional(),
  scopes: z.array(z.string()).optional(),
  /** ms: until then it is used without asking its host. */
  freshUntil: z.number(),
})

/** The body came from the right place and is no client: what the host says counts. */
export type DocumentFault =
  | 'name_missing'
  | 'redirect_uris_unacceptable'
  | 'secret_present'
  | 'auth_method_unsupported'
  | 'grant_types_unsupported'
  | 'member_malformed'
  /** The body is something else than the document: an error page, or another client's. */
  | 'not_the_document'

/** What was fetched, before it is believed. */
export interface FetchedBody {
  readonly contentType: string | null
  readonly body: Uint8Array
}

const text = optional(z.string())

const metadata = z.looseObject({
  client_id: z.string(),
  client_name: z.string().max(CLIENT_NAME_MAX_LENGTH),
  grant_types: optional(z.array(z.string())),
  response_types: optional(z.array(z.string())),
  token_endpoint_auth_method: text,
  token_endpoint_auth_methods_supported: optional(z.array(z.string())),
  application_type: text,
  scope: text,
  jwks_uri: optional(z.string().refine((uri) => readClientIdUrl(uri) !== undefined)),
  jwks: optional(publicJwks),
})
type Metadata = z.output<typeof metadata>

/**
 * Validates what stands at a client id (draft-ietf-oauth-client-id-metadata-document §4.1; OAUTH.md §1.14).
 * Redirect URIs go through the one policy; a document that holds a secret is refused, because everybody can
 * read it.
 */
export function readMetadataDocument(
  clientId: string,
  fetched: FetchedBody,
  policy: RegistrationPolicy,
): Result<MetadataDocument, DocumentFault> {
  const object = readJsonObject(fetched)
  if (object?.['client_id'] !== clientId) return err('not_the_document')
  if (['client_secret', 'client_secret_expires_at'].some((name) => Object.hasOwn(object, name))) {
    return err('secret_present')
  }
  const parsed = metadata.safeParse(object)
  if (!parsed.success) return err(faultOf(parsed.error))
  return fromMetadata(clientId, parsed.data, policy)
}

function fromMetadata(
  clientId: string,
  sent: Metadata,
  policy: RegistrationPolicy,
): Result<MetadataDocument, DocumentFault> {
  const name = cleanName(sent.client_name)
  if (!name) return err('name_missing')

  const grants = acceptedGrantTypes(sent.grant_types)
  if (!grants || !(sent.response_types?.includes('code') ?? true)) return err('grant_types_unsupported')

  const web = sent.application_type === 'web'
  const redirectUris = acceptedRedirectUris(sent['redirect_uris'], { strict: policy.strictRedirects, web })
  if (!redirectUris) return err('redirect_uris_unacceptable')

  const scopes = knownScopes(sent.scope, policy.scopes)
  const keys = keysOf(sent)
  if (!scopes.ok || !keys.ok) return err('member_malformed')

  const authMethods = acceptedAuthMethods(sent, keys.value !== undefined)
  if (authMethods.length === 0) return err('auth_method_unsupported')
  const signs = authMethods.includes('private_key_jwt')
  return ok({
    clientId,
    name,
    redirectUris,
    grantTypes: grants,
    authMethods,
    keys: signs ? keys.value : undefined,
    scopes: scopes.value,
  })
}

/** The client that a document describes. Its key is the address: that is what stays (DESIGN.md §6). */
export async function toDocumentClient(document: MetadataDocument): Promise<DocumentClient> {
  const { clientId, name, redirectUris, grantTypes: grants, authMethods, keys, scopes } = document
  const seen = [name, redirectUris.toSorted(), grants, authMethods, keys ?? null, scopes ?? null]
  return {
    kind: 'metadata_document',
    id: clientId,
    key: clientId,
    host: readClientIdUrl(clientId)?.host ?? '',
    name,
    verified: true,
    redirectUris,
    grantTypes: grants,
    authMethods,
    keys,
    scopeCeiling: scopes,
    digest: await sha256(JSON.stringify(seen)),
  }
}

/** An object of strict UTF-8 JSON, sent as such; `undefined` for anything else. */
export function readJsonObject({ contentType, body }: FetchedBody): Record<string, unknown> | undefined {
  if (!/^application\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i.test(contentType?.trim() ?? '')) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function faultOf(error: z.ZodError): DocumentFault {
  return error.issues.some(({ path }) => path[0] === 'client_name') ? 'name_missing' : 'member_malformed'
}

/** RFC 7591 §2: never both. */
function keysOf({ jwks, jwks_uri: jwksUri }: Metadata): Result<ClientKeys | undefined, 'both'> {
  if (jwks && jwksUri !== undefined) return err('both')
  if (jwks) return ok({ jwks })
  return ok(jwksUri === undefined ? undefined : { jwksUri })
}

/**
 * What the client may use here: the method it declares, and those it offers besides (ChatGPT declares
 * `private_key_jwt` and offers `none`). A shared secret is refused even where something else is offered.
 */
function acceptedAuthMethods(sent: Metadata, hasKeys: boolean): readonly DocumentAuthMethod[] {
  const declared = sent.token_endpoint_auth_method ?? 'none'
  if (declared.startsWith('client_secret')) return []
  const offered = [declared, ...(sent.token_endpoint_auth_methods_supported ?? [])]
  return documentAuthMethods.filter((method) => offered.includes(method) && (method === 'none' || hasKeys))
}
