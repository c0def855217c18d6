import type { JSONRPCRequest, McpServer, RequestId } from '@modelcontextprotocol/server'
import type { Clock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Admitted } from '#lib/mcp/admitted'
import { createRequestState } from '#lib/mcp/request-state'
import type { ServerFactory } from '#lib/mcp/server'
import type { Parking } from '#lib/mcp/sessions/run-how'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { textMember } from '#lib/mcp/text-member'

/** What servers of the 2025 era are made with. */
export interface RunServerDeps {
  readonly factory: ServerFactory
  readonly keyRing: KeyRing
  readonly clock: Clock
  /** Whether change notifications are served (`STREAMS`). */
  readonly streams: boolean
}

/** A server for the requests of one POST, not connected. */
export interface RunServer {
  readonly server: McpServer
  /** Whether it has to know its client (`ServerFactory.pushes`). */
  readonly pushes: boolean
  /** What its handlers want to ask, by the id of their request. */
  readonly parking: ReadonlyMap<RequestId, Parking>
  /** The scopes that the token lacks for any of the requests; absent: none. */
  lackingScopes(): Promise<readonly string[] | undefined>
}

/** Makes the server of one run. Without a session (`initialize`) nobody can be asked. */
export function createRunServer(
  deps: RunServerDeps,
  {
    session,
    requests,
    admitted,
  }: { session?: LiveSession; requests: readonly JSONRPCRequest[]; admitted: Admitted },
): RunServer {
  const parking = new Map<RequestId, Parking>()
  const [first] = requests
  let challenged: readonly string[] | undefined
  // Batches are older than questions: the revision that has them has no elicitation.
  const asking =
    session && first && requests.length === 1
      ? {
          clientCapabilities: session.capabilities,
          state: stateOf(first, session, deps),
          park: (inputRequests: Parking['inputRequests'], requestState: string | undefined, id: RequestId) =>
            void parking.set(id, { inputRequests, requestState }),
        }
      : {}
  const server = deps.factory.create({
    era: 'legacy',
    requests,
    caller: admitted.caller,
    requestId: admitted.requestId,
    streams: deps.streams,
    ...asking,
    // Of a batch each request may ask for something else: one challenge names all of it.
    challenge: (scopes) => {
      challenged = [...new Set([...(challenged ?? []), ...scopes])]
    },
    publish: admitted.publish,
  })
  return {
    server,
    pushes: deps.factory.pushes === true,
    parking,
    async lackingScopes() {
      for (const request of requests) await server.resolveScopeChallenge({ request })
      return challenged
    },
  }
}

function stateOf(
  { method, params }: JSONRPCRequest,
  { accountId, clientKey }: LiveSession,
  deps: RunServerDeps,
) {
  return createRequestState(
    {
      accountId,
      clientKey,
      method,
      target: textMember(params, 'name') || textMember(params, 'uri'),
      args: params?.['arguments'],
    },
    deps,
  )
}
