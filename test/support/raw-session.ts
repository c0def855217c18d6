import { setTimeout as pause } from 'node:timers/promises'
import { eventParser, type WireMessage } from '#test/support/wire-tap'

/** A session of the 2025 era, request by request: for tests that count, break or forge something. */
export interface RawSession {
  readonly id: string
  request(method: string, params?: object, id?: string | number): Promise<Answered>
  notify(method: string, params?: object): Promise<Answered>
  /** Answers a question of the server. */
  answer(id: string | number, result: object): Promise<Answered>
  /** Sends a request whose answer may be a stream, and does not wait for its end. */
  open(method: string, params?: object, id?: string | number): Promise<OpenStream>
  /** GET: the session's own stream, or the rest of a stream. */
  listen(lastEventId?: string): Promise<OpenStream>
  /** DELETE; gives the status. */
  end(): Promise<number>
  /** The same session under another name, or with another token. */
  as(other: { readonly id?: string; readonly token?: string }): RawSession
}

/** An answer that has come to its end: JSON, or all that a stream carried. */
export interface Answered {
  readonly status: number
  readonly messages: readonly WireMessage[]
}

export interface OpenStream {
  readonly status: number
  readonly events: readonly { readonly id: string | undefined; readonly message: WireMessage | undefined }[]
  /** Waits until the stream has carried such a message. */
  until(found: (message: WireMessage) => boolean): Promise<WireMessage>
  readonly ended: Promise<void>
  close(): void
}

export interface RawSessionOptions {
  readonly origin: string
  readonly token: string
  readonly revision?: string
  readonly capabilities?: object
}

const UNTIL_MS = 10_000

/** `initialize` and nothing else. */
export async function beginSession(options: RawSessionOptions): Promise<RawSession> {
  const { revision = '2025-11-25', capabilities = { elicitation: {} } } = options
  const response = await send(options, {
    body: {
      jsonrpc: '2.0',
      id: 'begin',
      method: 'initialize',
      params: { protocolVersion: revision, capabilities, clientInfo: { name: 'raw', version: '1' } },
    },
  })
  const id = response.headers.get('mcp-session-id')
  await response.arrayBuffer()
  if (id === null) throw new Error(`initialize gave no session: ${response.status}`)
  return sessionOf(id, { ...options, revision })
}

function sessionOf(id: string, options: RawSessionOptions): RawSession {
  let counted = 0
  const post = async (body: object) => answered(await send(options, { id, body }))
  const asked = (method: string, params: object | undefined, given?: string | number) => ({
    jsonrpc: '2.0',
    id: given ?? `r${++counted}`,
    method,
    ...(params ? { params } : {}),
  })
  return {
    id,
    request: (method, params, given) => post(asked(method, params, given)),
    notify: (method, params) => post({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }),
    answer: (given, result) => post({ jsonrpc: '2.0', id: given, result }),
    open: (method, params, given) =>
      opened((signal) => send(options, { id, body: asked(method, params, given), signal })),
    listen: (lastEventId) => opened((signal) => send(options, { id, method: 'GET', lastEventId, signal })),
    async end() {
      const response = await send(options, { id, method: 'DELETE' })
      await response.arrayBuffer()
      return response.status
    },
    as: (other) => sessionOf(other.id ?? id, { ...options, token: other.token ?? options.token }),
  }
}

interface Sending {
  readonly id?: string
  readonly method?: 'POST' | 'GET' | 'DELETE'
  readonly body?: object
  readonly lastEventId?: string | undefined
  readonly signal?: AbortSignal
}

function send(
  { origin, token, revision = '2025-11-25' }: RawSessionOptions,
  { id, method = 'POST', body, lastEventId, signal }: Sending,
): Promise<Response> {
  return fetch(`${origin}/api/mcp`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      ...(id === undefined ? {} : { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': revision }),
      ...(body ? { 'Content-Type': 'application/json' } : {}),
      ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  })
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text()
  const { status } = response
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return { status, messages: text === '' ? [] : [JSON.parse(text) as WireMessage].flat() }
  }
  const messages: WireMessage[] = []
  eventParser(({ message }) => message && messages.push(message))(text)
  return { status, messages }
}

async function opened(ask: (signal: AbortSignal) => Promise<Response>): Promise<OpenStream> {
  const leaving = new AbortController()
  const response = await ask(leaving.signal)
  const events: OpenStream['events'][number][] = []
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const feed = isStream
    ? eventParser(({ id, message }) => events.push({ id, message }))
    : (text: string) => events.push({ id: undefined, message: JSON.parse(text) as WireMessage })
  const ended = follow(response, feed).catch(() => undefined)
  return {
    status: response.status,
    events,
    ended,
    close: () => leaving.abort(),
    async until(found) {
      for (const deadline = Date.now() + UNTIL_MS; Date.now() < deadline; await pause(10)) {
        const event = events.find(({ message }) => message && found(message))
        if (event?.message) return event.message
      }
      throw new Error(`it never came; what came: ${JSON.stringify(events).slice(0, 2000)}`)
    },
  }
}

async function follow(response: Response, feed: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) feed(decoder.decode(chunk, { stream: true }))
}

/** A call of a tool. */
export const callOf = (name: string, input: Record<string, unknown> = {}) => ({ name, arguments: input })
