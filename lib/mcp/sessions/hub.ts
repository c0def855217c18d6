import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { RUN_LOG_KEEP } from '#lib/config/limits'
import type { Random } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import type { ChangeBus } from '#lib/mcp/bus'
import type { Follow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { rpcError } from '#lib/mcp/rpc-error'
import { control } from '#lib/mcp/sessions/control'
import { logId, parseRunPlace, type RunPlace } from '#lib/mcp/sessions/event-id'
import { initialize } from '#lib/mcp/sessions/initialize'
import { createLetters } from '#lib/mcp/sessions/letters'
import { hasBatches, invalidRequest, type Messages, readMessages } from '#lib/mcp/sessions/messages'
import { resume } from '#lib/mcp/sessions/resume'
import { createRunConnection, type RunConnection } from '#lib/mcp/sessions/run-connection'
import { createRunServer, type RunServerDeps } from '#lib/mcp/sessions/run-server'
import type { Answer } from '#lib/mcp/sessions/run-transport'
import { createRuns } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createSessionIds } from '#lib/mcp/sessions/session-id'
import { createSessionStore, type Verdict } from '#lib/mcp/sessions/session-store'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { get, read } from '#lib/store/operations'
import type { Operation, Store } from '#lib/store/port'

/** What serving a request needs of the store, and what follows once it was admitted. */
export interface Plan {
  /** Run in the one request that admits the call. */
  readonly operations: readonly Operation[]
  /** `answers`: what the operations answered. */
  serve(answers: readonly unknown[], admitted: Admitted): Promise<Response>
}

/** Opens the stream of a session for what belongs to no request. */
export type OpenStandalone = (
  session: LiveSession,
  how: { readonly admitted: Admitted; readonly lastEventId: string | undefined },
) => Promise<Response>

/** What sessions are made of. */
export interface SessionHubDeps extends RunServerDeps {
  readonly store: Store
  readonly wakes: Wakes
  readonly follow: Follow
  readonly bus: ChangeBus
  readonly random: Random
  readonly log: Log
  /** Whether a session whose record was lost goes on (`SESSION_READOPT`). */
  readonly readopt: boolean
  /** A stream ends politely after this. */
  readonly streamMaxSeconds: number
  /** Absent: there is no such stream (`STREAMS=off`). */
  readonly openStandalone: OpenStandalone | undefined
}

/** The 2025 revisions, whole: sessions that any instance serves (DESIGN.md §7). */
export interface SessionHub {
  post(request: Request, body: unknown, accountId: string): Promise<Plan>
  get(request: Request, accountId: string): Promise<Plan>
  delete(request: Request, accountId: string): Promise<Plan>
  /** The process is about to stop: everything goes on elsewhere. */
  drain(): Promise<void>
  /** Calls and their streams here. */
  readonly open: number
}

type Live = Extract<Verdict, { kind: 'live' }>

/** Makes the hub. It keeps nothing that another instance would need. */
export function createSessionHub(deps: SessionHubDeps): SessionHub {
  const { store, clock, wakes, random } = deps
  const ids = createSessionIds(deps.keyRing, clock)
  const sessions = createSessionStore({ store, clock, wakes, readopt: deps.readopt })
  const shared = {
    ...deps,
    repeatable: deps.factory.repeatable,
    announce: ({ accountId, sid }: LiveSession, message: Parameters<ChangeBus['send']>[2]) =>
      deps.bus.send(accountId, sid, message),
  }
  const runs = createRuns(shared)
  const letters = createLetters(shared, runs)

  /** A plan for a request of a session; what is no session of the caller's is answered 404, after admission. */
  async function within(
    { request, accountId }: { readonly request: Request; readonly accountId: string },
    extra: (sid: string) => Promise<readonly Operation[]> | readonly Operation[],
    serve: (live: Live, answers: readonly unknown[], admitted: Admitted) => Promise<Response>,
  ): Promise<Plan> {
    const sealed = await ids.open(request.headers.get('mcp-session-id') ?? '', accountId)
    if (!sealed) return { operations: [], serve: async () => notFound() }

    const own = sessions.operations(sealed.sid)
    return {
      operations: [...own, ...(await extra(sealed.sid))],
      async serve(answers, admitted) {
        const verdict = await sessions.judge(sealed, admitted.caller.client.key, answers.slice(0, own.length))
        if (verdict.kind === 'gone') return notFound()
        admitted.afterResponse(verdict.note())
        if (verdict.readopted) tellToRefresh(verdict.session)
        return serve(verdict, answers.slice(own.length), admitted)
      },
    }
  }

  /** What it knew may be old: the instances that served it may be of another release by now. */
  function tellToRefresh({ accountId, sid }: LiveSession): void {
    if (!deps.streams) return
    for (const list of ['tools', 'prompts', 'resources']) {
      deps.bus.send(accountId, sid, { jsonrpc: '2.0', method: `notifications/${list}/list_changed` })
    }
  }

  function connect(session: LiveSession, admitted: Admitted): RunConnection {
    return createRunConnection({
      session,
      random,
      maxSeconds: Math.max(0, Math.min(deps.streamMaxSeconds, admitted.secondsLeft)),
      stillAdmitted: admitted.stillAdmitted,
    })
  }

  async function serveMessages(live: Live, found: readonly unknown[], how: Serving): Promise<Response> {
    const { messages, admitted } = how
    const { session, preferences } = live
    if (messages.initialize) return rpcError(invalidRequest('This session is initialized already'))
    if (messages.batch && !hasBatches(session.revision)) {
      return rpcError(invalidRequest('This protocol version has no batches'))
    }
    let next = 0
    for (const [note, asked] of how.notes) {
      const answer = asked ? found[next++] : null
      await letters.deliver(note, typeof answer === 'string' ? answer : null, { session, admitted })
    }
    const { sid } = session
    const answered: Answer[] = []
    const rest: JSONRPCRequest[] = []
    for (const request of messages.requests) {
      const answer = await control(request, { sid, preferences, sessions, streams: deps.streams })
      if (answer) answered.push(answer)
      else rest.push(request)
    }
    if (rest.length > 0) return run(session, rest, { ...how, answered })
    if (answered.length === 0) return new Response(null, { status: 202 })
    return Response.json(messages.batch ? answered : answered[0])
  }

  async function run(
    session: LiveSession,
    requests: readonly JSONRPCRequest[],
    { messages, admitted, answered }: Serving & { readonly answered: readonly Answer[] },
  ): Promise<Response> {
    const runServer = createRunServer(deps, { session, requests, admitted })
    const lacking = await runServer.lackingScopes()
    if (lacking) return admitted.insufficientScope(lacking)
    const connection = connect(session, admitted)
    runs.start({ session, requests, batch: messages.batch, answered, admitted, connection, runServer })
    return connection.response
  }

  async function begin(messages: Messages, admitted: Admitted): Promise<Response> {
    const [request] = messages.requests
    if (!request) return rpcError(invalidRequest('initialize must be a request'))
    const { server } = createRunServer(deps, { requests: messages.requests, admitted })
    return initialize(request, { server, admitted }, { ids, sessions, clock, random })
  }

  return {
    async post(request, body, accountId) {
      const read = readMessages(request, body)
      if (!read.ok) return { operations: [], serve: async () => rpcError(read.error) }
      const messages = read.value
      if (!request.headers.has('mcp-session-id')) {
        return {
          operations: [],
          serve: async (_, admitted) =>
            messages.initialize ? begin(messages, admitted) : rpcError(invalidRequest(NO_SESSION)),
        }
      }
      const all = [...messages.responses, ...messages.notifications]
      let notes: Serving['notes'] = []
      return within(
        { request, accountId },
        async (sid) => {
          const asked = await Promise.all(all.map((note) => letters.ask(note, sid)))
          notes = all.map((note, index) => [note, (asked[index]?.length ?? 0) > 0])
          return asked.flat()
        },
        (live, found, admitted) => serveMessages(live, found, { messages, notes, admitted }),
      )
    },

    get(request, accountId) {
      const lastEventId = request.headers.get('last-event-id') ?? undefined
      const place = lastEventId === undefined ? undefined : parseRunPlace(lastEventId)
      return within({ request, accountId }, place ? resumption(place) : () => [], (live, found, admitted) => {
        const { session } = live
        if (place) {
          const how = { session, place, admitted, connect: () => connect(session, admitted) }
          return resume(how, found, { ...deps, runs, letters })
        }
        return deps.openStandalone?.(session, { admitted, lastEventId }) ?? Promise.resolve(noStream())
      })
    },

    delete: (request, accountId) =>
      within(
        { request, accountId },
        () => [],
        async ({ session }) => {
          await sessions.end(session)
          return new Response(null, { status: 200 })
        },
      ),

    drain: () => runs.drain(),
    get open() {
      return runs.open
    },
  }
}

interface Serving {
  readonly messages: Messages
  /** Messages that are no requests, and whether something was read for them. */
  readonly notes: readonly (readonly [
    note: Parameters<ReturnType<typeof createLetters>['deliver']>[0],
    asked: boolean,
  ])[]
  readonly admitted: Admitted
}

/** What resuming the stream of a POST reads. */
const resumption = (place: RunPlace) => (sid: string) => [
  get(keys.mcpRun(sid, place.xid), { fresh: true }),
  get(keys.mcpRunLease(sid, place.xid), { fresh: true }),
  read(keys.mcpRunLog(sid, place.xid), { after: logId(place), limit: RUN_LOG_KEEP }),
]

const NO_SESSION = 'Mcp-Session-Id is missing: begin with initialize, and send the id it answers with'

/** Clients then begin a new session (2025-11-25, "Session Management"). */
const notFound = () => rpcError({ status: 404, code: -32_001, message: 'Session not found' })

const noStream = () =>
  rpcError({
    status: 405,
    message: 'This server has no stream here',
    headers: { Allow: 'POST, DELETE, OPTIONS' },
  })
