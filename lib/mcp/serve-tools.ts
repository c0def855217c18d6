import {
  type CallToolResult,
  type McpServer,
  ProtocolError,
  type ServerContext,
  type Tool as WireTool,
} from '@modelcontextprotocol/server'
import { readAnswers } from '#lib/mcp/answers'
import { type Serving, scopeChallenge, toolContext } from '#lib/mcp/context'
import type { Tool, ToolOutcome } from '#lib/mcp/define'
import { report } from '#lib/mcp/faults'
import { deepFreeze, type Frozen, frozen } from '#lib/mcp/schema'

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
    { inputSchema: input, scopeChallenge: scopeChallenge(serving, tool.scope) },
    (args: unknown, context: ServerContext) =>
      call(tool, args as Record<string, unknown>, { context, serving }),
  )
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
    const outcome = await tool.run(input, toolContext(context, serving, answers))
    const result =
      outcome.kind === 'pending' ? await answers.request(outcome, failure('Asked.')) : resultOf(tool, outcome)
    finish(outcome.kind)
    return result
  } catch (error) {
    // A caller that left hears nothing; what its absence broke is no fault.
    finish(context.mcpReq.signal.aborted ? 'cancelled' : 'faulted')
    if (context.mcpReq.signal.aborted) return failure('Cancelled.')
    return failure(error instanceof ProtocolError ? error.message : report(error, tool.name, serving))
  }
}

function resultOf(
  tool: Tool,
  outcome: Exclude<ToolOutcome<Tool['output']>, { kind: 'pending' }>,
): CallToolResult {
  if (outcome.kind === 'failed') return failure(outcome.text)
  return {
    content: [
      { type: 'text', text: outcome.text },
      ...(outcome.links ?? []).map((link) => ({ type: 'resource_link' as const, ...link })),
    ],
    // Clients check it against the schema we list: what does not fit must fail here.
    structuredContent: tool.output.parse(outcome.structured),
  }
}

const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true })
