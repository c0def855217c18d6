import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { RETRY_AFTER_SECONDS } from '#lib/config/limits'
import type { Admitted } from '#lib/mcp/admitted'
import { rpcError } from '#lib/mcp/rpc-error'
import { control } from '#lib/mcp/sessions/control'
import type { HubParts } from '#lib/mcp/sessions/hub'
import { concernsRun, type Note } from '#lib/mcp/sessions/letters'
import { hasBatches, invalidRequest, type Messages } from '#lib/mcp/sessions/messages'
import type { RunConnection } from '#lib/mcp/sessions/run-connection'
import { createRunServer } from '#lib/mcp/sessions/run-server'
import type { Answer } from '#lib/mcp/sessions/run-transport'
import type { Verdict } from '#lib/mcp/sessions/session-store'
import type { Operation } from '#lib/store/port'

/** A session that is served, and how its client is answered. */
export type Live = Extract<Verdict, { kind: 'live' }> & { connect(): RunConnection }

/** What a POST of a session brought. */
export interface Posted {
  readonly live: Live
  /** What was read for the notes. */
  readonly found: readonly unknown[]
  readonly messages: Messages
  /** Responses and notifications. */
  readonly notes: readonly Note[]
  readonly admitted: Admitted
}

/** What has to be read before the notes can be delivered: one operation for each that concerns a run. */
export async function askForNotes(
  { letters }: HubParts,
  notes: readonly Note[],
  sid: string,
): Promise<readonly Operation[]> {
  const asked = await Promise.all(notes.map((note) => letters.ask(note, sid)))
  return asked.filter((operation) => operation !== undefined)
}

/** Serves the messages of a POST: delivers what answers or cancels, answers what it can, runs the rest. */
export async function serveMessages(parts: HubParts, posted: Posted): Promise<Response> {
  const { messages, live } = posted
  if (messages.initialize) return rpcError(invalidRequest('This session is initialized already'))
  if (messages.batch && !hasBatches(live.session.revision)) {
    return rpcError(invalidRequest('This protocol version has no batches'))
  }
  const lacking = await deliver(parts, posted)
  if (lacking) return posted.admitted.insufficientScope(lacking)
  const { answered, rest } = await controlled(parts, posted)
  if (rest.length > 0) return run(parts, posted, { requests: rest, answered })
  if (answered.length === 0) return new Response(null, { status: 202 })
  return Response.json(messages.batch ? answered : answered[0])
}

async function deliver(
  { letters }: HubParts,
  { live, found, notes, admitted }: Posted,
): Promise<readonly string[] | undefined> {
  const { session } = live
  let next = 0
  for (const note of notes) {
    const text = concernsRun(note) ? found[next++] : null
    const from = { session, admitted }
    const lacking = await letters.deliver(note, typeof text === 'string' ? text : null, from)
    if (lacking) return lacking
  }
  return undefined
}

/** Requests that concern the session itself, answered, and the others. */
async function controlled(
  { sessions, streams }: HubParts,
  { live, messages }: Posted,
): Promise<{ readonly answered: readonly Answer[]; readonly rest: readonly JSONRPCRequest[] }> {
  const { session, preferences } = live
  const answered: Answer[] = []
  const rest: JSONRPCRequest[] = []
  for (const request of messages.requests) {
    const answer = await control(request, { session, preferences, sessions, streams })
    if (answer) answered.push(answer)
    else rest.push(request)
  }
  return { answered, rest }
}

async function run(
  parts: HubParts,
  { live, messages, admitted }: Posted,
  what: { readonly requests: readonly JSONRPCRequest[]; readonly answered: readonly Answer[] },
): Promise<Response> {
  const { session } = live
  const runServer = createRunServer(parts, { session, requests: what.requests, admitted })
  const lacking = await runServer.lackingScopes()
  if (lacking) return admitted.insufficientScope(lacking)
  if (!parts.runs.hasRoom(session.accountId)) return tooMany()
  const connection = live.connect()
  parts.runs.start({ session, ...what, batch: messages.batch, admitted, connection, runServer })
  return connection.response
}

const tooMany = () =>
  rpcError({
    status: 429,
    message: 'Too many calls of this account are running here',
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  })
