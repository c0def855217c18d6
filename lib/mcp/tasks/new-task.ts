import { TASK_MS } from '#lib/config/limits'
import type { Capabilities } from '#lib/mcp/answers'
import type { Next, Tool } from '#lib/mcp/define'
import type { TaskRecord } from '#lib/mcp/tasks/record'
import { checked, messageOf } from '#lib/mcp/tasks/steps'
import type { Asking } from '#lib/mcp/tasks/tasks'

/** A long tool that was called, after its `begin`. */
export interface NewTask {
  readonly tool: Tool
  /** As they were sent; they have fitted the tool's schema. */
  readonly args: Readonly<Record<string, unknown>>
  readonly first: Next
  /** What the client of the call can be asked. */
  readonly capabilities: Capabilities
}

/** The record that a task begins with. @throws when its state cannot be kept: a fault of the tool */
export function newRecord(
  { caller, requestId, authority }: Asking,
  { tool, first, capabilities }: NewTask,
  { now, run }: { readonly now: number; readonly run: string },
): TaskRecord {
  const message = messageOf(first)
  return {
    v: 1,
    accountId: caller.accountId,
    clientKey: caller.client.key,
    tool: tool.name,
    authority,
    capabilities: known(capabilities),
    requestId,
    createdAt: now,
    updatedAt: now,
    ttlMs: TASK_MS,
    status: 'working',
    ...(message === undefined ? {} : { message }),
    run,
    tries: 0,
    begun: false,
    steps: 0,
    ...(first.afterMs === undefined ? {} : { notBefore: now + first.afterMs }),
    state: checked(first).state,
    open: {},
    asked: {},
    answers: {},
  }
}

/** What counts of what a client declared: the rest is its own, and may be of any size. */
function known({ elicitation, sampling, roots }: Capabilities): Record<string, unknown> {
  const modes = ['form', 'url'].filter((mode) => elicitation?.[mode] !== undefined)
  return {
    ...(elicitation ? { elicitation: Object.fromEntries(modes.map((mode) => [mode, {}])) } : {}),
    ...(sampling ? { sampling: {} } : {}),
    ...(roots ? { roots: {} } : {}),
  }
}
