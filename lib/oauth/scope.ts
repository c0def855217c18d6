import { err, ok, type Result } from '#lib/core/result'

/** One permission of this server: the shape of `lib/tools/scopes.ts`. */
export interface Scope {
  readonly name: string
  /** As the consent page says it: a verb phrase with "your". */
  readonly sentence: string
  /** Base scopes are the default, the challenge's and the metadata's (DESIGN.md §6). */
  readonly base: boolean
  /** Scopes that this one includes. */
  readonly includes: readonly string[]
}

/** Accepted from hosts that ask for it, listed in the authorization server's metadata, never a scope of a token. */
export const OFFLINE_ACCESS = 'offline_access'

/** RFC 6749 §3.3: `scope-token *( SP scope-token )`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

/** The distinct tokens of a `scope` parameter; `undefined` when it is not one. */
export function parseScope(text: string): readonly string[] | undefined {
  return SCOPE.test(text) ? [...new Set(text.split(' '))] : undefined
}

/** The names of the base scopes. */
export const baseScopes = (scopes: readonly Scope[]): readonly string[] =>
  scopes.filter((scope) => scope.base).map((scope) => scope.name)

/** What some scopes amount to: they and all that they include. */
export function withIncluded(held: readonly string[], scopes: readonly Scope[]): ReadonlySet<string> {
  const all = new Set(held)
  // A set may grow while it is gone through: what an included scope includes is found as well.
  for (const name of all) {
    for (const next of scopes.find((scope) => scope.name === name)?.includes ?? []) all.add(next)
  }
  return all
}

/**
 * What an authorization request asks for: scopes this server does not know are dropped (RFC 6749 §3.3), an
 * omitted `scope` means the base scopes, and a client's own ceiling is kept. The order is that of `scopes`.
 */
export function requestedScopes(
  requested: string | undefined,
  {
    scopes,
    ceiling,
  }: { readonly scopes: readonly Scope[]; readonly ceiling?: readonly string[] | undefined },
): Result<readonly string[], 'scope_invalid'> {
  const asked = requested === undefined ? [OFFLINE_ACCESS] : parseScope(requested)
  if (!asked) return err('scope_invalid')

  // `offline_access` alone asks for no resource scope, so it means the same as an omitted scope.
  const onlyOffline = asked.every((name) => name === OFFLINE_ACCESS)
  const wanted = onlyOffline ? baseScopes(scopes) : asked
  const found = scopes
    .map((scope) => scope.name)
    .filter((name) => wanted.includes(name) && (ceiling === undefined || ceiling.includes(name)))
  return found.length > 0 ? ok(found) : err('scope_invalid')
}

/**
 * What a refresh may put into its access token: all that was granted, or the part asked for, which may be
 * something that a granted scope includes (OAuth 2.1 §4.3.1: never more than the person granted).
 */
export function narrowedScopes(
  requested: string | undefined,
  granted: readonly string[],
  scopes: readonly Scope[],
): Result<readonly string[], 'scope_invalid'> {
  if (requested === undefined) return ok(granted)

  const asked = parseScope(requested)
  const held = withIncluded(granted, scopes)
  if (!asked?.every((name) => held.has(name) || name === OFFLINE_ACCESS)) return err('scope_invalid')
  const narrowed = [...held].filter((name) => asked.includes(name))
  return ok(narrowed.length > 0 ? narrowed : granted)
}
