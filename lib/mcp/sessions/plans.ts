import type { Admitted } from '#lib/mcp/admitted'
import { rpcError } from '#lib/mcp/rpc-error'
import { parseRunPlace } from '#lib/mcp/sessions/event-id'
import type { HubParts, Plan } from '#lib/mcp/sessions/hub'
import { initialize } from '#lib/mcp/sessions/initialize'
import { invalidRequest, type Messages, readMessages } from '#lib/mcp/sessions/messages'
import { resume, resumption } from '#lib/mcp/sessions/resume'
import { createRunConnection } from '#lib/mcp/sessions/run-connection'
import { createRunServer } from '#lib/mcp/sessions/run-server'
import { askForNotes, type Live, serveMessages } from '#lib/mcp/sessions/serve-messages'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import type { Operation } from '#lib/store/port'

/** A request of the 2025 era whose token was good. */
interface Asking {
  readonly request: Request
  readonly accountId: string
}

/** Plans a POST: `initialize`, or messages of a session. */
export function planPost(parts: HubParts, asking: Asking & { readonly body: unknown }): Promise<Plan> | Plan {
  const { request, body } = asking
  const read = readMessages(request, body)
  if (!read.ok) return answered(rpcError(read.error))

  const messages = read.value
  if (request.headers.has('mcp-session-id')) {
    const notes = [...messages.responses, ...messages.notifications]
    return within(parts, asking, {
      also: (sid) => askForNotes(parts, notes, sid),
      serve: (live, found, admitted) => serveMessages(parts, { live, found, messages, notes, admitted }),
    })
  }
  if (!messages.initialize) return answered(rpcError(invalidRequest(NO_SESSION)))
  return { operations: [], serve: (_, admitted) => begin(parts, messages, admitted) }
}

/** Plans a GET: the stream of a POST goes on, or the session's own stream begins. */
export function planGet(parts: HubParts, asking: Asking): Promise<Plan> {
  const lastEventId = asking.request.headers.get('last-event-id') ?? undefined
  const place = lastEventId === undefined ? undefined : parseRunPlace(lastEventId)
  return within(parts, asking, {
    also: (sid) => (place ? resumption(sid, place) : [get(keys.mcpHolder(sid), { fresh: true })]),
    async serve({ session }, found, admitted) {
      if (place) {
        const connection = () => connect(parts, session, admitted)
        return resume({ session, place, admitted, connect: connection }, found, parts)
      }
      const [holder] = found
      const opening = { admitted, lastEventId, holder: typeof holder === 'string' ? holder : null }
      return parts.openStandalone?.(session, opening) ?? noStream()
    },
  })
}

/** Plans a DELETE: the session ends, and stays ended. */
export function planDelete(parts: HubParts, asking: Asking): Promise<Plan> {
  return within(parts, asking, {
    also: () => [],
    async serve({ session }) {
      await parts.sessions.end(session)
      return new Response(null, { status: 200 })
    },
  })
}

/** What a plan within a session reads besides the session, and what it does. */
interface Within {
  also(sid: string): Promise<readonly Operation[]> | readonly Operation[]
  serve(live: Live, found: readonly unknown[], admitted: Admitted): Promise<Response>
}

/** A plan for a request of a session; what is no session of the caller's is answered 404, after admission. */
async function within(parts: HubParts, { request, accountId }: Asking, how: Within): Promise<Plan> {
  const { ids, sessions } = parts
  const sealed = await ids.open(request.headers.get('mcp-session-id') ?? '', accountId)
  if (!sealed) return answered(notFound())

  const own = sessions.operations(sealed.sid)
  return {
    operations: [...own, ...(await how.also(sealed.sid))],
    async serve(answers, admitted) {
      const clientKey = admitted.caller.client.key
      const verdict = await sessions.judge(sealed, clientKey, answers.slice(0, own.length))
      if (verdict.kind === 'gone') return notFound()
      if (verdict.readopted) tellToRefresh(parts, verdict.session)
      const noting = verdict.note()
      if (noting !== undefined) admitted.afterResponse(noting)
      const connection = () => connect(parts, verdict.session, admitted)
      return how.serve({ ...verdict, connect: connection }, answers.slice(own.length), admitted)
    },
  }
}

/** What the client knows may be old: the instances that served it may be of another release by now. */
function tellToRefresh({ streams, bus }: HubParts, { accountId, sid }: LiveSession): void {
  if (!streams) return
  for (const list of ['tools', 'prompts', 'resources']) {
    bus.send(accountId, sid, { jsonrpc: '2.0', method: `notifications/${list}/list_changed` })
  }
}

function connect({ random, streamMaxSeconds }: HubParts, session: LiveSession, admitted: Admitted) {
  return createRunConnection({
    session,
    random,
    maxSeconds: Math.max(0, Math.min(streamMaxSeconds, admitted.secondsLeft)),
    stillAdmitted: admitted.stillAdmitted,
  })
}

async function begin(parts: HubParts, { requests }: Messages, admitted: Admitted): Promise<Response> {
  const [request] = requests
  if (!request) return rpcError(invalidRequest('initialize must be a request'))
  const { server } = createRunServer(parts, { requests, admitted })
  return initialize(request, { server, admitted }, parts)
}

/** Nothing has to be read; the token is still judged before this is said. */
const answered = (response: Response): Plan => ({ operations: [], serve: async () => response })

const NO_SESSION = 'Mcp-Session-Id is missing: begin with initialize, and send the id it answers with'

/** Clients then begin a new session (2025-11-25, "Session Management"). */
const notFound = () => rpcError({ status: 404, code: -32_001, message: 'Session not found' })

const noStream = () =>
  rpcError({ status: 405, message: 'There is no stream here', headers: { Allow: 'POST, DELETE, OPTIONS' } })
