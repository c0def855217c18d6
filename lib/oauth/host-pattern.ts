/** `host.example`, `*.host.example` for the names under it, or `*` for every host; in lower case. */
const PATTERN = /^(?:\*|(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z0-9])$/

/** Whether a text is a pattern of hosts. */
export const isHostPattern = (text: string): boolean => PATTERN.test(text)

/** Whether any of the patterns means a host. A pattern with `*.` means the names below, not the name itself. */
export const matchesHost = (patterns: readonly string[], host: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' || (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern),
  )
