import { REDIRECT_URI_MAX_LENGTH } from '#lib/config/limits'

declare const brand: unique symbol

/** A redirect URI that its client registered. Only `matchRedirectUri` makes one. */
export type RegisteredRedirectUri = string & { readonly [brand]: 'RegisteredRedirectUri' }

/** How an answer gets there: by itself, or by a click because an app of this machine will open. */
export type RedirectKind = 'https' | 'loopback' | 'private-use'

/** Schemes of apps that are known and have no dot, which RFC 8252 §7.1 asks for. */
const KNOWN_SCHEMES = new Set(
  'antigravity claude code-oss codex cursor devin goose grokbot kiro opencode raycast trae vscode vscode-insiders vscodium warp windsurf zed'.split(
    ' ',
  ),
)

/** Schemes that run something, read something or write to somebody: never. `ms-*` belongs to them. */
const FORBIDDEN_SCHEMES = new Set(
  'about blob chrome chrome-extension cid content data file filesystem ftp ftps gopher intent jar javascript ldap mailto mid moz-extension news nntp res resource sftp sip sips sms smb ssh tel telnet urn vbscript view-source ws wss'.split(
    ' ',
  ),
)

const SCHEME = /^([a-z][a-z0-9+.-]*):/i
/** Visible ASCII without backslash and fragment. */
const CHARACTERS = /^[\x21\x22\x24-\x5b\x5d-\x7e]+$/
const AUTHORITY = /^[a-z]+:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?(?=[/?]|$)/i
const LOOPBACK = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::\d{1,5})?((?:[/?].*)?)$/

/**
 * What kind of redirect URI a text is; `undefined` when no client may register it (OAUTH.md §1.7): it must be
 * absolute, plain, without fragment and user information, and https, http to the loopback interface (RFC
 * 8252 §7.3), or a private-use scheme with a dot or of a known app (§7.1).
 */
export function redirectKind(uri: string): RedirectKind | undefined {
  if (!isPlain(uri)) return undefined

  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase() ?? ''
  if (scheme === 'http') return LOOPBACK.test(uri) && isPlainAuthority(uri) ? 'loopback' : undefined
  if (scheme === 'https') return isPlainAuthority(uri) ? 'https' : undefined
  return isPrivateUse(scheme) ? 'private-use' : undefined
}

/**
 * The registered redirect URI that a request means: the same string, byte for byte (RFC 3986 §6.2.1), or,
 * on the loopback interface, the same but for its port (RFC 8252 §7.3). Without one in the request the only
 * registered one is meant (OAuth 2.1 §2.3.2).
 */
export function matchRedirectUri(
  registered: readonly string[],
  requested: string | undefined,
): RegisteredRedirectUri | undefined {
  if (requested === undefined) {
    const [only, ...others] = registered
    return others.length === 0 ? (only as RegisteredRedirectUri | undefined) : undefined
  }
  const matches = registered.some((uri) => uri === requested || isSameButForPort(uri, requested))
  return matches ? (requested as RegisteredRedirectUri) : undefined
}

/** Where an answer goes, as a person may read it: the host with its port, or a private-use scheme. */
export function redirectHost(uri: string): string {
  const { host, protocol } = new URL(uri)
  return protocol === 'https:' || protocol === 'http:' ? host : protocol
}

/** What stands for a redirect URI in a client key: no port on loopback, because it is another each time. */
export function redirectPlace(uri: string): string {
  const { hostname, host, protocol } = new URL(uri)
  if (protocol === 'https:') return `https://${host}`
  return protocol === 'http:' ? `http://${hostname}` : protocol
}

function isPlain(uri: string): boolean {
  if (uri.length > REDIRECT_URI_MAX_LENGTH || !CHARACTERS.test(uri) || !URL.canParse(uri)) return false
  const { username, password } = new URL(uri)
  return username === '' && password === ''
}

function isSameButForPort(registered: string, requested: string): boolean {
  const [, host, rest] = LOOPBACK.exec(registered) ?? []
  const [, requestedHost, requestedRest] = LOOPBACK.exec(requested) ?? []
  if (host === undefined || host !== requestedHost || rest !== requestedRest) return false
  return redirectKind(requested) === 'loopback'
}

/** Whether the host is spelled as a browser will read it, so that a page cannot show another. */
function isPlainAuthority(uri: string): boolean {
  const [, host = ''] = AUTHORITY.exec(uri) ?? []
  return host !== '' && new URL(uri).hostname === host.toLowerCase()
}

function isPrivateUse(scheme: string): boolean {
  if (scheme === '' || FORBIDDEN_SCHEMES.has(scheme) || scheme.startsWith('ms-')) return false
  return scheme.includes('.') || KNOWN_SCHEMES.has(scheme)
}
