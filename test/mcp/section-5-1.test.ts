import { beforeEach, describe, expect, it } from 'vitest'
import { ENDPOINT, type InProcess, inProcess, ORIGIN } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { legacy, messages, modern, post, reply, sessionHeaders } from '#test/mcp/post'

/** What the official suite does not check of the transport, in both eras. */

const EVIL = 'http://evil.example'
const MODERN = { 'mcp-protocol-version': '2026-07-28' }
const eras = [
  { era: '2025', send: legacy },
  { era: '2026-07-28', send: modern },
] as const

let server: InProcess
let ran: string[]

beforeEach(async () => {
  ran = []
  server = inProcess({ factory: await testFactory((_level, event) => ran.push(event)) })
})

const echo = { name: 'echo', arguments: { text: 'x' } }
const listen = { notifications: { resourcesListChanged: true } }
const bare = (method: string, headers: Record<string, string>) =>
  server.fetch(new Request(ENDPOINT, { method, headers: { authorization: 'Bearer alice', ...headers } }))

describe('a foreign Origin and a good Host and token', () => {
  it.each([
    {
      what: 'a call of 2025',
      send: (headers: object) => legacy(server, 'tools/call', echo, { headers: { ...headers } }),
    },
    {
      what: 'a call of 2026-07-28',
      send: (headers: object) => modern(server, 'tools/call', echo, { headers: { ...headers } }),
    },
    {
      what: 'listen',
      send: (headers: object) => modern(server, 'subscriptions/listen', listen, { headers: { ...headers } }),
    },
    {
      what: 'initialize',
      send: (headers: object) => legacy(server, 'initialize', {}, { headers: { ...headers } }),
    },
    { what: 'a GET', send: (headers: object) => bare('GET', { accept: 'text/event-stream', ...headers }) },
    { what: 'a DELETE', send: (headers: object) => bare('DELETE', { ...headers }) },
  ])('make $what exactly 403: nothing runs, and the store is not asked', async ({ send }) => {
    for (const origin of [EVIL, 'null', `${ORIGIN}.evil.example`, 'https://localhost:3000/']) {
      const response = await send({ origin, 'mcp-session-id': 'x' })
      expect(response.status, origin).toBe(403)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    }
    expect(server.admitted).toEqual([])
    expect(ran).toEqual([])
  })
})

describe('the address of a deployment', () => {
  it.each([
    { what: 'no Origin, the public Host', headers: { host: 'notes.example' }, status: 200 },
    {
      what: 'its own Origin',
      headers: { host: 'notes.example', origin: 'https://notes.example' },
      status: 200,
    },
    {
      what: 'an allowed Origin',
      headers: { host: 'notes.example', origin: 'https://inspector.example' },
      status: 200,
    },
    {
      what: 'an allowed Host, as behind a proxy',
      headers: { host: 'deployment-1.host.example' },
      status: 200,
    },
    { what: 'another Host', headers: { host: 'other.example' }, status: 403 },
    { what: 'a Host of loopback', headers: { host: 'localhost:3000' }, status: 403 },
    {
      what: 'a good X-Forwarded-Host on another Host',
      headers: { host: 'other.example', 'x-forwarded-host': 'notes.example' },
      status: 403,
    },
  ])('$what: $status', async ({ headers, status }) => {
    const deployed = inProcess({
      factory: await testFactory(),
      origin: 'https://notes.example',
      allowedHosts: ['deployment-1.host.example'],
    })
    expect((await modern(deployed, 'tools/list', {}, { headers })).status).toBe(status)
  })
})

describe('a body that is no message', () => {
  it.each([
    { what: 'as 2025', headers: {} },
    {
      what: 'as 2025 in a session',
      headers: { 'mcp-session-id': 'x', 'mcp-protocol-version': '2025-11-25' },
    },
    { what: 'as 2026-07-28', headers: { ...MODERN, 'mcp-method': 'tools/list' } },
  ])('$what: malformed JSON is 400 with -32700 and a null id', async ({ headers }) => {
    for (const body of ['{', '{"jsonrpc":"2.0","id":1,"method":"ping"', 'ping', '{"a":1}{"b":2}', '']) {
      const response = await post(server, body, { headers })
      expect(response.status, body).toBe(400)
      expect(await reply(response), body).toMatchObject({ id: null, error: { code: -32700 } })
    }
  })

  it.each(eras)('of $era: an id that is null or a fraction is 400 with -32600', async ({ send }) => {
    for (const id of [null, 1.5]) {
      const response = await send(server, 'tools/list', {}, { id })
      expect(response.status).toBe(400)
      expect((await reply(response)).error?.code).toBe(-32600)
    }
  })
})

describe('a notification', () => {
  it.each([
    {
      what: 'of 2025',
      body: { jsonrpc: '2.0', method: 'notifications/initialized' },
      headers: undefined,
    },
    {
      what: 'of 2026-07-28',
      body: {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 1, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
      },
      headers: { ...MODERN, 'mcp-method': 'notifications/cancelled' },
    },
  ])('$what is 202 and has no body', async ({ body, headers }) => {
    const response = await post(server, body, { headers: headers ?? (await sessionHeaders(server)) })
    expect(response.status).toBe(202)
    expect(await response.text()).toBe('')
  })
})

describe('a client in a browser', () => {
  it('may send every header of the protocol, use its methods, and read what it is told in headers', async () => {
    const asked =
      'authorization, content-type, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id, mcp-param-region'
    const headers = { origin: 'https://inspector.example', 'access-control-request-headers': asked }
    const preflight = await bare('OPTIONS', headers)
    expect(preflight.status).toBe(204)
    const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase().split(', ') ?? []
    expect(asked.split(', ').filter((name) => !allowed.includes(name))).toEqual([])

    const response = await modern(
      server,
      'tools/list',
      {},
      { headers: { origin: 'https://inspector.example' } },
    )
    const exposed = response.headers.get('access-control-expose-headers')?.toLowerCase().split(', ')
    expect(exposed).toEqual(expect.arrayContaining(['mcp-session-id', 'www-authenticate']))
  })
})

describe('an answer as a stream', () => {
  it.each(eras)('of $era is not buffered, not kept, and ends with the final response', async ({ send }) => {
    const params = { name: 'count', arguments: {}, _meta: { progressToken: 'p' } }
    const response = await send(server, 'tools/call', params, { id: 'last' })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(response.headers.get('cache-control')).toContain('no-store')
    // Reading to the end shows that it ends.
    const all = await messages(response)
    expect(all.at(-1)).toMatchObject({ id: 'last', result: { content: [{ text: 'counted' }] } })
    expect(all.filter(({ id }) => id !== undefined)).toHaveLength(1)
  })
})
