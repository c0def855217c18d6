/** One permission that a person can give to an app. */
export interface Scope {
  readonly name: string
  /** As the consent page says it: a verb phrase with "your". */
  readonly sentence: string
  /** Base scopes are asked for by default, by the challenge and by the metadata (DESIGN.md §6). */
  readonly base: boolean
  /** Scopes that this one includes. */
  readonly includes: readonly string[]
}

/** Every scope of this server. Add yours here; a tool names the one it needs. */
export const scopes: readonly Scope[] = [
  { name: 'notes:read', sentence: 'Read your notes', base: true, includes: [] },
  {
    name: 'notes:write',
    sentence: 'Create, change and delete your notes',
    base: true,
    includes: ['notes:read'],
  },
]
