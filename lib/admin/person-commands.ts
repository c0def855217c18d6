import { z } from 'zod'
import { type CommandDeps, command } from '#lib/admin/command'
import { err, ok, type Result } from '#lib/core/result'

export const NO_PERSON = 'There is no such person. `person list` shows everybody.'

/** By name, or by account id where two are called alike. */
const named = z.object({ name: z.string() })

type Act = 'block' | 'unblock' | 'signOutEverywhere'

async function act(
  name: string,
  how: Act,
  { people }: CommandDeps,
): Promise<Result<{ readonly id: string; readonly name: string }, string>> {
  const person = await people.find(name)
  if (!person) return err(NO_PERSON)
  const outcome = await people[how](person.id)
  if (outcome.ok) return outcome
  return err(outcome.error === 'owner_stays' ? 'The owner cannot be blocked.' : NO_PERSON)
}

export const personCommands = {
  'person-list': command(z.object({}), async (_, { people }) => {
    const lines = (await people.list()).map(
      ({ id, role, state, name }) => `${id}  ${role}  ${state}  ${name}`,
    )
    return ok(lines.length > 0 ? lines : ['Nobody has signed in yet.'])
  }),

  'person-block': command(named, async ({ name }, deps) => {
    const person = await act(name, 'block', deps)
    if (!person.ok) return person
    // They have ended already: this removes what is left of them.
    const ended = await deps.endGrantsOf({ accountId: person.value.id, why: 'person_blocked' })
    return ok([`${person.value.name} is blocked and signed out. Connections ended: ${ended}.`])
  }),

  'person-unblock': command(named, async ({ name }, deps) => {
    const person = await act(name, 'unblock', deps)
    return person.ok ? ok([`${person.value.name} may sign in again. What ended stays ended.`]) : person
  }),

  'person-sign-out': command(named, async ({ name }, deps) => {
    const person = await act(name, 'signOutEverywhere', deps)
    return person.ok ? ok([`${person.value.name} is signed out in every browser. Connections stay.`]) : person
  }),
}
