// A process of its own: opens sessions and uses them, and prints how much heap is in use after collection at
// each count that it is given. Run with --expose-gc and the environment of an instance.
import { connectByFetch } from '#bench/call/connect-by-fetch'
import { type EndpointName, services } from '#lib/services'

const AT_ONCE = 20
const ORIGIN = process.env['PUBLIC_URL'] ?? ''
const counts = process.argv.slice(2).map(Number)

const { endpoints, identity } = await services()
const paths: Readonly<Record<string, EndpointName>> = {
  '/sign-in/link': 'signInLink',
  '/oauth/register': 'register',
  '/oauth/authorize': 'authorize',
  '/oauth/consent': 'consent',
  '/oauth/token': 'token',
}

/** The product without a network: the request goes straight to its endpoint. */
async function inProcess(url: string | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(url, init)
  return endpoints[paths[new URL(request.url).pathname] ?? 'notFound'](request)
}

const token = await connectByFetch(ORIGIN, await identity.mintSignInLink({}), inProcess)

function send(how: { body?: object; session?: string; method?: string }): Promise<Response> {
  return endpoints.mcp(
    new Request(`${ORIGIN}/api/mcp`, {
      method: how.method ?? 'POST',
      headers: {
        host: new URL(ORIGIN).host,
        authorization: `Bearer ${token}`,
        accept: how.method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(how.body ? { 'content-type': 'application/json' } : {}),
        ...(how.session ? { 'mcp-session-id': how.session, 'mcp-protocol-version': '2025-11-25' } : {}),
      },
      ...(how.body ? { body: JSON.stringify(how.body) } : {}),
    }),
  )
}

const call = (name: string, input: object) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: input },
})

/** One session; every 10th calls, every 20th with a stream, and has a stream of its own that its client leaves. */
async function session(n: number): Promise<void> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: `c${n}`, version: '1' },
  }
  const begun = await send({ body: { jsonrpc: '2.0', id: 0, method: 'initialize', params } })
  const id = begun.headers.get('mcp-session-id')
  if (!id) throw new Error(`no session: ${begun.status} ${await begun.text()}`)
  await begun.arrayBuffer()
  if (n % 10 !== 0) return
  const answer = await send({ session: id, body: call('test_simple_text', {}) })
  if (!(await answer.text()).includes('simple text')) throw new Error(`no result: ${answer.status}`)
  if (n % 20 !== 0) return
  const streamed = await send({
    session: id,
    body: call('gatehouse_steps', { mark: 'm', count: 2, everyMs: 0 }),
  })
  if (!(await streamed.text()).includes('m: 2')) throw new Error(`no stream: ${streamed.status}`)
  const listening = await send({ session: id, method: 'GET' })
  await listening.body?.cancel()
}

async function heapUsed(): Promise<number> {
  // What follows answers has its time, and a second collection takes what the first one set free.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

let opened = 0
for (const count of counts) {
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (opened < count) await session(++opened)
    }),
  )
  console.log(JSON.stringify({ sessions: opened, heapUsed: await heapUsed() }))
}
process.exit(0)
