import {
  type CallToolResult,
  type McpServer,
  ProtocolError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { TASK_ANSWERS_MAX_BYTES } from '#lib/config/limits'
import { capabilitiesOf } from '#lib/mcp/answers'
import type { Serving } from '#lib/mcp/context'
import type { LongRun, Tool, ToolContext, ToolOutcome } from '#lib/mcp/define'
import { guarded } from '#lib/mcp/faults'
import { INVALID_PARAMS } from '#lib/mcp/rpc-error'
import type { CallerTasks } from '#lib/mcp/tasks/caller-tasks'
import type { TaskRecord } from '#lib/mcp/tasks/record'
import type { NoTask } from '#lib/mcp/tasks/tasks'
import { declaresTasks, detailedTaskOf, knowsTasks, taskOf, tasksRequired } from '#lib/mcp/tasks/wire'
import { textMember } from '#lib/mcp/text-member'

/** What the handler of a call has at hand. */
interface Handling {
  readonly context: ServerContext
  readonly serving: Serving
  readonly given: ToolContext
}

/** What came of a call. */
export type Called =
  | ToolOutcome<z.ZodObject>
  /** Work that goes on after the call. */
  | { readonly kind: 'task'; readonly result: CallToolResult }

/** Whether this request calls a tool that runs only as a task, without knowing tasks. */
export function needsTasks({ name, long }: Tool, { exchange }: Serving): boolean {
  return (
    long?.tasks === 'required' &&
    exchange.era === 'modern' &&
    exchange.requests.some(
      ({ method, params }) =>
        method === 'tools/call' && textMember(params, 'name') === name && !declaresTasks(params?.['_meta']),
    )
  )
}

/** Runs a long tool: as a task where the client knows tasks, else within the call. */
export async function runLong(
  tool: Tool,
  input: Readonly<Record<string, unknown>>,
  { context, serving, given }: Handling,
): Promise<Called> {
  const { exchange } = serving
  const long = tool.long as LongRun
  const tasks = knowsTasks(context) ? exchange.tasks : undefined
  if (!tasks) return long.tasks === 'required' ? refused('unknown') : tool.run(input, given)

  const first = await long.begin(input, given)
  if (first.kind !== 'next') return first
  const created = await tasks.create({
    tool,
    args: argumentsOf(serving),
    first,
    capabilities: capabilitiesOf(context, exchange),
  })
  if (!created.ok)
    return long.tasks === 'required' ? refused(created.error) : long.finish(first, input, given)

  const { taskId, record } = created.value
  // `CreateTaskResult` takes the place of the tool's result (SEP-2663, "Polymorphic Results").
  return {
    kind: 'task',
    result: { resultType: 'task', ...taskOf(taskId, record) } as unknown as CallToolResult,
  }
}

/** The arguments as they were sent: a parsed value need not be JSON. */
function argumentsOf({ exchange }: Serving): Readonly<Record<string, unknown>> {
  const [request] = exchange.requests
  return (request?.params?.['arguments'] ?? {}) as Record<string, unknown>
}

function refused(why: NoTask | 'unknown'): ToolOutcome<z.ZodObject> {
  return { kind: 'failed', text: refusals[why] }
}

const refusals: Readonly<Record<NoTask | 'unknown', string>> = {
  unknown: 'This takes long and needs an app that knows MCP tasks. This one does not.',
  too_many: 'There are too many tasks. Wait until some have ended, or cancel some, and try again.',
  too_large: 'The arguments are too large for a task. Do it in several smaller calls.',
}

const TaskParams = z.looseObject({ taskId: z.string() })

/** Makes the server able to answer one of the methods of the tasks extension (SEP-2663). */
export function registerTaskMethod(
  { server }: McpServer,
  method: 'tasks/get' | 'tasks/update' | 'tasks/cancel',
  serving: Serving,
): void {
  server.setRequestHandler(method, { params: TaskParams }, ({ taskId }, context) => {
    if (!knowsTasks(context)) throw tasksRequired()
    const { tasks } = serving.exchange
    return guarded(method, serving, async () => {
      const record = tasks && (await acts[method](tasks, taskId, context))
      if (!record) throw new ProtocolError(INVALID_PARAMS, 'There is no such task, or it has expired')
      return method === 'tasks/get' ? detailedTaskOf(taskId, record) : {}
    })
  })
}

type Act = (tasks: CallerTasks, taskId: string, context: ServerContext) => Promise<TaskRecord | undefined>

const acts: Readonly<Record<'tasks/get' | 'tasks/update' | 'tasks/cancel', Act>> = {
  'tasks/get': (tasks, taskId) => tasks.get(taskId),
  'tasks/cancel': (tasks, taskId) => tasks.cancel(taskId),
  'tasks/update': (tasks, taskId, { mcpReq }) => {
    // The SDK takes them out of the parameters.
    if (!mcpReq.inputResponses) throw new ProtocolError(INVALID_PARAMS, 'inputResponses is missing')
    if (JSON.stringify(mcpReq.inputResponses).length > TASK_ANSWERS_MAX_BYTES) {
      throw new ProtocolError(INVALID_PARAMS, `Answers must not exceed ${TASK_ANSWERS_MAX_BYTES} bytes`)
    }
    return tasks.update(taskId, mcpReq.inputResponses)
  },
}
