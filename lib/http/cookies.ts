/** The value of a cookie of a request; `undefined` when it is absent or sent twice with different values. */
export function readCookie(request: Request, name: string): string | undefined {
  const values = (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return new Set(values).size === 1 ? values[0] : undefined
}

/**
 * A `Set-Cookie` value for our own origin: HttpOnly, SameSite=Lax, the whole site. With `secure` it must
 * have a `__Host-` name (RFC 6265bis §4.1.3.2).
 */
export function cookie(
  name: string,
  value: string,
  { maxAgeSeconds, secure }: { readonly maxAgeSeconds: number; readonly secure: boolean },
): string {
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure ? '; Secure' : ''}`
  return `${name}=${value}; ${attributes}`
}

/** The name of one of our cookies: `__Host-` where the origin is https, plain on http loopback (Safari). */
export const cookieName = (name: string, secure: boolean): string =>
  secure ? `__Host-gatehouse-${name}` : `gatehouse-${name}`
