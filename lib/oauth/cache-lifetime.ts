/** The headers that say how long an answer may be used again (RFC 9111 §4.2.1). */
export interface CacheHeaders {
  readonly cacheControl: string | null
  readonly expires: string | null
  /** Seconds in caches on the way. */
  readonly age: string | null
}

/**
 * How long an answer may be used again, in ms, within bounds; `undefined` when its sender forbids it
 * (`no-store`, `no-cache`, `private`).
 *
 * @param now - ms
 */
export function cacheLifetimeMs(
  { cacheControl, expires, age }: CacheHeaders,
  { now, minMs, maxMs }: { readonly now: number; readonly minMs: number; readonly maxMs: number },
): number | undefined {
  const directives = readDirectives(cacheControl ?? '')
  if (['no-store', 'no-cache', 'private'].some((name) => directives.has(name))) return undefined

  const seconds = directives.get('s-maxage') ?? directives.get('max-age')
  const lifetimeMs = seconds === undefined ? Date.parse(expires ?? '') - now : Number(seconds) * 1000
  const spentMs = seconds === undefined ? 0 : Number(age ?? 0) * 1000
  const restMs = lifetimeMs - spentMs
  return Number.isFinite(restMs) ? Math.floor(Math.min(Math.max(restMs, minMs), maxMs)) : minMs
}

/** Directives by name, in lower case; of repeated ones the first counts. */
function readDirectives(header: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>()
  for (const piece of header.split(',')) {
    const [, name = '', value = ''] = /^\s*([\w-]+)(?:\s*=\s*"?([^"]*)"?)?\s*$/.exec(piece) ?? []
    if (name !== '' && !directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), value.trim())
  }
  return directives
}
