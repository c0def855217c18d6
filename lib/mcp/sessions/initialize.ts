import {
  type ClientCapabilities,
  isJSONRPCResponse,
  type JSONRPCRequest,
  type McpServer,
  type Transport,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import { type Answer, spelledForLegacy } from '#lib/mcp/sessions/run-transport'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { type SessionIds, shortened } from '#lib/mcp/sessions/session-id'
import type { SessionStore } from '#lib/mcp/sessions/session-store'

const Params = z.looseObject({
  capabilities: z.custom<ClientCapabilities>((value) => typeof value === 'object' && value !== null),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
})
const Negotiated = z.looseObject({ protocolVersion: z.string() })

/** What opening a session needs. */
export interface Opening {
  readonly ids: SessionIds
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly random: Random
}

/**
 * Opens a session (2025-11-25, "Session Management"). Its id describes it, so the answer waits for no write;
 * the record follows.
 */
export async function initialize(
  request: JSONRPCRequest,
  { server, admitted }: { readonly server: McpServer; readonly admitted: Admitted },
  { ids, sessions, clock, random }: Opening,
): Promise<Response> {
  const answer = await askOnce(server, request)
  const params = Params.safeParse(request.params)
  const negotiated = 'result' in answer ? Negotiated.safeParse(answer.result).data : undefined
  if (!negotiated || !params.success) return Response.json(answer)

  const { accountId, client } = admitted.caller
  const session: LiveSession = {
    sid: random(16),
    accountId,
    clientKey: client.key,
    revision: negotiated.protocolVersion,
    client: shortened(params.data.clientInfo),
    capabilities: params.data.capabilities,
    issuedAt: clock(),
    level: undefined,
    subscriptions: new Set(),
  }
  const id = await ids.seal(session)
  admitted.afterResponse(sessions.begin(session))
  return Response.json(answer, { headers: { 'Mcp-Session-Id': id } })
}

/** The answer of a server to one request that needs nothing else. */
async function askOnce(server: McpServer, request: JSONRPCRequest): Promise<Answer> {
  const answered = new Promise<Answer>((resolve) => {
    const transport: Transport = {
      async start() {},
      async send(message) {
        if (isJSONRPCResponse(message)) resolve(spelledForLegacy(message, request))
      },
      async close() {
        transport.onclose?.()
      },
    }
    void server.connect(transport).then(() => transport.onmessage?.(request))
  })
  const answer = await answered
  await server.close()
  return answer
}
