import { z } from 'zod'
import { CLIENT_NAME_MAX_LENGTH, REDIRECT_URIS_MAX } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import { type AuthMethod, type GrantType, grantTypes, registrableAuthMethods } from '#lib/oauth/client'
import { redirectKind } from '#lib/oauth/redirect-uri'
import { parseScope } from '#lib/oauth/scope'

/** What a client registers (RFC 7591 §2), as far as this server keeps it. */
export interface ClientMetadata {
  /** Acceptable ones only, each once, in the order sent. */
  readonly redirectUris: readonly string[]
  readonly name: string | undefined
  readonly grantTypes: readonly GrantType[]
  /** `undefined`: it did not choose, so the default stands and either way of sending a secret is accepted. */
  readonly authMethod: AuthMethod | undefined
  /** Scopes that this server knows; `undefined` when none was named. */
  readonly scopes: readonly string[] | undefined
  readonly applicationType: 'web' | 'native' | undefined
}

/** RFC 7591 §3.2.2. */
export type RegistrationRefusal = 'invalid_redirect_uri' | 'invalid_client_metadata'

/** What this server would accept. */
export interface RegistrationPolicy {
  readonly scopes: readonly string[]
  /** Refuse private-use redirect schemes. */
  readonly strictRedirects: boolean
}

/** An absent member may be spelled `null`: hosts do. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined)

const webAddress = z
  .string()
  .max(2048)
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))

const PRIVATE_JWK_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** A key set that holds nothing secret: neither the private half of a key nor a shared one. */
export const publicJwks = z.looseObject({
  keys: z.array(
    z.looseObject({}).refine((jwk) => PRIVATE_JWK_MEMBERS.every((member) => !Object.hasOwn(jwk, member))),
  ),
})

/** Members that are known are checked; all others are ignored and never kept (RFC 7591 §2). */
const request = z.looseObject({
  client_name: optional(z.string().max(CLIENT_NAME_MAX_LENGTH)),
  grant_types: optional(z.array(z.string())),
  response_types: optional(z.array(z.string())),
  token_endpoint_auth_method: optional(z.enum(registrableAuthMethods)),
  application_type: optional(z.enum(['web', 'native'])),
  scope: optional(z.string()),
  client_uri: optional(webAddress),
  logo_uri: optional(webAddress),
  tos_uri: optional(webAddress),
  policy_uri: optional(webAddress),
  jwks_uri: optional(webAddress),
  jwks: optional(publicJwks),
})

/**
 * The members for which a body is no registration, apart from its redirect URIs; `undefined` when it is no
 * object. Names are ours, never those of the body.
 */
export function faultyMembers(body: unknown): readonly string[] | undefined {
  const parsed = request.safeParse(body)
  if (!parsed.success) {
    const paths = parsed.error.issues.map(({ path: [member] }) => member)
    return paths.includes(undefined) ? undefined : [...new Set(paths.map(String))]
  }
  const { scope, grant_types: grants, response_types: responses } = parsed.data
  return [
    ...(knownScopes(scope, []).ok ? [] : ['scope']),
    ...(acceptedGrantTypes(grants) ? [] : ['grant_types']),
    ...((responses?.includes('code') ?? true) ? [] : ['response_types']),
  ]
}

/**
 * Reads a registration request. What this server cannot give is refused where the client would not work
 * without it, and replaced where it would (RFC 7591 §3.2.1).
 */
export function parseClientMetadata(
  body: unknown,
  policy: RegistrationPolicy,
): Result<ClientMetadata, RegistrationRefusal> {
  const parsed = request.safeParse(body)
  if (!parsed.success) return err('invalid_client_metadata')
  const sent = parsed.data

  const scopes = knownScopes(sent.scope, policy.scopes)
  const grants = acceptedGrantTypes(sent.grant_types)
  const answersWithCode = sent.response_types?.includes('code') ?? true
  if (!scopes.ok || !grants || !answersWithCode) return err('invalid_client_metadata')

  const redirectUris = acceptedRedirectUris(sent['redirect_uris'], {
    strict: policy.strictRedirects,
    web: sent.application_type === 'web',
  })
  if (!redirectUris) return err('invalid_redirect_uri')

  return ok({
    redirectUris,
    name: cleanName(sent.client_name),
    grantTypes: grants,
    authMethod: sent.token_endpoint_auth_method,
    scopes: scopes.value,
    applicationType: sent.application_type,
  })
}

/** Some hosts register several addresses at once; those that are not acceptable are dropped, not the client. */
export function acceptedRedirectUris(
  sent: unknown,
  { strict, web }: { readonly strict: boolean; readonly web: boolean },
): readonly string[] | undefined {
  if (!Array.isArray(sent) || sent.length > REDIRECT_URIS_MAX) return undefined

  const accepted = sent.filter((uri): uri is string => {
    const kind = typeof uri === 'string' ? redirectKind(uri) : undefined
    if (kind === 'https') return true
    if (kind === 'loopback') return !web
    return kind === 'private-use' && !web && !strict
  })
  return accepted.length > 0 ? [...new Set(accepted)] : undefined
}

/** RFC 7591 §2: `authorization_code` when omitted; without it there is nothing this server could do. */
export function acceptedGrantTypes(sent: readonly string[] | undefined): readonly GrantType[] | undefined {
  const wanted = sent === undefined || sent.length === 0 ? ['authorization_code'] : sent
  return wanted.includes('authorization_code')
    ? grantTypes.filter((type) => wanted.includes(type))
    : undefined
}

/** A ceiling of scopes that this server has never heard of is none: the client could never be authorized. */
export function knownScopes(
  sent: string | undefined,
  known: readonly string[],
): Result<readonly string[] | undefined, 'scope_invalid'> {
  if (sent === undefined || sent.trim() === '') return ok(undefined)
  const asked = parseScope(sent)
  if (!asked) return err('scope_invalid')
  const kept = known.filter((name) => asked.includes(name))
  return ok(kept.length > 0 ? kept : undefined)
}

/** One line of visible text: control and direction characters could make a name read as another. */
export function cleanName(name: string | undefined): string | undefined {
  const line = name
    ?.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line || undefined
}
