import { type Capabilities, covers, judge } from '#lib/mcp/answers'
import { eventOf } from '#lib/mcp/context'
import type { Caller, ToolContext } from '#lib/mcp/define'
import type { Question } from '#lib/mcp/question'
import type { TaskRecord } from '#lib/mcp/tasks/record'
import type { RunnerDeps } from '#lib/mcp/tasks/runner'

/** What a step may use while it runs on its own: the same as in a call, and nobody who listens meanwhile. */
export function stepContext(
  record: TaskRecord,
  {
    deps,
    caller,
    signal,
  }: { readonly deps: RunnerDeps; readonly caller: Caller; readonly signal: AbortSignal },
): ToolContext {
  return {
    caller,
    store: deps.store,
    clock: deps.clock,
    random: deps.random,
    signal,
    // The extension has no progress within a task: what a step says when it ends is shown.
    progress: async () => undefined,
    ask: (key: string, question: Question) =>
      covers(record.capabilities as Capabilities, question)
        ? judge(key, question, record.answers[key])
        : { state: 'unavailable' },
    changed: (change) => deps.publish(record.accountId, eventOf(change)),
  } as ToolContext
}
