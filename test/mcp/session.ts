import { setTimeout as pause } from 'node:timers/promises'
import { ENDPOINT, type InProcess } from '#test/mcp/in-process'
import { initialize, type Opening, type Post, post, type Reply, reply } from '#test/mcp/post'

/** One event of a stream. A frame without a message tells the client where it is. */
export interface Frame {
  readonly id?: string
  readonly retry?: number
  readonly message?: Reply
}

/** A stream that is being read. */
export interface Reading {
  readonly frames: readonly Frame[]
  /** The messages so far. */
  readonly messages: readonly Reply[]
  /** The id of the last event that had one: what a client sends as `Last-Event-ID`. */
  readonly lastEventId: string | undefined
  /** Settles when the stream has ended; false when it broke. */
  readonly ended: Promise<boolean>
  /** Resolves with the first message that `matches`; rejects when the stream ends without one. */
  until(matches: (message: Reply) => boolean): Promise<Reply>
  /** The client goes away without a word. */
  leave(): Promise<void>
}

/** Reads the events of an answer as they come. */
export function readStream(response: Response): Reading {
  const frames: Frame[] = []
  const seen = new Set<() => void>()
  const reader = response.body?.getReader()
  let over = false

  async function read(): Promise<boolean> {
    const decoder = new TextDecoder()
    let text = ''
    try {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
        if (done) return true
        text += decoder.decode(value, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const frame = parseFrame(block)
          if (frame) frames.push(frame)
        }
        for (const look of seen) look()
      }
    } catch {
      return false
    } finally {
      over = true
      for (const look of seen) look()
    }
  }

  const messages = () => frames.flatMap(({ message }) => (message ? [message] : []))
  return {
    frames,
    get messages() {
      return messages()
    },
    get lastEventId() {
      return frames.findLast(({ id }) => id !== undefined)?.id
    },
    ended: read(),
    until: (matches) =>
      new Promise((resolve, reject) => {
        function look(): void {
          const found = messages().find(matches)
          if (found === undefined && !over) return
          seen.delete(look)
          if (found) resolve(found)
          else reject(new Error(`the stream ended with ${JSON.stringify(messages())}`))
        }
        seen.add(look)
        look()
      }),
    async leave() {
      await reader?.cancel().catch(() => undefined)
    },
  }
}

function parseFrame(block: string): Frame | undefined {
  const lines = block.split('\n')
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  const [id, retry, data] = [value('id'), value('retry'), value('data')]
  if (id === undefined && retry === undefined && !data) return undefined
  return {
    ...(id === undefined ? {} : { id }),
    ...(retry === undefined ? {} : { retry: Number(retry) }),
    ...(data ? { message: JSON.parse(data) as Reply } : {}),
  }
}

/** A client of the 2025 era with a session, sending by hand to whatever instance it is told. */
export interface RawSession {
  readonly id: string
  readonly version: string
  send(server: InProcess, body: unknown, how?: Post): Promise<Response>
  request(server: InProcess, method: string, params?: object, how?: Post): Promise<Response>
  call(server: InProcess, name: string, args?: object, how?: Post): Promise<Response>
  notify(server: InProcess, method: string, params?: object): Promise<Response>
  /** Answers a question of the server. */
  answer(server: InProcess, question: Reply, result: object): Promise<Response>
  get(server: InProcess, headers?: Readonly<Record<string, string>>, token?: string): Promise<Response>
  delete(server: InProcess, token?: string): Promise<Response>
}

/** Begins a session. */
export async function openSession(server: InProcess, opening: Opening = {}): Promise<RawSession> {
  const response = await initialize(server, opening)
  const id = response.headers.get('mcp-session-id')
  const { result } = await reply(response)
  if (id === null) throw new Error(`no session: ${response.status} ${JSON.stringify(result)}`)

  const version = result.protocolVersion as string
  const own = { 'mcp-session-id': id, 'mcp-protocol-version': version }
  let next = 0
  const send: RawSession['send'] = (to, body, { headers, token = opening.token ?? 'alice', ...how } = {}) =>
    post(to, body, { ...how, token, headers: { ...own, ...headers } })
  const bare = (to: InProcess, method: string, headers: object, token = opening.token ?? 'alice') =>
    to.fetch(
      new Request(ENDPOINT, {
        method,
        headers: { ...own, authorization: `Bearer ${token}`, ...headers },
      }),
    )
  const request: RawSession['request'] = (to, method, params = {}, how = {}) =>
    send(to, { jsonrpc: '2.0', id: how.id === undefined ? ++next : how.id, method, params }, how)

  const session: RawSession = {
    id,
    version,
    send,
    request,
    call: (to, name, args = {}, how = {}) => request(to, 'tools/call', { name, arguments: args }, how),
    notify: (to, method, params = {}) => send(to, { jsonrpc: '2.0', method, params }),
    answer: (to, question, result) => send(to, { jsonrpc: '2.0', id: question.id, result }),
    get: (to, headers = {}, token = undefined) =>
      bare(to, 'GET', { accept: 'text/event-stream', ...headers }, token),
    delete: (to, token = undefined) => bare(to, 'DELETE', {}, token),
  }
  await session.notify(server, 'notifications/initialized')
  return session
}

/** Waits until `holds` does, for at most `ms`. */
export async function eventually(holds: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it does not hold after ${ms} ms: ${holds}`)
    await pause(20)
  }
}
