import { createCommands } from '#lib/admin/commands'
import { createIdentity } from '#lib/identity/identity'
import { listSessions, sessionOverview } from '#lib/mcp/sessions/statistics'
import {
  type AuthorizationServer,
  ISSUER,
  startAuthorizationServer,
} from '#test/support/authorization-server'

/** The parts that commands act on, over a real local store, as the composition root puts them together. */
export async function openRig() {
  const server: AuthorizationServer = await startAuthorizationServer()
  const identity = createIdentity({
    ...server.deps,
    origin: ISSUER,
    secure: true,
    describeRequest: async () => undefined,
  })
  const { staticClients: clients, clientStanding, signingKeys, endGrantsOf, listGrants } = server.oauth
  const commands = createCommands({
    people: identity.people,
    clients,
    clientStanding,
    signingKeys,
    endGrantsOf,
    listGrants,
    endGrant: server.oauth.endGrant,
    endPersonalToken: server.oauth.endPersonalToken,
    sessions: {
      list: (accountId) => listSessions(server.store, accountId),
      statistics: () => sessionOverview(server.store, server.deps.clock()),
    },
  })

  return {
    server,
    commands,
    /** Makes a person by signing them in. */
    async person(member?: string): Promise<string> {
      const token = new URL(await identity.mintSignInLink({ member })).hash.slice(1)
      const form = new Request(`${ISSUER}/sign-in/link`, {
        method: 'POST',
        headers: { origin: ISSUER },
        body: new URLSearchParams({ token }),
      })
      await identity.signInLink(form, server.exchange())
      return (await identity.people.find(member ?? 'owner'))?.id ?? ''
    },
    identity,
    /** What a command printed, as one text; its fault begins with `!`. */
    async run(command: string, input: unknown = {}): Promise<string> {
      const outcome = await commands.run(command, input)
      return outcome.ok ? outcome.value.join('\n') : `!${outcome.error}`
    },
    close: server.close,
  }
}

export type AdminRig = Awaited<ReturnType<typeof openRig>>
