import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where the browser brings the answer: a listener on this machine that takes one. */
export interface Callback {
  readonly redirectUri: string
  /** The URL that the browser was sent to. Rejects when nobody came in time. */
  wait(timeoutMs: number): Promise<URL>
  close(): void
}

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><title>Back to the terminal</title><body style="font:16px system-ui;margin:15vh auto;max-width:34rem;padding:0 1rem">
<h1 style="font-size:1.5rem">Back to the terminal</h1><p>The answer has arrived. You may close this tab.</p></body></html>`

/** Listens on a free port of 127.0.0.1 (RFC 8252 §7.3). */
export async function listenForCallback(): Promise<Callback> {
  let arrived: (url: URL) => void = () => undefined
  const arrival = new Promise<URL>((resolve) => {
    arrived = resolve
  })

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', redirectUri())
    if (request.method !== 'GET' || url.pathname !== '/callback') {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', Connection: 'close' }).end(PAGE)
    arrived(url)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const redirectUri = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`

  return {
    redirectUri: redirectUri(),
    async wait(timeoutMs) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('nobody answered in the browser')), timeoutMs)
      })
      try {
        return await Promise.race([arrival, late])
      } finally {
        clearTimeout(timer)
      }
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
