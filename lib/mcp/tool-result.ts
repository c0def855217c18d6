import type { CallToolResult } from '@modelcontextprotocol/server'
import type { Tool, ToolOutcome } from '#lib/mcp/define'

/** The outcome of a tool on the wire. @throws when it does not fit the tool's own output schema */
export function resultOf(
  tool: Pick<Tool, 'output'>,
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

/** An error for the model to read. */
export const failure = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
})
