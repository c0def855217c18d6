import { z } from 'zod'
import { command, type SessionStatistic } from '#lib/admin/command'
import { NO_PERSON } from '#lib/admin/person-commands'
import { err, ok } from '#lib/core/result'

const COUNTS = ['used', 'opened', 'ended', 'resumed', 'readopted', 'lost'] as const

export const sessionCommands = {
  'sessions-list': command(
    z.object({ person: z.string() }),
    async ({ person: name }, { people, sessions }) => {
      const person = await people.find(name)
      if (!person) return err(NO_PERSON)
      const lines = (await sessions.list(person.id)).map(
        ({ client, clientKey, revision, lastUsedAt, listening }) =>
          `${time(lastUsedAt)}  ${revision}  ${clientKey}  ${client.name} ${client.version}${listening ? '  listening' : ''}`,
      )
      return ok(lines.length > 0 ? lines : ['No sessions.'])
    },
  ),

  'sessions-stats': command(z.object({}), async (_, { sessions }) => {
    const { streams, instances, thisHour, lastHour } = await sessions.statistics()
    return ok([
      `Streams open: ${streams}, on ${instances} ${instances === 1 ? 'instance' : 'instances'}.`,
      ...table('This hour', thisHour),
      ...table('The hour before', lastHour),
    ])
  }),
}

const time = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

/** A line for each host and revision. */
function table(title: string, statistics: readonly SessionStatistic[]): string[] {
  const rows = new Map<string, Partial<Record<string, number>>>()
  for (const { host, revision, what, count } of statistics) {
    const row = `${host}  ${revision}`
    rows.set(row, { ...rows.get(row), [what]: count })
  }
  const lines = [...rows]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([row, counts]) => `  ${row}  ${COUNTS.map((what) => `${what} ${counts[what] ?? 0}`).join('  ')}`)
  return [`${title}:`, ...(lines.length > 0 ? lines : ['  No sessions.'])]
}
