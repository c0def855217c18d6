import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * What goes wrong on the way to a TCP server. `refuse`: connections are cut at once. `drop request`: the next
 * bytes are swallowed and the connection is cut. `drop reply`: they arrive, and what comes back is swallowed.
 * `hang`: nothing more reaches the server
 * over that connection.
 */
export type TcpFault = 'refuse' | 'drop request' | 'drop reply' | 'hang'

export interface TcpFaultProxy {
  readonly port: number
  /** Makes the next `times` requests (or connections, for `refuse`) go wrong; without `times`, all. */
  inject(fault: TcpFault, times?: number): void
  clear(): void
  /** Cuts every connection. */
  cut(): void
  stop(): Promise<void>
}

/** Stands between a client and a server on loopback. */
export async function startTcpFaultProxy({ port }: { port: number }): Promise<TcpFaultProxy> {
  const sockets = new Set<Socket>()
  let fault: { kind: TcpFault; left: number } | undefined

  function nextFault(): TcpFault | undefined {
    if (!fault || fault.left <= 0) return undefined
    fault.left--
    return fault.kind
  }

  const server = createServer((client) => {
    client.on('error', () => undefined)
    if (fault?.kind === 'refuse' && nextFault()) return void client.destroy()

    const upstream = connect(port, '127.0.0.1')
    let swallowReply = false
    let hangs = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (hangs) return
      const current = fault?.kind === 'refuse' ? undefined : nextFault()
      if (current === 'hang') hangs = true
      if (hangs) return
      if (current === 'drop request') return void client.destroy()
      if (current === 'drop reply') swallowReply = true
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (swallowReply) client.destroy()
      else client.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    inject(kind, times = Number.POSITIVE_INFINITY) {
      // To cut what is open is to refuse once.
      const cutNow = kind === 'refuse' && sockets.size > 0
      fault = { kind, left: cutNow ? times - 1 : times }
      if (cutNow) cut()
    },
    clear() {
      fault = undefined
    },
    cut,
    async stop() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
