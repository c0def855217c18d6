import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient, ErrorReply, RESP_TYPES } from '@redis/client'

/**
 * What goes wrong with a request. `refuse`: its connection is cut before it is read. `drop request`: it is
 * read and not run, and the connection is cut. `drop reply`: it is run, and the connection is cut. `hang`: it
 * is neither run nor answered. `answer 500`: it is not run. `failCommand`: its n-th command (from 1) is
 * answered with an error and not run, the others are.
 */
export type BridgeFault =
  | 'refuse'
  | 'drop request'
  | 'drop reply'
  | 'hang'
  | 'answer 500'
  | { readonly failCommand: number }

export interface UpstashBridge {
  readonly url: string
  readonly token: string
  /** Since the start or the last `reset`; commands inside a script are not counted. */
  readonly counts: {
    requests: number
    commands: number
    subscriptions: number
    /** Names of the commands of each request. */
    seen: string[][]
    reset(): void
  }
  readonly faults: {
    /**
     * Makes the next `times` requests go wrong; without `times`, all until `clear`. With `when`, only those
     * whose body it chooses.
     */
    inject(fault: BridgeFault, times?: number, when?: (body: string) => boolean): void
    clear(): void
    /** Ends every subscription's stream, cleanly or by cutting the connection. */
    endStreams(how?: 'cleanly' | 'cut'): void
  }
  /** Subscriptions that are open now. */
  openStreams(): number
  stop(): Promise<void>
}

const REQUEST_MAX_BYTES = 10 * 1024 * 1024
const KEY_MAX_BYTES = 32 * 1024
const LOCKING_FLAG = '#!lua flags=allow-key-locking\n'
const WITHOUT_KEY = new Set([
  'PING',
  'ECHO',
  'PUBLISH',
  'FLUSHDB',
  'FLUSHALL',
  'DBSIZE',
  'INFO',
  'TIME',
  'SCAN',
])
const REFUSED = new Set(
  'AUTH SELECT CLIENT WATCH UNWATCH DISCARD SUBSCRIBE PSUBSCRIBE MONITOR CONFIG SHUTDOWN BLPOP BRPOP BLMOVE'.split(
    ' ',
  ),
)

class HttpFailure extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Speaks Upstash's REST protocol on loopback, in front of a real redis-server. */
export async function startUpstashBridge({ redisUrl }: { redisUrl: string }): Promise<UpstashBridge> {
  const token = randomBytes(24).toString('base64url')
  const redis = await connectTo(redisUrl)
  const run = runner(redis)
  const streams = new Set<ServerResponse>()
  const counts = newCounts()
  let fault: { kind: BridgeFault; left: number; when: ((body: string) => boolean) | undefined } | undefined

  function nextFault(body: Buffer): BridgeFault | undefined {
    if (!fault || fault.left <= 0 || fault.when?.(body.toString()) === false) return undefined
    fault.left--
    return fault.kind
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    if (fault?.kind === 'refuse' && !fault.when && nextFault(Buffer.alloc(0))) {
      return void request.socket.destroy()
    }
    const body = await bodyOf(request)
    const current = nextFault(body)
    if (current === 'refuse') return void request.socket.destroy()
    if (current === 'drop request') return void request.socket.destroy()
    if (current === 'hang') return
    if (current === 'answer 500') throw new HttpFailure(500, 'ERR internal error')
    if (request.method !== 'POST') throw new HttpFailure(405, 'ERR method is not allowed')
    assertToken(request, token)

    const url = new URL(request.url ?? '/', 'http://bridge')
    if (url.pathname.startsWith('/subscribe/')) {
      counts.subscriptions++
      return stream(redisUrl, decodeURIComponent(url.pathname.slice('/subscribe/'.length)), response, streams)
    }
    const asked = parse(url.pathname, body)
    counts.requests++
    counts.commands += asked.commands.length
    counts.seen.push(asked.commands.map(([name = '']) => name.toUpperCase()))

    const failing = typeof current === 'object' ? current.failCommand : undefined
    const replies = await run(asked, failing)
    if (current === 'drop reply') return void request.socket.destroy()
    answer(response, asked.path, replies, request.headers['upstash-encoding'] === 'base64')
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      const status = error instanceof HttpFailure ? error.status : 500
      const message = error instanceof Error ? error.message : 'ERR'
      if (!response.headersSent) send(response, status, { error: message })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    counts,
    faults: {
      inject(kind, times = Number.POSITIVE_INFINITY, when = undefined) {
        fault = { kind, left: times, when }
      },
      clear() {
        fault = undefined
      },
      endStreams(how = 'cleanly') {
        for (const response of streams) how === 'cut' ? response.destroy() : response.end()
      },
    },
    openStreams: () => streams.size,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      redis.destroy()
    },
  }
}

function newCounts(): UpstashBridge['counts'] {
  return {
    requests: 0,
    commands: 0,
    subscriptions: 0,
    seen: [],
    reset() {
      this.requests = 0
      this.commands = 0
      this.subscriptions = 0
      this.seen = []
    },
  }
}

async function connectTo(url: string) {
  const client = createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: 20 },
    // Bytes as they are: base64 encodes bytes, not text.
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  })
  client.on('error', () => undefined)
  return client.connect()
}

type Asked = { path: '/' | '/pipeline' | '/multi-exec'; commands: string[][] }
type Reply = { result: unknown } | { error: string }

function parse(path: string, body: Buffer): Asked {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw new HttpFailure(400, 'ERR failed to parse request body')
  }
  const known = path === '/' || path === '/pipeline' || path === '/multi-exec' ? path : undefined
  if (!known) throw new HttpFailure(404, 'ERR unknown path')
  const list = known === '/' ? [value] : value
  if (!Array.isArray(list) || list.length === 0) throw new HttpFailure(400, 'ERR empty pipeline')
  return { path: known, commands: list.map(commandOf) }
}

function commandOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) throw new HttpFailure(400, 'ERR empty command')
  return value.map((part) => (typeof part === 'object' ? JSON.stringify(part) : String(part)))
}

function runner(redis: Awaited<ReturnType<typeof connectTo>>) {
  const one = (command: string[]): Promise<Reply> => {
    const refused = refusal(command)
    if (refused) return Promise.resolve({ error: refused })
    return redis.sendCommand(command.map(withoutLockingFlag)).then(
      (result: unknown): Reply => ({ result }),
      (error: unknown): Reply => {
        if (error instanceof ErrorReply) return { error: error.message }
        throw error
      },
    )
  }

  /** All are written in one tick to one connection, so they run in order. */
  return async ({ path, commands }: Asked, failing?: number): Promise<Reply[]> => {
    if (path !== '/multi-exec') {
      return Promise.all(
        commands.map((command, index) =>
          index + 1 === failing ? { error: 'ERR injected failure' } : one(command),
        ),
      )
    }
    const replies = [['MULTI'], ...commands, ['EXEC']].map(one)
    const executed = (await Promise.all(replies)).at(-1)
    if (!executed || 'error' in executed) return executed ? [executed] : []
    return (executed.result as unknown[]).map((result) =>
      result instanceof Error ? { error: result.message } : { result },
    )
  }
}

function refusal(command: string[]): string | undefined {
  const name = (command[0] ?? '').toUpperCase()
  if (REFUSED.has(name)) return `ERR Command is not available: '${name}'`
  if (WITHOUT_KEY.has(name)) return undefined
  const keys =
    name === 'EVAL'
      ? command.slice(3, 3 + Number(command[2]))
      : name === 'DEL'
        ? command.slice(1)
        : [command[1] ?? '']
  const longest = Math.max(0, ...keys.map((key) => Buffer.byteLength(key)))
  return longest > KEY_MAX_BYTES
    ? `ERR max key size exceeded. Limit: ${KEY_MAX_BYTES} bytes, Actual: ${longest} bytes`
    : undefined
}

/** Redis knows no such flag; Upstash refuses undeclared keys with it, which this cannot show. */
const withoutLockingFlag = (part: string) =>
  part.startsWith(LOCKING_FLAG) ? part.slice(LOCKING_FLAG.length) : part

function answer(response: ServerResponse, path: Asked['path'], replies: Reply[], base64: boolean) {
  const encoded = replies.map((reply) =>
    'error' in reply ? reply : { result: encode(reply.result, base64, true) },
  )
  const [first] = encoded
  const refused = first !== undefined && 'error' in first
  if (path === '/') return send(response, refused ? 400 : 200, first)
  // A transaction that was refused as a whole is one error.
  if (path === '/multi-exec' && refused && replies.length === 1) return send(response, 400, first)
  return send(response, 200, encoded)
}

/** Every text is base64, except an `OK` at the top. */
function encode(value: unknown, base64: boolean, top: boolean): unknown {
  if (Array.isArray(value)) return value.map((member) => encode(member, base64, false))
  if (value === null || typeof value === 'number') return value
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value))
  return !base64 || (top && bytes.toString() === 'OK') ? bytes.toString() : bytes.toString('base64')
}

let tokens = 0

function send(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, {
    'content-type': 'application/json',
    'upstash-sync-token': Buffer.from(`sync ${++tokens}`).toString('base64'),
  })
  response.end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= REQUEST_MAX_BYTES) chunks.push(chunk)
  }
  if (size > REQUEST_MAX_BYTES) {
    throw new HttpFailure(
      400,
      `ERR max request size exceeded. Limit: ${REQUEST_MAX_BYTES} bytes, Actual: ${size} bytes`,
    )
  }
  return Buffer.concat(chunks)
}

function assertToken(request: IncomingMessage, token: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const given = digest(request.headers.authorization ?? '')
  if (!timingSafeEqual(given, digest(`Bearer ${token}`))) {
    throw new HttpFailure(401, 'WRONGPASS invalid or missing auth token')
  }
}

async function stream(
  redisUrl: string,
  names: string,
  response: ServerResponse,
  streams: Set<ServerResponse>,
) {
  const client = createClient({ url: redisUrl, RESP: 2, socket: { reconnectStrategy: false } })
  const end = () => {
    streams.delete(response)
    if (client.isOpen) client.destroy()
  }
  client.on('error', () => response.destroy())
  response.on('close', end)
  await client.connect()
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  let count = 0
  for (const channel of names.split(',')) {
    await client.subscribe(channel, (message) => response.write(`data: message,${channel},${message}\n\n`))
    response.write(`data: subscribe,${channel},${++count}\n\n`)
  }
  if (response.destroyed) end()
  else streams.add(response)
}
