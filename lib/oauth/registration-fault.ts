import {
  CLIENT_ID_MAX_LENGTH,
  CLIENT_NAME_MAX_LENGTH,
  FORM_MAX_BYTES,
  REDIRECT_URI_MAX_LENGTH,
  REDIRECT_URIS_MAX,
} from '#lib/config/limits'
import { faultyMembers, type RegistrationPolicy, type RegistrationRefusal } from '#lib/oauth/client-metadata'
import { redirectKind } from '#lib/oauth/redirect-uri'

const address = 'must be an http or https address of at most 2048 characters'

/** What each member must be. */
const rules: Readonly<Record<string, string>> = {
  client_name: `must be text of at most ${CLIENT_NAME_MAX_LENGTH} characters`,
  grant_types: 'must be a list with authorization_code in it',
  response_types: 'must be a list with code in it',
  token_endpoint_auth_method: 'must be none, client_secret_basic or client_secret_post',
  application_type: 'must be web or native',
  scope: 'must be names of scopes with one space between',
  client_uri: address,
  logo_uri: address,
  tos_uri: address,
  policy_uri: address,
  jwks_uri: address,
  jwks: 'must be a key set without private or shared keys',
}

/** `error_description` of a body that is not looked into. */
export const bodyFaults = {
  media_type: 'Content-Type must be application/json',
  too_large: `The body must not exceed ${FORM_MAX_BYTES} bytes`,
  malformed: 'The body must be a JSON object',
} as const

/** `error_description` of metadata that no client id can hold. */
export const TOO_MUCH = `The metadata does not fit into a client id of ${CLIENT_ID_MAX_LENGTH} characters: register fewer or shorter redirect_uris`

/**
 * The `error_description` of a refused registration (RFC 7591 §3.2.2): the member and its rule, or what is
 * wrong with each redirect URI by its place. Never what was sent: only ASCII of our own.
 */
export function registrationFault(
  body: unknown,
  error: RegistrationRefusal,
  policy: RegistrationPolicy,
): string {
  if (error === 'invalid_redirect_uri') return redirectFaults(body as Registration, policy)
  const faulty = faultyMembers(body)
  if (faulty === undefined) return bodyFaults.malformed
  return faulty.map((member) => `${member} ${rules[member] ?? 'is not acceptable'}`).join('; ')
}

interface Registration {
  readonly redirect_uris?: unknown
  readonly application_type?: unknown
}

function redirectFaults(
  { redirect_uris: sent, application_type: type }: Registration,
  { strictRedirects }: RegistrationPolicy,
): string {
  if (!Array.isArray(sent) || sent.length === 0) return 'redirect_uris must be a list of at least one URI'
  if (sent.length > REDIRECT_URIS_MAX)
    return `redirect_uris must not have more than ${REDIRECT_URIS_MAX} members`
  const web = type === 'web'
  const faults = sent.map(
    (uri, place) => `redirect_uris[${place}] ${redirectFault(uri, { strictRedirects, web })}`,
  )
  return faults.join('; ')
}

function redirectFault(
  uri: unknown,
  { strictRedirects, web }: { readonly strictRedirects: boolean; readonly web: boolean },
): string {
  if (typeof uri !== 'string') return 'must be a string'
  const kind = redirectKind(uri)
  if (kind === undefined) return spellingFault(uri)
  if (web && kind !== 'https') return 'must be https because application_type is web'
  if (kind === 'private-use' && strictRedirects)
    return 'has a private-use scheme, which STRICT_REDIRECTS refuses here'
  return 'is acceptable'
}

function spellingFault(uri: string): string {
  if (uri.length > REDIRECT_URI_MAX_LENGTH) return `must not exceed ${REDIRECT_URI_MAX_LENGTH} characters`
  if (uri.includes('#')) return 'must not have a fragment'
  if (!/^[\x21-\x7e]+$/.test(uri) || uri.includes('\\')) return 'must be visible ASCII without a backslash'
  if (!URL.canParse(uri)) return 'must be an absolute URI'
  const { protocol, username, password } = new URL(uri)
  if (username !== '' || password !== '') return 'must not hold user information'
  if (protocol === 'http:') return 'may be http only for 127.0.0.1, [::1] or localhost'
  if (protocol === 'https:') return 'must spell its host as browsers do'
  return 'must be https, http to the loopback interface, or a scheme with a dot or of a known app'
}
