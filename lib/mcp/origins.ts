/** Which pages and which host names may reach the MCP endpoint. Everything comes from the configuration. */
export interface OriginPolicy {
  /** Our own origin: that of `PUBLIC_URL`. */
  readonly origin: string
  /** Further origins, exactly as browsers send them (`ALLOWED_ORIGINS`). */
  readonly allowedOrigins: readonly string[]
  /** Further values of `Host`, with the port where there is one (`ALLOWED_HOSTS`). */
  readonly allowedHosts: readonly string[]
}

const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])$/

/** Answers for one policy whether an `Origin` or a `Host` may come in. */
export interface OriginGuard {
  /** `undefined` (no browser, or a same-origin GET) passes; `null` as text is a page without an origin: refused. */
  allowsOrigin(origin: string | null): boolean
  /** Against DNS rebinding: a page of another site reaches us only under its own host name. */
  allowsHost(host: string): boolean
}

/**
 * Makes the guard. Loopback names on any port count as our own while our own origin is loopback, because
 * local tools (inspectors, proxies) choose their ports freely.
 */
export function createOriginGuard({ origin, allowedOrigins, allowedHosts }: OriginPolicy): OriginGuard {
  const own = new URL(origin)
  const local = loopback.test(own.hostname)
  const origins = new Set([own.origin, ...allowedOrigins.map((allowed) => allowed.toLowerCase())])
  const hosts = new Set([own.host, ...allowedHosts.map((allowed) => allowed.toLowerCase())])

  return {
    allowsOrigin(sent) {
      if (sent === null) return true
      return origins.has(sent.toLowerCase()) || (local && isLoopbackOrigin(sent))
    },
    allowsHost(sent) {
      const host = sent.toLowerCase()
      return hosts.has(host) || (local && loopback.test(host.replace(/:\d{1,5}$/, '')))
    },
  }
}

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(origin)
}
