import { z } from 'zod'
import { command, day } from '#lib/admin/command'
import { endEverything } from '#lib/admin/connection-commands'
import { ok } from '#lib/core/result'

export const keyCommands = {
  'keys-list': command(z.object({}), async (_, { signingKeys }) => {
    const keys = await signingKeys.list()
    return ok(keys.map(({ kid, state, createdAt }) => `${kid}  ${state}  since ${day(createdAt)}`))
  }),

  'keys-rotate': command(z.object({}), async (_, { signingKeys }) => {
    const { published, signsFrom } = await signingKeys.rotate()
    const at = new Date(signsFrom).toISOString()
    return ok([
      published ? 'A new key is published.' : 'A new key was published before.',
      `It signs from ${at} on, with the first request after that. No token is refused meanwhile.`,
    ])
  }),

  /** The keys first: what was signed with them ends with the epochs, and nothing more is signed. */
  'keys-emergency': command(z.object({}), async (_, deps) => {
    await deps.signingKeys.replace()
    const ended = await endEverything(deps)
    return ok([
      'Every signing key is dropped; a new one signs.',
      ...ended,
      'Everybody connects their apps again.',
    ])
  }),
}
