import { CLIENT_ID_URL_MAX_LENGTH } from '#lib/config/limits'

/** A client id that is the address of its own metadata document. The raw string is the identifier. */
export interface ClientIdUrl {
  /** As the client sent it: compared, never normalized. */
  readonly url: string
  /** In lower case, without port. */
  readonly host: string
  /** In lower case, with a port only when it is not 443. */
  readonly origin: string
}

const SCHEME = /^https:\/\//i
/** Characters of a URI (RFC 3986 §2), without the fragment's `#`; each `%` begins two hexadecimal digits. */
const CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9a-f]{2})+$/i
/** A host name with an optional port, then an explicit path. User information and IPv6 do not fit. */
const PARTS = /^https:\/\/([a-z0-9.-]+)(?::\d{1,5})?(\/[^?]*)(?:\?.*)?$/i
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Names that never mean a host of the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 7686). */
const PRIVATE_SUFFIXES = ['localhost', 'local', 'internal', 'home.arpa', 'onion']

/** Whether a client id means to be the address of a document; whether it may be one is another question. */
export const looksLikeClientIdUrl = (clientId: string): boolean => SCHEME.test(clientId)

/**
 * Reads a client id as the address of a client id metadata document; `undefined` when it cannot be one
 * (OAUTH.md §1.14): https, an explicit path, no fragment, user information or dot segment, and the name of a
 * public host, all looked at in the raw string, because parsing would hide what is wrong (`%2e%2e`, `\`,
 * decimal and octal addresses).
 */
export function readClientIdUrl(clientId: string): ClientIdUrl | undefined {
  if (clientId.length > CLIENT_ID_URL_MAX_LENGTH || !CHARACTERS.test(clientId)) return undefined
  const [, name, path] = PARTS.exec(clientId) ?? []
  if (name === undefined || path === undefined || hasDotSegment(path)) return undefined

  const host = name.toLowerCase()
  if (!isPublicName(host) || !URL.canParse(clientId)) return undefined
  const { hostname, origin } = new URL(clientId)
  return hostname === host ? { url: clientId, host, origin } : undefined
}

/** Parsers remove these silently, so that two spellings would be one document. */
const hasDotSegment = (path: string): boolean =>
  path.split('/').some((segment) => /^\.{1,2}$/.test(segment.replaceAll(/%2e/gi, '.')))

/** At least two labels, the last one not a number (that would be an IPv4 address), and no private suffix. */
function isPublicName(host: string): boolean {
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return false
  if (/^(\d+|0x[0-9a-f]*)$/.test(last)) return false
  return !PRIVATE_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))
}
