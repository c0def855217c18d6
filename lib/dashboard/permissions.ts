import type { Tool } from '#lib/mcp/define'

/** A permission as `lib/tools/scopes.ts` declares it. */
export interface PermissionSource {
  readonly name: string
  readonly sentence: string
  readonly includes: readonly string[]
}

/** A permission in words. */
export interface Permission {
  /** The OAuth scope. */
  readonly name: string
  readonly sentence: string
  /** Sentences of what it includes. */
  readonly includes: readonly string[]
}

/** What an app can do with one permission. Titles only: descriptions are written for models. */
export interface PermissionGroup {
  readonly permission: Permission
  readonly tools: readonly { readonly name: string; readonly title: string }[]
}

/**
 * Puts scopes into words, in the order in which the server declares them. What another scope of the list
 * includes is not said twice. A scope the server no longer knows stands under its own name.
 */
export function permissionsOf(
  scopes: readonly string[],
  known: readonly PermissionSource[],
): readonly Permission[] {
  const held = known.filter((source) => scopes.includes(source.name))
  const included = new Set(held.flatMap((source) => source.includes))
  const unknown = scopes.filter((name) => !known.some((source) => source.name === name))
  return [
    ...held.filter((source) => !included.has(source.name)).map((source) => inWords(source, known)),
    ...unknown.map((name) => ({ name, sentence: name, includes: [] })),
  ]
}

/** Groups the tools of a server by the permission each needs; permissions without tools are left out. */
export function groupByPermission(
  tools: readonly Pick<Tool, 'name' | 'title' | 'scope'>[],
  known: readonly PermissionSource[],
): readonly PermissionGroup[] {
  return known
    .map((source) => ({
      permission: inWords(source, known),
      tools: tools.filter((tool) => tool.scope === source.name).map(({ name, title }) => ({ name, title })),
    }))
    .filter((group) => group.tools.length > 0)
}

function inWords(source: PermissionSource, known: readonly PermissionSource[]): Permission {
  const includes = known.filter((other) => source.includes.includes(other.name))
  return { name: source.name, sentence: source.sentence, includes: includes.map((other) => other.sentence) }
}
