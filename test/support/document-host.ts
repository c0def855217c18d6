import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '#test/support/self-signed'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A real HTTPS server on the loopback interface that answers as a test wants, and remembers who asked. */
export async function startDocumentHost(names: readonly [string, ...string[]] = ['app.example']) {
  const { key, cert } = selfSigned(names)
  const requests: IncomingMessage[] = []
  let answer: Answer = (_, response) => response.writeHead(500).end()
  const server = createServer({ key, cert }, (request, response) => {
    requests.push(request)
    answer(request, response)
  })
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ca: cert,
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    answerWith(next: Answer) {
      answer = next
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
