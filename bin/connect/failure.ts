/** A step that did not work: what was being done, what went wrong, and what to try. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed'
  readonly hint: string | undefined

  constructor(doing: string, wrong: string, hint?: string) {
    super(`${doing}: ${wrong}`)
    this.hint = hint
  }
}

/** Runs a step; whatever it throws becomes a `ConnectFailed` that names the step. */
export async function attempt<Value>(doing: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ConnectFailed) throw error
    const wrong = explain(error)
    const unreachable = wrong.includes('ECONNREFUSED')
    throw new ConnectFailed(doing, wrong, unreachable ? 'Is it running? `npm start` starts it.' : undefined)
  }
}

/** An error and its causes in one line: `fetch failed` alone says nothing. */
function explain(error: unknown): string {
  const parts: string[] = []
  for (let cause: unknown = error; cause instanceof Error && parts.length < 4; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : ''
    const text = `${cause.message || cause.name}${code}`
    if (!parts.includes(text)) parts.push(text)
  }
  const described =
    error instanceof Error && 'error_description' in error ? error.error_description : undefined
  if (described) parts.push(String(described))
  return parts.join(': ') || String(error)
}
