import { z } from 'zod'
import { type CommandDeps, command } from '#lib/admin/command'
import { ok } from '#lib/core/result'

const account = { accountId: z.string() }
const grant = { ...account, grantId: z.string() }
const client = { clientKey: z.string() }

/** Events of the log that ended something for good (docs/OPERATIONS.md). */
const ending = z.discriminatedUnion('event', [
  z.object({ event: z.literal(['grant_ended', 'personal_token_ended']), ...grant }),
  z.object({ event: z.literal(['connections_ended', 'person_blocked', 'person_unblocked']), ...account }),
  z.object({ event: z.literal(['signed_out', 'signed_out_everywhere']), ...account }),
  z.object({ event: z.literal(['client_blocked', 'client_unblocked', 'client_ended']), ...client }),
])
type Ending = z.output<typeof ending>

const WHY = { why: 'ended_before_restore' }

export const loggedEndings = {
  /** Ends again, in the order of the log. Other events of it are none of this command's business. */
  'connections-end-logged': command(
    z.object({ endings: z.array(z.unknown()) }),
    async ({ endings }, deps) => {
      let ended = 0
      for (const logged of endings) {
        const read = ending.safeParse(logged)
        if (!read.success) continue
        await endAgain(read.data, deps)
        ended++
      }
      return ok([`Endings of the log carried out again: ${ended}.`])
    },
  ),
}

async function endAgain(logged: Ending, deps: CommandDeps): Promise<unknown> {
  switch (logged.event) {
    case 'grant_ended':
    case 'personal_token_ended': {
      const which = { accountId: logged.accountId, grantId: logged.grantId, ...WHY }
      return (await deps.endGrant(which)) || deps.endPersonalToken(which)
    }
    case 'connections_ended':
      return deps.people.endConnections(logged.accountId)
    case 'person_blocked':
      return deps.people.block(logged.accountId)
    case 'person_unblocked':
      return deps.people.unblock(logged.accountId)
    case 'signed_out':
    case 'signed_out_everywhere':
      return deps.people.signOutEverywhere(logged.accountId)
    case 'client_blocked':
      return deps.clientStanding.block(logged.clientKey)
    case 'client_unblocked':
      return deps.clientStanding.unblock(logged.clientKey)
    case 'client_ended':
      return deps.clientStanding.endConnections(logged.clientKey)
  }
}
