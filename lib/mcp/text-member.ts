/** A member of a request's params that should be text; empty when it is not: clients send anything there. */
export function textMember(params: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = params?.[name]
  return typeof value === 'string' ? value : ''
}
