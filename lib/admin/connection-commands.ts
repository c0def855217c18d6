import { z } from 'zod'
import { type CommandDeps, type CommandOutcome, command, day } from '#lib/admin/command'
import { NO_PERSON } from '#lib/admin/person-commands'
import { err, ok } from '#lib/core/result'
import { UnreadableRecord } from '#lib/store/record'

export const connectionCommands = {
  'connections-list': command(z.object({ person: z.string() }), async ({ person: name }, deps) => {
    const person = await deps.people.find(name)
    if (!person) return err(NO_PERSON)
    const lines = (await deps.listGrants(person.id)).map(
      ({ id, createdAt, client }) => `${id}  since ${day(createdAt)}  ${client.key}  ${client.name}`,
    )
    return ok(lines.length > 0 ? lines : ['No connections.'])
  }),

  'connections-end': command(
    z.object({
      person: z.string().optional(),
      client: z.string().optional(),
      all: z.literal(true).optional(),
    }),
    async ({ person, client, all }, deps): Promise<CommandOutcome> => {
      if (all) return person || client ? err('--all goes alone.') : ok(await endEverything(deps))
      if (person !== undefined) return endOfPerson(person, client, deps)
      if (client === undefined) return err('Say whose: --person NAME, --client KEY, both, or --all.')
      await deps.clientStanding.endConnections(client)
      return ok(['Every connection of this app has ended.'])
    },
  ),
}

async function endOfPerson(
  name: string,
  clientKey: string | undefined,
  deps: CommandDeps,
): Promise<CommandOutcome> {
  const person = await deps.people.find(name)
  if (!person) return err(NO_PERSON)
  // With all of them the epoch comes first: it ends also what is being made at this moment.
  if (clientKey === undefined) await deps.people.endConnections(person.id)
  const ended = await deps.endGrantsOf({ accountId: person.id, clientKey, why: 'ended_by_operator' })
  return ok([`Connections of ${person.name} ended: ${ended}.`])
}

/**
 * Everybody's epoch first, which ends everything; then what is left of it is removed. An account that cannot be
 * read keeps its epoch and nobody else from ending: whatever it had is removed like the others'.
 */
export async function endEverything(deps: CommandDeps): Promise<readonly string[]> {
  const ids = await deps.people.ids()
  const unreadable: string[] = []
  for (const id of ids) {
    try {
      await deps.people.endConnections(id)
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error
      unreadable.push(id)
    }
  }
  let ended = 0
  for (const id of ids) ended += await deps.endGrantsOf({ accountId: id, why: 'ended_by_operator' })
  const said = `Connections ended: ${ended}, of ${ids.length} people.`
  return unreadable.length === 0 ? [said] : [said, `Accounts that cannot be read: ${unreadable.join(', ')}.`]
}
