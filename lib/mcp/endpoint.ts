import {
  BATCH_MAX_MESSAGES,
  STREAM_MAX_SECONDS,
  STREAMS_PER_ACCOUNT,
  STREAMS_PER_INSTANCE,
} from '#lib/config/limits'
import { type Clock, toSeconds } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Random } from '#lib/core/random'
import type { Result } from '#lib/core/result'
import type { Exchange, Outage } from '#lib/http/endpoint'
import type { Admitted } from '#lib/mcp/admitted'
import type { ChangeBus } from '#lib/mcp/bus'
import { preflight, withPolicy } from '#lib/mcp/cors'
import type { Caller } from '#lib/mcp/define'
import { createFollow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { serveModern } from '#lib/mcp/modern'
import { createOriginGuard, type OriginGuard, type OriginPolicy } from '#lib/mcp/origins'
import { type Read, readMessage } from '#lib/mcp/read-message'
import {
  type AdmissionRefusal,
  type Challenge,
  type Challenged,
  refuseAdmission,
  refuseBearer,
  whatToDo,
} from '#lib/mcp/refusals'
import { rpcError } from '#lib/mcp/rpc-error'
import type { ServerFactory } from '#lib/mcp/server'
import { createSessionHub, type Plan } from '#lib/mcp/sessions/hub'
import { createPresence } from '#lib/mcp/sessions/presence'
import { createStandalone } from '#lib/mcp/sessions/standalone'
import { createStreams } from '#lib/mcp/streams'
import type { Tasks } from '#lib/mcp/tasks/tasks'
import type { Log } from '#lib/observability/log'
import type { Operation, Store } from '#lib/store/port'

/** What the endpoint needs to know of a verified access token. */
export interface BearerClaims {
  readonly accountId: string
  /** Seconds since 1970. */
  readonly expiresAt: number
}

/** Who calls, and what the other operations answered. */
export interface Admission {
  readonly caller: Caller
  readonly answers: readonly unknown[]
}

/** What the MCP endpoint is made of. Tokens and grants are somebody else's: they come in as functions. */
export interface McpEndpointDeps<Claims extends BearerClaims> extends OriginPolicy {
  readonly factory: ServerFactory
  readonly keyRing: KeyRing
  readonly clock: Clock
  /** Verifies the bearer token without the store. */
  readonly readBearer: (request: Request) => Promise<Result<Claims, Challenged>>
  /** Asks the store once whether the call may run, and for whom, and whatever else it has to know. */
  readonly admit: (
    claims: Claims,
    calls: number,
    also: readonly Operation[],
  ) => Promise<Result<Admission, AdmissionRefusal>>
  readonly challenge: Challenge
  /** Keeps a serverless instance awake for work that goes on. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** Absent: long tools run within the call. */
  readonly tasks?: Tasks | undefined
  /** Longest life of a stream in seconds; 0 switches change notifications off. */
  readonly streamMaxSeconds?: number
  readonly store: Store
  readonly random: Random
  readonly log: Log
  readonly wakes: Wakes
  readonly bus: ChangeBus
  /** Whether a session whose record was lost goes on (`SESSION_READOPT`). */
  readonly readopt: boolean
  /** Longest life of a call in seconds: the platform cuts what runs longer. Absent: it does not. */
  readonly runMaxSeconds?: number
  /** Streams that one account may have open here. */
  readonly streamsPerAccount?: number
  /** How the GET streams of sessions live (`STREAMS`); `live` unless told otherwise. */
  readonly streamMode?: 'live' | 'nap'
}

/** The MCP endpoint. */
export interface McpEndpoint {
  handle(request: Request, exchange: Exchange): Promise<Response>
  /** How the endpoint says that it cannot answer (503, 500), with the CORS headers of every answer. */
  readonly outage: Outage
  /** The process is about to stop: streams end politely, and what runs can go on elsewhere. */
  drain(): Promise<void>
}

const METHODS = 'GET, POST, DELETE, OPTIONS'

/**
 * Makes `/api/mcp`. The order of its checks is that of DESIGN.md §3, so that what costs nothing comes first
 * and nothing is told to whoever has no right to hear it.
 *
 * @throws StoreUnavailable from `handle`, for the endpoint wrapper
 */
export function createMcpEndpoint<Claims extends BearerClaims>(deps: McpEndpointDeps<Claims>): McpEndpoint {
  const guard = createOriginGuard(deps)
  const { waitUntil = () => undefined } = deps
  const maxSeconds = deps.streamMaxSeconds ?? STREAM_MAX_SECONDS
  const streams = maxSeconds > 0 ? createStreams(budgetOf(maxSeconds, deps.streamsPerAccount)) : undefined
  const modern = { ...deps, streams }
  const { streamMode: mode = 'live' } = deps
  const busy = (sid: string) => hub.busy(sid)
  const standalone = streams && createStandalone({ ...deps, streams, mode, busy })
  const hub = createSessionHub({
    ...deps,
    follow: createFollow(deps),
    streams: streams !== undefined,
    streamMaxSeconds: maxSeconds > 0 ? maxSeconds : STREAM_MAX_SECONDS,
    openStandalone: standalone?.open,
  })
  const presence = createPresence({ ...deps, open: () => hub.open + (streams?.open ?? 0) })

  async function authorized(request: Request, exchange: Exchange): Promise<Response> {
    const since = deps.clock()
    const claims = await deps.readBearer(request)
    if (!claims.ok) return refuseBearer(claims.error, deps.challenge)

    const read = await readMessage(request)
    if (!read.ok) return rpcError(read.error)

    const { body } = read.value
    const plan = await planOf(request, read.value, claims.value.accountId)
    const admission = await deps.admit(claims.value, callsIn(body), plan.operations)
    if (!admission.ok) return refuseAdmission(admission.error, deps.challenge)

    const { caller, answers } = admission.value
    const admitted = admit({ request, body, exchange, since, caller, claims: claims.value })
    const response = await plan.serve(answers, admitted)
    if (response.headers.get('Content-Type') === 'text/event-stream') presence.note()
    return response
  }

  function planOf(request: Request, { body, legacy }: Read, accountId: string): Promise<Plan> | Plan {
    if (request.method === 'GET') return hub.get(request, accountId)
    if (request.method === 'DELETE') return hub.delete(request, accountId)
    if (legacy) return hub.post(request, body, accountId)
    return { operations: [], serve: (_, admitted) => serveModern(admitted, modern) }
  }

  function admit({ request, body, exchange, since, caller, claims }: Admitting<Claims>): Admitted {
    return {
      since,
      request,
      body,
      caller,
      requestId: exchange.requestId,
      authority: JSON.stringify(claims),
      secondsLeft: claims.expiresAt - toSeconds(deps.clock()),
      insufficientScope: (scopes) =>
        refuseBearer({ kind: 'insufficient_scope', scopes }, deps.challenge, whatToDo(scopes, caller)),
      publish: (event) => deps.bus.publish(caller.accountId, event),
      stillAdmitted: async () => (await deps.admit(claims, 0, [])).ok,
      afterResponse: (work) => waitUntil(work.catch(notDone(deps.log, exchange.requestId))),
    }
  }

  return {
    async handle(request, exchange) {
      if (request.method === 'OPTIONS') return withPolicy(preflight(request, guard, METHODS), request, guard)
      const refusal = refuseRequest(request, guard)
      return withPolicy(refusal ?? (await authorized(request, exchange)), request, guard)
    },
    outage: (details) => withPolicy(mcpOutage(details), details.request, guard),
    async drain() {
      streams?.endAll()
      await Promise.all([standalone?.drain(), hub.drain()])
    },
  }
}

const budgetOf = (maxSeconds: number, perAccount = STREAMS_PER_ACCOUNT) => ({
  maxSeconds,
  perAccount,
  perInstance: STREAMS_PER_INSTANCE,
})

/** Work after an answer failed: nobody waits for it, and so nobody else says so. */
const notDone = (log: Log, requestId: string) => (error: unknown) =>
  log('warn', 'not_done_after_answer', {
    requestId,
    error: error instanceof Error ? error.name : 'unknown',
  })

interface Admitting<Claims extends BearerClaims>
  extends Pick<Admitted, 'request' | 'body' | 'since' | 'caller'> {
  readonly exchange: Exchange
  readonly claims: Claims
}

/** How the endpoint says that it cannot answer: 503 with `Retry-After`, or 500 (`lib/http/endpoint.ts`). */
const mcpOutage: Outage = ({ status, requestId, headers }) => {
  const unavailable = 'The server cannot reach its store. Try again shortly.'
  const message = `${status === 503 ? unavailable : 'The server failed.'} Reference: ${requestId}`
  return rpcError({ status, message, headers: { ...headers, Vary: 'Origin, Authorization' } })
}

/** Every message of a batch counts as a call; one that is too long is refused and counts as the longest. */
const callsIn = (body: unknown): number =>
  Array.isArray(body) ? Math.min(body.length, BATCH_MAX_MESSAGES) : 1

/** Checks 1 and 2: the method, then where the request comes from. */
function refuseRequest(request: Request, guard: OriginGuard): Response | undefined {
  if (!['POST', 'GET', 'DELETE'].includes(request.method)) return notAllowed()

  // HTTP/1.1 always has a Host; a request made within the process has only its URL.
  if (!guard.allowsHost(request.headers.get('host') ?? new URL(request.url).host)) {
    return rpcError({ status: 403, message: 'This Host is not served here' })
  }
  if (!guard.allowsOrigin(request.headers.get('origin'))) {
    return rpcError({ status: 403, message: 'This Origin is not allowed' })
  }
  return undefined
}

const notAllowed = () => rpcError({ status: 405, message: 'Method not allowed', headers: { Allow: METHODS } })
