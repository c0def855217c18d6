/** Plain requests to the MCP endpoint, one message each: for tests that count, break or time something. */

export const ERAS = ['2026-07-28', '2025-11-25'] as const
export type Era = (typeof ERAS)[number]

/** One request as a client of that era sends it, without anything before it. */
export function post(
  origin: string,
  request: {
    readonly token: string | undefined
    readonly era: Era
    readonly method: string
    readonly params?: { readonly name: string; readonly arguments: Record<string, unknown> }
  },
): Promise<Response> {
  const { token, era, method, params } = request
  const modern = era === '2026-07-28'
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return fetch(`${origin}/api/mcp`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': era,
      ...(modern ? { 'Mcp-Method': method } : {}),
      ...(modern && params ? { 'Mcp-Name': params.name } : {}),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { ...params, ...(modern ? { _meta: envelope } : {}) },
    }),
  })
}

/** The cheapest tool call there is: does a token still work? The body is read, so that the call has ended. */
export async function listNotes(
  origin: string,
  token: string | undefined,
  era: Era = '2026-07-28',
): Promise<Response> {
  const params = { name: 'list_notes', arguments: {} }
  const response = await post(origin, { token, era, method: 'tools/call', params })
  return new Response(await response.arrayBuffer(), response)
}
