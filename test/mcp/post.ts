import { ENDPOINT, type InProcess } from '#test/mcp/in-process'

const MODERN = '2026-07-28'

type HeaderFields = Readonly<Record<string, string | undefined>>

export interface Post {
  readonly token?: string
  readonly headers?: HeaderFields
  readonly id?: unknown
  readonly signal?: AbortSignal
}

type Params = Record<string, unknown>

/** Sends any body as it is. */
export function post(server: InProcess, body: unknown, { token = 'alice', headers = {}, signal }: Post = {}) {
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    ...headers,
  }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return server.fetch(
    new Request(ENDPOINT, {
      method: 'POST',
      headers: sent,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    }),
  )
}

/**
 * A request of the 2025 era. It opens a session of 2025-11-25 by itself, one for each server and token, unless
 * the test says something of `mcp-session-id`, be it that there is none (`undefined`).
 */
export async function legacy(server: InProcess, method: string, params: Params = {}, how: Post = {}) {
  const { headers = {}, token } = how
  const own = 'mcp-session-id' in headers || method === 'initialize'
  const session = own ? {} : await sessionOf(server, token)
  return post(
    server,
    { jsonrpc: '2.0', id: how.id === undefined ? 1 : how.id, method, params },
    { ...how, headers: { ...session, ...headers } },
  )
}

/** What a session is opened with. */
export interface Opening extends Post {
  readonly version?: string
  readonly capabilities?: object
}

/** `initialize` and nothing else. */
export const initialize = (
  server: InProcess,
  { version = '2025-11-25', capabilities = {}, ...how }: Opening = {},
) =>
  post(
    server,
    {
      jsonrpc: '2.0',
      id: how.id === undefined ? 'init' : how.id,
      method: 'initialize',
      params: { protocolVersion: version, capabilities, clientInfo: { name: 'raw client', version: '1' } },
    },
    how,
  )

/** Opens a session: the headers of its requests. None where the server opens no session for this caller. */
export async function sessionHeaders(server: InProcess, opening: Opening = {}): Promise<HeaderFields> {
  const response = await initialize(server, opening)
  const id = response.headers.get('mcp-session-id')
  const { result } = await reply(response)
  return id === null ? {} : { 'mcp-session-id': id, 'mcp-protocol-version': result.protocolVersion }
}

const sessions = new WeakMap<InProcess, Map<string, Promise<HeaderFields>>>()

function sessionOf(server: InProcess, token = 'alice'): Promise<HeaderFields> {
  const opened = sessions.get(server) ?? new Map<string, Promise<HeaderFields>>()
  sessions.set(server, opened)
  const session = opened.get(token) ?? sessionHeaders(server, { token })
  opened.set(token, session)
  return session
}

/** A request of 2026-07-28 with its envelope and headers. */
export function modern(
  server: InProcess,
  method: string,
  { capabilities = {}, _meta = {}, ...params }: Params = {},
  how: Post = {},
) {
  const name = params['name'] ?? params['uri']
  const meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    ...(_meta as Params),
  }
  return post(
    server,
    { jsonrpc: '2.0', id: how.id === undefined ? 1 : how.id, method, params: { ...params, _meta: meta } },
    {
      ...how,
      headers: {
        'mcp-protocol-version': MODERN,
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': String(name) }),
        ...how.headers,
      },
    },
  )
}

export interface Reply {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into results of every shape
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Every message of an answer, be it JSON or a stream that ends. */
export async function messages(response: Response): Promise<Reply[]> {
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
    return [JSON.parse(text) as Reply]
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Reply)
}

/** The one message of an answer. */
export async function reply(response: Response): Promise<Reply> {
  const all = await messages(response)
  return all.at(-1) ?? {}
}
