/** The parameters of an OAuth request, read as the standard says (RFC 6749 §3.1, §3.2). */
export interface Parameters {
  /** The value of a parameter; `undefined` when it is absent, empty (the same thing) or repeated. */
  get(name: string): string | undefined
  /** Names sent more than once, whether with a value or not. */
  readonly repeated: ReadonlySet<string>
}

/** Reads a query or a form. */
export function readParameters(pairs: URLSearchParams): Parameters {
  const values = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of pairs) {
    if (values.has(name)) repeated.add(name)
    values.set(name, value)
  }
  return { repeated, get: (name) => (repeated.has(name) ? undefined : values.get(name) || undefined) }
}
