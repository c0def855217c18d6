import { err, ok, type Result } from '#lib/core/result'
import type { AuthMethod } from '#lib/oauth/client'
import { CLIENT_ASSERTION_TYPE, claimedClientId } from '#lib/oauth/client-assertion'
import type { Parameters } from '#lib/oauth/parameters'

/** What a client presented at the token endpoint. */
export interface ClientCredentials {
  readonly clientId: string
  readonly method: AuthMethod
  /** Absent unless the method sends one. */
  readonly clientSecret: string | undefined
  /** With `private_key_jwt`, and nothing of it is proven: the id is the one that it claims. */
  readonly clientAssertion?: string
}

/** Why credentials cannot be looked at. `viaHeader`: the answer must carry a challenge (RFC 6749 §5.2). */
export interface CredentialsRefusal {
  readonly error: 'invalid_request' | 'invalid_client'
  readonly viaHeader: boolean
}

/**
 * Reads the client authentication of a token request (OAuth 2.1 §2.4): the Authorization header, the form, a
 * signed assertion, or the bare id of a public client; never two of them.
 */
export function readClientCredentials(
  authorization: string | null,
  { get }: Pick<Parameters, 'get'>,
): Result<ClientCredentials, CredentialsRefusal> {
  const viaHeader = authorization !== null
  const clientSecret = get('client_secret')
  const asserts = get('client_assertion') !== undefined || get('client_assertion_type') !== undefined
  if ([viaHeader, clientSecret !== undefined, asserts].filter(Boolean).length > 1) {
    return err({ error: 'invalid_request', viaHeader: false })
  }
  if (asserts) return readAssertion(get)
  if (viaHeader) return readBasic(authorization, get('client_id'))

  const clientId = get('client_id')
  if (clientId === undefined) return err({ error: 'invalid_request', viaHeader: false })
  return ok({ clientId, clientSecret, method: clientSecret === undefined ? 'none' : 'client_secret_post' })
}

/** RFC 7523 §2.2: the assertion says who the client is; a `client_id` beside it must say the same. */
function readAssertion(get: Parameters['get']): Result<ClientCredentials, CredentialsRefusal> {
  const clientAssertion = get('client_assertion') ?? ''
  const isKnownType = get('client_assertion_type') === CLIENT_ASSERTION_TYPE
  const clientId = isKnownType ? claimedClientId(clientAssertion) : undefined
  const named = get('client_id') ?? clientId
  if (clientId === undefined || named !== clientId) return err({ error: 'invalid_client', viaHeader: false })
  return ok({ clientId, clientSecret: undefined, method: 'private_key_jwt', clientAssertion })
}

/** RFC 6749 §2.3.1: id and secret are form-encoded first, then joined as RFC 7617 says. */
function readBasic(
  authorization: string,
  formClientId: string | undefined,
): Result<ClientCredentials, CredentialsRefusal> {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(decodeBase64(encoded) ?? '') ?? []
  const clientId = decodeForm(id)
  const clientSecret = decodeForm(secret)
  if (!clientId || clientSecret === undefined) return err({ error: 'invalid_client', viaHeader: true })
  if (formClientId !== undefined && formClientId !== clientId) {
    return err({ error: 'invalid_request', viaHeader: true })
  }
  return ok({ clientId, clientSecret, method: 'client_secret_basic' })
}

function decodeBase64(encoded: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function decodeForm(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
