import { systemRandom } from '#lib/core/random'
import type { Caller } from '#lib/mcp/define'
import { createScopeGuard } from '#lib/mcp/scope-guard'
import type { ServerFactory } from '#lib/mcp/server'
import { createLeases, type LeaseTimes } from '#lib/mcp/tasks/leases'
import { createTasks, type Tasks } from '#lib/mcp/tasks/tasks'
import type { Log } from '#lib/observability/log'
import type { Store } from '#lib/store/port'

interface Over {
  readonly store: Store
  readonly factory: ServerFactory
  readonly clock?: () => number
  readonly times?: LeaseTimes
  readonly log?: Log
  readonly standing?: (authority: string) => Promise<Caller | undefined>
  readonly publish?: (accountId: string, event: unknown) => void
  readonly runMaxMs?: number
}

/** The tasks of one instance over a store, as the composition root makes them. */
export function tasksOver({ store, factory, times, standing, ...rest }: Over): Tasks {
  return createTasks({
    clock: Date.now,
    random: systemRandom,
    log: () => undefined,
    publish: () => undefined,
    scopes: createScopeGuard([
      { name: 'notes:read', includes: [] },
      { name: 'notes:write', includes: ['notes:read'] },
    ]),
    store,
    leases: createLeases(store, times),
    tool: (name) => factory.longTool?.(name),
    standing: standing ?? (async (authority) => callerOf(authority)),
    ...rest,
  })
}

/** Whom the claims of a test token mean, as the endpoint hands them on. */
export function callerOf(authority: string): Caller {
  const {
    accountId,
    scopes,
    app = 'test-client',
  } = JSON.parse(authority) as {
    accountId: string
    scopes: string[]
    app?: string
  }
  return { accountId, scopes, client: { key: app, name: app, verified: false } }
}
