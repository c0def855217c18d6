import { z } from 'zod'
import { CLIENT_SECRETS_MAX } from '#lib/config/limits'
import { equalInConstantTime, sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { type AuthMethod, authMethods, clientKeys, type StaticClient } from '#lib/oauth/client'
import { parseClientMetadata, publicJwks, type RegistrationPolicy } from '#lib/oauth/client-metadata'
import { parseScope } from '#lib/oauth/scope'

/** How every id of a client that the operator registered begins. */
export const STATIC_CLIENT_PREFIX = 'sc_'
export const STATIC_SECRET_PREFIX = 'gss_'

/** Anything else is not looked up. */
const ID = /^sc_[\w-]{22}$/
export const isStaticClientId = (text: string): boolean => ID.test(text)

/** An app that the operator registered. Of its secrets only hashes stand here. */
export const staticClientRecord = z.looseObject({
  v: z.literal(1),
  id: z.string(),
  name: z.string(),
  redirectUris: z.array(z.string()).min(1),
  authMethods: z.array(z.enum(authMethods)).min(1),
  /** The newest first; SHA-256 of 256 random bits. */
  secrets: z.array(z.looseObject({ hash: z.string(), createdAt: z.number() })),
  keys: clientKeys.optional(),
  /** The most that it may ask for. */
  scopes: z.array(z.string()).optional(),
  /** ms */
  createdAt: z.number(),
})
export type StaticClientRecord = z.output<typeof staticClientRecord>

/** What a request describes, before it has an id. */
export type DescribedClient = Pick<
  StaticClientRecord,
  'name' | 'redirectUris' | 'authMethods' | 'keys' | 'scopes'
>

/** How a client may be asked to prove who it is; `secret`: either way of sending one. */
export const authChoices = ['secret', 'basic', 'post', 'none', 'private_key_jwt'] as const
export type AuthChoice = (typeof authChoices)[number]

const methodsOf: Readonly<Record<AuthChoice, readonly AuthMethod[]>> = {
  secret: ['client_secret_basic', 'client_secret_post'],
  basic: ['client_secret_basic'],
  post: ['client_secret_post'],
  none: ['none'],
  private_key_jwt: ['private_key_jwt'],
}

/** What an operator asks for. */
export interface StaticClientRequest {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly auth: AuthChoice
  /** With `private_key_jwt` one of both: the keys, or where they are. */
  readonly jwks?: unknown
  readonly jwksUri?: string | undefined
  readonly scope?: string | undefined
}

/** Why a client is not registered. */
export type StaticClientFault =
  | 'name_missing'
  | 'redirect_uri_refused'
  | 'scope_unknown'
  | 'jwks_missing'
  | 'jwks_refused'
  | 'jwks_without_use'

/** What a request describes; nothing of it is dropped in silence, because an operator can correct it. */
export function readStaticClient(
  asked: StaticClientRequest,
  policy: RegistrationPolicy,
): Result<DescribedClient, StaticClientFault> {
  const metadata = parseClientMetadata(
    { client_name: asked.name, redirect_uris: asked.redirectUris, grant_types: ['authorization_code'] },
    policy,
  )
  if (!metadata.ok) {
    return err(metadata.error === 'invalid_redirect_uri' ? 'redirect_uri_refused' : 'name_missing')
  }
  const { name, redirectUris } = metadata.value
  if (name === undefined) return err('name_missing')
  if (redirectUris.length !== new Set(asked.redirectUris).size) return err('redirect_uri_refused')

  const scopes = asked.scope === undefined ? undefined : parseScope(asked.scope)
  if (asked.scope !== undefined && !scopes?.every((scope) => policy.scopes.includes(scope))) {
    return err('scope_unknown')
  }
  const keys = readKeys(asked)
  if (!keys.ok) return keys
  return ok({
    name,
    redirectUris: [...redirectUris],
    authMethods: [...methodsOf[asked.auth]],
    ...(keys.value ? { keys: keys.value } : {}),
    ...(scopes ? { scopes: [...scopes] } : {}),
  })
}

function readKeys({
  auth,
  jwks,
  jwksUri,
}: StaticClientRequest): Result<StaticClientRecord['keys'], StaticClientFault> {
  if (auth !== 'private_key_jwt') {
    return jwks === undefined && jwksUri === undefined ? ok(undefined) : err('jwks_without_use')
  }
  if (jwks === undefined && jwksUri === undefined) return err('jwks_missing')
  if (jwksUri !== undefined) {
    const isAddress = URL.canParse(jwksUri) && new URL(jwksUri).protocol === 'https:' && jwks === undefined
    return isAddress ? ok({ jwksUri }) : err('jwks_refused')
  }
  const parsed = publicJwks.safeParse(jwks)
  return parsed.success && parsed.data.keys.length > 0 ? ok({ jwks: parsed.data }) : err('jwks_refused')
}

/** Whether a client proves itself with a secret. */
export const hasSecret = ({ authMethods: methods }: Pick<StaticClientRecord, 'authMethods'>): boolean =>
  methods.some((method) => method === 'client_secret_basic' || method === 'client_secret_post')

/** The secrets after a new one: it and the one before it are good, or it alone. */
export function withSecret(
  record: StaticClientRecord,
  secret: { readonly hash: string; readonly createdAt: number },
  { dropOld }: { readonly dropOld: boolean },
): StaticClientRecord {
  const secrets = dropOld ? [secret] : [secret, ...record.secrets].slice(0, CLIENT_SECRETS_MAX)
  return { ...record, secrets }
}

/** The client that a record describes. It is verified: the operator vouches for it. */
export function toStaticClient(record: StaticClientRecord): StaticClient {
  return {
    kind: 'static',
    id: record.id,
    key: record.id,
    name: record.name,
    verified: true,
    redirectUris: record.redirectUris,
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethods: record.authMethods,
    scopeCeiling: record.scopes,
    secretHashes: record.secrets.map(({ hash }) => hash),
    keys: record.keys,
  }
}

/** Whether a secret is one of the client's. Every hash is compared, whichever matches. */
export async function isStaticClientSecret(secret: string, client: StaticClient): Promise<boolean> {
  const hash = await sha256(secret)
  return client.secretHashes.map((known) => equalInConstantTime(known, hash)).includes(true)
}
