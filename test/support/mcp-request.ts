/** Plain requests to the MCP endpoint, one message each: for tests that count, break or time something. */

export const ERAS = ['2026-07-28', '2025-11-25'] as const
export type Era = (typeof ERAS)[number]

interface Request {
  readonly token: string | undefined
  readonly era: Era
  readonly method: string
  readonly params?: { readonly name: string; readonly arguments: Record<string, unknown> }
}

/** One request as a client of that era sends it: of 2025 in a session, which is opened before the first. */
export async function post(origin: string, request: Request): Promise<Response> {
  if (request.era === '2026-07-28') return postModern(origin, request)
  const { token, era, method, params = {} } = request
  const session = await sessionOf(origin, token)
  return send(origin, token, {
    headers: { 'MCP-Protocol-Version': era, ...(session === undefined ? {} : { 'Mcp-Session-Id': session }) },
    message: { method, params },
  })
}

function postModern(origin: string, { token, era, method, params }: Request): Promise<Response> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return send(origin, token, {
    headers: {
      'MCP-Protocol-Version': era,
      'Mcp-Method': method,
      ...(params ? { 'Mcp-Name': params.name } : {}),
    },
    message: { method, params: { ...params, _meta } },
  })
}

/** `initialize` of 2025-11-25. The answer has the session's id in its headers. */
export const initialize = (origin: string, token: string | undefined): Promise<Response> =>
  send(origin, token, {
    headers: {},
    message: {
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'test', version: '1.0.0' },
      },
    },
  })

/** By origin and token. */
const sessions = new Map<string, string>()

/** The session of a token, opened when it is first needed; none for a token that is refused. */
export async function sessionOf(origin: string, token: string | undefined): Promise<string | undefined> {
  const key = `${origin} ${token}`
  const known = sessions.get(key)
  if (known !== undefined || token === undefined) return known

  const response = await initialize(origin, token)
  await response.arrayBuffer()
  const opened = response.headers.get('mcp-session-id')
  if (opened === null) return undefined
  sessions.set(key, opened)
  return opened
}

function send(
  origin: string,
  token: string | undefined,
  { headers, message }: { readonly headers: Record<string, string>; readonly message: object },
): Promise<Response> {
  return fetch(`${origin}/api/mcp`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
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
