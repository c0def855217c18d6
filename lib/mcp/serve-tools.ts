import {
  type McpServer,
  ProtocolError,
  type ServerContext,
  type Tool as WireTool,
} from '@modelcontextprotocol/server'
import { type Answers, readAnswers } from '#lib/mcp/answers'
import { type Serving, scopeChallenge, toolContext } from '#lib/mcp/context'
import type { Tool } from '#lib/mcp/define'
import { report } from '#lib/mcp/faults'
import { deepFreeze, type Frozen, frozen } from '#lib/mcp/schema'
import { type Called, needsTasks, runLong } from '#lib/mcp/serve-tasks'
import { tasksRequired } from '#lib/mcp/tasks/wire'
import { failure, resultOf } from '#lib/mcp/tool-result'

/** A tool with everything about it that does not depend on the request. */
export interface PreparedTool {
  readonly tool: Tool
  readonly input: Frozen<Tool['input']>
  /** As it stands in `tools/list`. */
  readonly listed: WireTool
}

/** Prepares a tool, once for the life of the process. */
export function prepareTool(tool: Tool): PreparedTool {
  const input = frozen(tool.input, 'input')
  const { name, title, description, annotations } = tool
  const listed = {
    name,
    title,
    description,
    inputSchema: input.json,
    outputSchema: frozen(tool.output, 'output').json,
    annotations: { title, ...annotations },
  }
  // Both schemas come from z.object: their root is an object, as the type wants.
  return { tool, input, listed: deepFreeze(listed) as unknown as WireTool }
}

/** Makes the server able to run this one tool. */
export function registerTool(server: McpServer, prepared: PreparedTool, serving: Serving): void {
  const { tool, input } = prepared
  server.registerTool(
    tool.name,
    {
      description: tool.description,
      inputSchema: input,
      scopeChallenge: scopeChallenge(serving, tool.scope),
    },
    (args: unknown, context: ServerContext) =>
      call(tool, args as Record<string, unknown>, { context, serving }),
  )
  // What the handler of a tool throws becomes a result; this is an error of the protocol.
  if (needsTasks(tool, serving)) {
    server.server.setRequestHandler('tools/call', () => {
      throw tasksRequired()
    })
  }
}

async function call(
  tool: Tool,
  input: Record<string, unknown>,
  { context, serving }: { readonly context: ServerContext; readonly serving: Serving },
) {
  const { exchange, deps } = serving
  const startedAt = deps.clock()
  const finish = (outcome: string) =>
    deps.log('info', 'tool_call', {
      requestId: exchange.requestId,
      tool: tool.name,
      clientKey: exchange.caller.client.key,
      outcome,
      ms: deps.clock() - startedAt,
    })

  try {
    const answers = readAnswers(context, exchange, deps.random)
    const given = toolContext(context, serving, answers)
    const outcome = tool.long
      ? await runLong(tool, input, { context, serving, given })
      : await tool.run(input, given)
    const result = await wireOf(tool, outcome, answers)
    finish(outcome.kind)
    return result
  } catch (error) {
    // A caller that left hears nothing; what its absence broke is no fault.
    finish(context.mcpReq.signal.aborted ? 'cancelled' : 'faulted')
    if (context.mcpReq.signal.aborted) return failure('Cancelled.')
    return failure(error instanceof ProtocolError ? error.message : report(error, tool.name, serving))
  }
}

function wireOf(tool: Tool, outcome: Called, answers: Answers) {
  switch (outcome.kind) {
    case 'task':
      return outcome.result
    case 'pending':
      return answers.request(outcome, failure('Asked.'))
    default:
      return resultOf(tool, outcome)
  }
}
