import { readFileSync } from 'node:fs'

/** Members of a log line that say what ended. */
const members = ['event', 'accountId', 'grantId', 'clientKey'] as const

/** Everything else happens far more often, and a command has a bounded size. */
const ends = /_(ended|blocked|unblocked)$|^signed_out/

/** What an event of the log says, as it stands there: the command that is given it decides what it means. */
export type LoggedEvent = Readonly<Partial<Record<(typeof members)[number], string>>>

/**
 * Reads the events of a process log that may have ended something since a moment (ms). Lines of others, such as
 * the banner, and whatever a log collector put before a line, are left out. The same event twice is one, at its later place.
 *
 * @throws Error when the file cannot be read
 */
export function readEndings(file: string, sinceMs: number): readonly LoggedEvent[] {
  const found = new Map<string, LoggedEvent>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parse(line)
    if (!entry || !(Date.parse(String(entry['time'])) >= sinceMs)) continue
    const event = Object.fromEntries(
      members.flatMap((name) => (typeof entry[name] === 'string' ? [[name, entry[name]]] : [])),
    )
    if (!ends.test(event['event'] ?? '')) continue
    // Each stands where it happened last: who was blocked, let in and blocked again is blocked.
    const said = JSON.stringify(event)
    found.delete(said)
    found.set(said, event)
  }
  return [...found.values()]
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  const start = line.indexOf('{"time":')
  if (start < 0) return undefined
  try {
    return JSON.parse(line.slice(start))
  } catch {
    return undefined
  }
}
