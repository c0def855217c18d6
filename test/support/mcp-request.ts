/** Plain requests to the MCP endpoint, one message each: for tests that count, break or time something. */

export const ERAS = ['2026-07-28', '2025-11-25'] as const
export type Era = (typeof ERAS)[number]

/** A `tools/call` as a client of that era sends it, without anything before it. */
export function callTool(
  origin: string,
  {
    token,
    era,
    tool,
    input,
  }: {
    readonly token?: string | undefined
    readonly era: Era
    readonly tool: string
    readonly input: Record<string, unknown>
  },
): Promise<Response> {
  const modern = era === '2026-07-28'
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: tool, arguments: input, ...(modern ? { _meta: envelope } : {}) }
  return fetch(`${origin}/api/mcp`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': era,
      ...(modern ? { 'Mcp-Method': 'tools/call', 'Mcp-Name': tool } : {}),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  })
}

/** The cheapest call there is to see whether a token still works. */
export const listNotes = (origin: string, token: string | undefined, era: Era = '2026-07-28') =>
  callTool(origin, { token, era, tool: 'list_notes', input: {} })
