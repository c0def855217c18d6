import type { ServerContext } from '@modelcontextprotocol/server'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { Answers } from '#lib/mcp/answers'
import type { Change, ToolContext } from '#lib/mcp/define'
import type { ScopeGuard, ScopesAsked } from '#lib/mcp/scope-guard'
import type { ServerExchange } from '#lib/mcp/server-exchange'
import type { Log } from '#lib/observability/log'
import type { Store } from '#lib/store/port'

/** What serving needs besides the exchange itself. */
export interface ServingDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly scopes: ScopeGuard
}

/** One exchange with everything that serves it. */
export interface Serving {
  readonly exchange: ServerExchange
  readonly deps: ServingDeps
}

/** What a tool, a prompt or a resource may use while it runs. */
export function toolContext(
  context: ServerContext,
  { exchange, deps }: Serving,
  answers?: Answers,
): ToolContext {
  return {
    caller: exchange.caller,
    store: deps.store,
    clock: deps.clock,
    random: deps.random,
    signal: context.mcpReq.signal,
    progress: progressOf(context),
    ask: (key, question) => answers?.ask(key, question) ?? { state: 'unavailable' },
    changed: (change) => exchange.publish(eventOf(change)),
    log: (level, message) => void context.mcpReq.log(level, message).catch(() => undefined),
    ...(answers?.saved === undefined ? {} : { saved: answers.saved }),
  }
}

/** Progress is a courtesy: it is sent only where it was asked for, only upwards, and never fails a call. */
function progressOf(context: ServerContext): ToolContext['progress'] {
  const progressToken = context.mcpReq._meta?.progressToken
  let last = Number.NEGATIVE_INFINITY

  return async (done, total, message) => {
    if (progressToken === undefined || done <= last) return
    last = done
    const params = {
      progressToken,
      progress: done,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message }),
    }
    await context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }
}

/** A change in the form that streams carry. */
export function eventOf(change: Change) {
  return change.kind === 'resource'
    ? ({ kind: 'resource_updated', uri: change.uri } as const)
    : ({ kind: 'resources_list_changed' } as const)
}

/** The check before anything runs: the SDK asks it, on both eras, before it starts an answer. */
export function scopeChallenge({ exchange, deps }: Serving, needed: string) {
  return (): { readonly scopes: ScopesAsked } | undefined => {
    const held = exchange.caller.scopes
    if (deps.scopes.allows(held, needed)) return undefined
    const scopes = deps.scopes.challenge(held, needed)
    exchange.challenge(scopes)
    return { scopes }
  }
}
