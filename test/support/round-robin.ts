import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that went through, in order. */
export interface Passed {
  readonly method: string
  readonly path: string
  /** 0 while it is not answered. */
  status: number
  /** Index of the upstream that answered. */
  upstream: number
}

export interface RoundRobin {
  /** The public origin of what stands behind it. */
  readonly url: string
  readonly port: number
  /** Sets the ports behind it. Absent until then: every request is 502. */
  use(ports: readonly number[]): void
  /** What passed since the last call, static files apart, in the order of arrival. */
  passed(): readonly Passed[]
  close(): Promise<void>
}

/** Style sheets and icons come in bursts: they must not decide where the next step of a flow lands. */
const STATIC = /^\/(?:_next\/|favicon|icon)|\.(?:css|js|svg|png|ico|txt|woff2)(?:\?|$)/

/**
 * A strict round-robin over upstreams of 127.0.0.1: each request that is not a static file goes to the next
 * one. Of an upstream that refuses the connection the next one takes the request, as a load balancer would.
 */
export async function startRoundRobin(port = 0): Promise<RoundRobin> {
  let upstreams: readonly number[] = []
  let turn = 0
  let log: Passed[] = []

  const server = createServer((incoming, outgoing) => {
    void readBody(incoming).then((body) => {
      const passed = { method: incoming.method ?? '', path: incoming.url ?? '', status: 0, upstream: -1 }
      if (!STATIC.test(passed.path)) {
        turn++
        log.push(passed)
      }
      pass({ incoming, outgoing, body, passed }, turn, upstreams.length)
    })
  })

  // Longer than any client keeps a connection: Node's 5 s let it be closed under a request on a busy machine.
  server.keepAliveTimeout = 75_000

  function pass(exchange: Exchange, first: number, attempts: number): void {
    const { incoming, outgoing, body } = exchange
    if (attempts === 0 || upstreams.length === 0) {
      outgoing.writeHead(502).end('no upstream')
      return
    }
    const upstream = first % upstreams.length
    const forwarded = httpRequest(
      {
        host: '127.0.0.1',
        port: upstreams[upstream],
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (answer) => {
        const status = answer.statusCode ?? 502
        Object.assign(exchange.passed, { status, upstream })
        outgoing.writeHead(status, answer.rawHeaders)
        outgoing.flushHeaders()
        answer.pipe(outgoing)
        answer.on('error', () => outgoing.destroy())
      },
    )
    forwarded.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent) outgoing.destroy()
      else if (error.code === 'ECONNREFUSED') pass(exchange, first + 1, attempts - 1)
      else outgoing.writeHead(502).end(error.code)
    })
    outgoing.on('close', () => forwarded.destroy())
    forwarded.end(body)
  }

  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://localhost:${address.port}`,
    port: address.port,
    use(ports) {
      upstreams = ports
    },
    passed() {
      const since = log
      log = []
      return since
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly body: Buffer
  readonly passed: Passed
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
