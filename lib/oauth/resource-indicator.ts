/** Scheme, authority and path as they are spelled; no query, no fragment, no user information. */
const ABSOLUTE = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+)(\/[^?#\\\s]*)?$/i

/**
 * Whether a `resource` parameter (RFC 8707 §2) means this server's one resource. Spellings that hosts are
 * seen to use are accepted: another case of scheme or host, the default port, one trailing slash, and the
 * origin alone. Omitted means the resource, too (OAUTH.md D11). Tokens always carry the exact `resource`.
 */
export function meansResource(requested: string | undefined, resource: string): boolean {
  if (requested === undefined) return true

  const [, server = '', path = '/'] = ABSOLUTE.exec(requested) ?? []
  const own = new URL(resource)
  if (!URL.canParse(server) || new URL(server).origin !== own.origin) return false
  // The path is compared as spelled: a parser would resolve dot segments first.
  return path === '/' || path === own.pathname || path === `${own.pathname}/`
}
