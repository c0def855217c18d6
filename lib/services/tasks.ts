import type { Config } from '#lib/config/env'
import { createScopeGuard } from '#lib/mcp/scope-guard'
import type { ServerFactory } from '#lib/mcp/server'
import { createLeases } from '#lib/mcp/tasks/leases'
import { createTasks, type Tasks } from '#lib/mcp/tasks/tasks'
import { type admission, taskStanding } from '#lib/services/admission'
import { type CleanUp, createCleanUp } from '#lib/services/clean-up'
import type { commonDeps } from '#lib/services/parts'
import { scopes } from '#lib/tools/scopes'

/** Introduces the tasks to the connections that they act for, and has them looked after. */
export function composeTasks(
  config: Config,
  common: ReturnType<typeof commonDeps>,
  parts: {
    readonly factory: ServerFactory
    readonly admit: ReturnType<typeof admission>
    readonly publish: Parameters<typeof createTasks>[0]['publish']
    readonly waitUntil: (work: Promise<unknown>) => void
  },
): { readonly tasks: Tasks; readonly cleanUp: CleanUp } {
  const { factory, admit, publish, waitUntil } = parts
  const tasks = createTasks({
    ...common,
    scopes: createScopeGuard(scopes),
    leases: createLeases(common.store),
    tool: (name) => factory.longTool?.(name),
    standing: taskStanding(admit),
    publish,
    // Where time is billed, a task is handed over when a stream would be.
    runMaxMs: config.serverless ? config.streamMaxSeconds * 1000 : undefined,
    onUse: () => cleanUp.soon(),
  })
  const cleanUp = createCleanUp({
    ...common,
    waitUntil,
    work: async () => ({ tasksTakenUp: await tasks.cleanUp(waitUntil) }),
  })
  return { tasks, cleanUp }
}
