import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy that adds a bearer token: the suite cannot send one. */
export interface BearerProxy {
  readonly url: string
  close(): Promise<void>
}

/**
 * Starts the proxy in front of `upstream`. Every byte passes as it came (case and white space of headers are
 * part of what is tested), except that `Authorization` is ours, and `Host` and `Origin` name the upstream
 * where they named the proxy. A foreign `Host` stays foreign.
 */
export async function startBearerProxy(upstream: string, token: string): Promise<BearerProxy> {
  const target = new URL(upstream)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const { port } = server.address() as AddressInfo
    const onward = connect(Number(target.port || 80), target.hostname)
    const rewrite = headRewriter([`127.0.0.1:${port}`, `localhost:${port}`], target.host, token)
    client.on('data', (chunk) => onward.write(rewrite(chunk)))
    onward.pipe(client)
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Rewrites the heads of the requests in one connection's bytes, whole or in pieces, and passes the bodies. */
function headRewriter(own: readonly string[], host: string, token: string): (chunk: Buffer) => Buffer {
  let waiting = Buffer.alloc(0)
  let bodyLeft = 0

  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    const out: Buffer[] = []
    for (;;) {
      const body = waiting.subarray(0, bodyLeft)
      out.push(body)
      waiting = waiting.subarray(body.length)
      bodyLeft -= body.length

      const end = bodyLeft > 0 ? -1 : waiting.indexOf('\r\n\r\n')
      if (end < 0) return Buffer.concat(out)
      const [start = '', ...headers] = waiting.subarray(0, end).toString('latin1').split('\r\n')
      waiting = waiting.subarray(end + 4)
      bodyLeft = contentLength(headers)
      const kept = headers.filter((header) => !/^authorization:/i.test(header))
      const lines = [
        start,
        ...kept.map((header) => withHost(header, own, host)),
        `Authorization: Bearer ${token}`,
      ]
      out.push(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
    }
  }
}

function contentLength(headers: readonly string[]): number {
  if (headers.some((header) => /^transfer-encoding:/i.test(header))) throw new Error('chunked request bodies')
  const header = headers.find((line) => /^content-length:/i.test(line))
  return header === undefined ? 0 : Number(header.split(':', 2)[1])
}

function withHost(header: string, own: readonly string[], host: string): string {
  const match = /^(host:\s*|origin:\s*http:\/\/)(.*)$/i.exec(header)
  return match && own.includes(match[2] ?? '') ? `${match[1]}${host}` : header
}
