/**
 * Whether any of an operator's patterns means a host: `host.example`, `*.host.example` for the names under it
 * (not itself), or `*` for every host.
 */
export const matchesHost = (patterns: readonly string[], host: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' || (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern),
  )
