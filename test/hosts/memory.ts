import assert from 'node:assert/strict'
import type { HostProfile, ResourceSource, ScopeSource } from '#test/hosts/profile'
import type { FetchPerson } from '#test/support/person-by-fetch'

/** What a replayed host has learnt so far. */
export interface Memory {
  readonly profile: HostProfile
  readonly origin: string
  /** The URL that the person pasted. */
  readonly url: string
  readonly person: FetchPerson
  readonly port: number
  readonly otherPort: number
  /** By its metadata document instead of a registration. */
  readonly byDocument: boolean
  challenge?: { readonly resourceMetadata: string; readonly scope: string }
  resource?: ResourceMetadata
  server?: ServerMetadata
  client?: { readonly id: string; readonly secret: string | undefined }
  authorized?: { readonly answer: URL; readonly verifier: string; readonly redirectUri: string }
  tokens?: Tokens
  session?: string
  instructions?: string
  tools?: readonly Tool[]
  listed?: Readonly<Record<string, unknown>>
}

export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported: readonly string[]
}

export interface ServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint: string
  readonly scopes_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly authorization_response_iss_parameter_supported?: boolean
  readonly client_id_metadata_document_supported?: boolean
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
}

export interface Tool {
  readonly name: string
  readonly inputSchema: Readonly<Record<string, unknown>>
  readonly annotations?: { readonly readOnlyHint?: boolean }
}

/** A value that an earlier step must have brought. */
export function known<Value>(value: Value | undefined, what: string): Value {
  assert.ok(value !== undefined, `the host has no ${what}: an earlier step failed`)
  return value
}

/** Fills in ports, in texts at any depth. */
export function fill<Value>(value: Value, memory: Pick<Memory, 'port' | 'otherPort'>): Value {
  const text = JSON.stringify(value)
    .replaceAll('{port}', String(memory.port))
    .replaceAll('{other-port}', String(memory.otherPort))
  return JSON.parse(text) as Value
}

/** The `scope` that this host sends, or `undefined` for none. */
export function scopeOf(source: ScopeSource | undefined, memory: Memory): string | undefined {
  switch (source) {
    case 'challenge':
      return known(memory.challenge, 'challenge').scope
    case 'challenge+offline_access': {
      const offered = known(memory.server, 'server metadata').scopes_supported.includes('offline_access')
      return `${known(memory.challenge, 'challenge').scope}${offered ? ' offline_access' : ''}`
    }
    case 'resource-metadata':
      return known(memory.resource, 'resource metadata').scopes_supported.join(' ')
    case 'server-metadata':
      return known(memory.server, 'server metadata').scopes_supported.join(' ')
    default:
      return undefined
  }
}

/** The `resource` that this host sends, or nothing. */
export function resourceOf(source: ResourceSource, memory: Memory): Readonly<Record<string, string>> {
  if (source === 'none') return {}
  return { resource: source === 'url' ? memory.url : known(memory.resource, 'resource metadata').resource }
}
