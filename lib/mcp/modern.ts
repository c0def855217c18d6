import { createMcpHandler, isJSONRPCRequest, type ServerEventBus } from '@modelcontextprotocol/server'
import { STREAM_KEEP_ALIVE_MS, STREAM_RECHECK_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { KeyRing } from '#lib/core/key-ring'
import type { Admitted } from '#lib/mcp/admitted'
import type { EventBus } from '#lib/mcp/bus'
import { paramHeaderFault } from '#lib/mcp/param-headers'
import { createRequestState } from '#lib/mcp/request-state'
import { HEADER_MISMATCH, rpcError } from '#lib/mcp/rpc-error'
import type { ServerFactory } from '#lib/mcp/server'
import type { Streams } from '#lib/mcp/streams'
import { callerTasks } from '#lib/mcp/tasks/caller-tasks'
import type { Tasks } from '#lib/mcp/tasks/tasks'
import { declaresTasks, tasksRequired } from '#lib/mcp/tasks/wire'
import { textMember } from '#lib/mcp/text-member'

/** What serving the 2026-07-28 revision needs. */
export interface ModernDeps {
  readonly factory: ServerFactory
  readonly bus: EventBus
  /** Absent: change notifications are off. */
  readonly streams: Streams | undefined
  readonly keyRing: KeyRing
  readonly clock: Clock
  /** Absent: long tools run within the call. */
  readonly tasks?: Tasks | undefined
}

/**
 * Serves a POST of the 2026-07-28 revision. The SDK's handler is made for each request, which costs nothing
 * measurable: so it listens to the changes of this caller alone, and one stream can be ended by itself.
 */
export async function serveModern(admitted: Admitted, deps: ModernDeps): Promise<Response> {
  const { request, body, caller } = admitted
  const message = isJSONRPCRequest(body) ? body : undefined
  const fault = message && paramHeaderFault(message, request.headers, deps.factory)
  if (fault) return rpcError({ status: 400, code: HEADER_MISMATCH, message: fault, id: message.id })
  if (deps.tasks && message && listensToTasks(message)) {
    const { code, message: text, data } = tasksRequired()
    return rpcError({ status: 400, code, message: text, data, id: message.id })
  }

  let challenged: readonly string[] | undefined
  let failure: Error | undefined
  const listening = message?.method === 'subscriptions/listen'
  if (listening) await deps.bus.ready(caller.accountId)

  const handler = createMcpHandler(
    () =>
      deps.factory.create({
        era: 'modern',
        requests: message ? [message] : [],
        caller,
        requestId: admitted.requestId,
        streams: deps.streams !== undefined,
        ...(message ? { state: stateOf(message, admitted, deps) } : {}),
        ...(deps.tasks ? { tasks: callerTasks(deps.tasks, admitted) } : {}),
        challenge: (scopes) => {
          challenged = scopes
        },
        publish: admitted.publish,
      }),
    {
      legacy: 'reject',
      bus: countedBus(admitted, deps, () => handler.close()),
      maxSubscriptions: deps.streams?.hasRoom(caller.accountId) ? 1 : 0,
      keepAliveMs: STREAM_KEEP_ALIVE_MS,
      onerror: (error) => {
        failure = error
      },
    },
  )
  const response = await handler.fetch(request, { parsedBody: body })

  if (challenged) return admitted.insufficientScope(challenged)
  // The SDK answers its own 500; a fault of ours is logged and answered where all of them are.
  if (response.status === 500 && failure) throw failure
  return response
}

/** Whether it wants to hear of tasks and does not know them (SEP-2663, "Task Status Notifications"). */
function listensToTasks({ method, params }: Message): boolean {
  const wanted = params?.['notifications'] as { readonly taskIds?: unknown } | null | undefined
  return (
    method === 'subscriptions/listen' && wanted?.taskIds !== undefined && !declaresTasks(params?.['_meta'])
  )
}

type Message = { readonly method: string; readonly params?: Record<string, unknown> | undefined }

function stateOf({ method, params }: Message, { caller }: Admitted, deps: ModernDeps) {
  return createRequestState(
    {
      accountId: caller.accountId,
      clientKey: caller.client.key,
      method,
      target: textMember(params, 'name') || textMember(params, 'uri'),
      args: params?.['arguments'],
    },
    deps,
  )
}

/** The caller's changes, with each listening stream counted and ended in time. */
function countedBus(
  { caller, secondsLeft, publish, stillAdmitted }: Admitted,
  { bus, streams }: ModernDeps,
  close: () => Promise<void>,
): ServerEventBus {
  return {
    publish,
    subscribe(listener) {
      const unsubscribe = bus.scoped(caller.accountId).subscribe(listener)
      const release = streams?.hold({
        accountId: caller.accountId,
        atMostSeconds: secondsLeft,
        end: () => void close(),
      })
      const recheck = setInterval(() => void endIfRefused(stillAdmitted, close), STREAM_RECHECK_MS)
      return () => {
        clearInterval(recheck)
        unsubscribe()
        release?.()
      }
    },
  }
}

/** A stream must not outlive its connection. While the store is out of reach nobody can tell: it goes on. */
async function endIfRefused(
  stillAdmitted: () => Promise<boolean>,
  close: () => Promise<void>,
): Promise<void> {
  const admitted = await stillAdmitted().catch(() => true)
  if (!admitted) await close()
}
