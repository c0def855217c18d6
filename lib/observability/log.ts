/** Fields of a log line: facts as primitive values. Never tokens, codes, arguments, bodies or raw client ids. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Writes one JSON object a line. Event names are snake_case facts. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Fields with such names are a mistake; the value is dropped rather than written. */
const secretField = /token|secret|password|cookie|authorization|verifier|^code$/i

/**
 * Makes a log.
 *
 * @param write - takes one finished line without its newline
 * @param lowest - lines below this level are dropped
 */
export function createLog(write: (line: string) => void, lowest: LogLevel, clock: () => number): Log {
  return (level, event, fields = {}) => {
    if (order.indexOf(level) < order.indexOf(lowest)) return

    const kept = Object.entries(fields).map(([name, value]) =>
      secretField.test(name) ? [name, '[redacted]'] : [name, value],
    )
    write(
      JSON.stringify({ time: new Date(clock()).toISOString(), level, event, ...Object.fromEntries(kept) }),
    )
  }
}
