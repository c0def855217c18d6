import { err, ok, type Result } from '#lib/core/result'
import type { AuthMethod } from '#lib/oauth/client'
import type { Parameters } from '#lib/oauth/parameters'

/** What a client presented at the token endpoint. */
export interface ClientCredentials {
  readonly clientId: string
  readonly method: AuthMethod
  /** Absent with the method `none`. */
  readonly clientSecret: string | undefined
}

/** Why credentials cannot be looked at. `viaHeader`: the answer must carry a challenge (RFC 6749 §5.2). */
export interface CredentialsRefusal {
  readonly error: 'invalid_request' | 'invalid_client'
  readonly viaHeader: boolean
}

/**
 * Reads the client authentication of a token request (OAuth 2.1 §2.4): the Authorization header, the form, or
 * the bare id of a public client; never two of them.
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
  if (asserts) return err({ error: 'invalid_client', viaHeader: false })
  if (viaHeader) return readBasic(authorization, get('client_id'))

  const clientId = get('client_id')
  if (clientId === undefined) return err({ error: 'invalid_request', viaHeader: false })
  return ok({ clientId, clientSecret, method: clientSecret === undefined ? 'none' : 'client_secret_post' })
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
