/** What the guard needs to know of a scope (`lib/tools/scopes.ts`). */
export interface GuardedScope {
  readonly name: string
  readonly includes: readonly string[]
}

/**
 * Whether a token may do something. Everything is listed whatever a token holds; the call is guarded, so
 * that a client can ask the person for more (MCP authorization, "Scope Challenge Handling").
 */
export interface ScopeGuard {
  allows(held: readonly string[], needed: string): boolean
  /** The scopes to ask for: those held and the one needed, so that nothing is lost by asking. */
  challenge(held: readonly string[], needed: string): ScopesAsked
}

/** At least one scope, in the order asked for. */
export type ScopesAsked = readonly [string, ...string[]]

/** Makes the guard of a server's scopes. A scope includes what its included ones include. */
export function createScopeGuard(scopes: readonly GuardedScope[]): ScopeGuard {
  const included = new Map(scopes.map((scope) => [scope.name, scope.includes]))
  const reaches = (held: string, needed: string, seen: ReadonlySet<string> = new Set()): boolean => {
    if (held === needed) return true
    if (seen.has(held)) return false
    return (included.get(held) ?? []).some((next) => reaches(next, needed, new Set([...seen, held])))
  }
  return {
    allows: (held, needed) => held.some((scope) => reaches(scope, needed)),
    challenge: (held, needed) => [needed, ...new Set(held.filter((scope) => scope !== needed))],
  }
}
