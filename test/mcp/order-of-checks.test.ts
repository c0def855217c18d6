import { beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '#lib/store/port'
import { ENDPOINT, type InProcess, inProcess, ORIGIN } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { initialize, legacy, messages, modern, type Post, post, sessionHeaders } from '#test/mcp/post'

let server: InProcess

beforeAll(async () => {
  server = inProcess({ factory: await testFactory() })
})

const send = (method: string, headers: Record<string, string> = {}) =>
  server.fetch(new Request(ENDPOINT, { method, headers }))

const EVIL = 'https://evil.example'
const AUTHORIZED = { authorization: 'Bearer alice' }
const client = { key: 'test-client', name: 'Test', verified: false }

describe('1: methods', () => {
  it.each(['PUT', 'PATCH', 'HEAD'])(
    'answers %s with 405 and Allow, before it looks at anything else',
    async (method) => {
      const response = await send(method, { origin: EVIL })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('GET, POST, DELETE, OPTIONS')
    },
  )

  it('lets a browser of an allowed origin send every header of both eras', async () => {
    const response = await send('OPTIONS', {
      origin: 'https://inspector.example',
      'access-control-request-headers': 'authorization, Mcp-Param-Region, x-other, mcp-param-a b',
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://inspector.example')
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ')
    for (const name of [
      'Authorization',
      'Content-Type',
      'MCP-Protocol-Version',
      'Mcp-Session-Id',
      'Last-Event-ID',
      'Mcp-Method',
      'Mcp-Name',
      'Mcp-Param-Region',
    ]) {
      expect(allowed).toContain(name)
    }
    expect(allowed).not.toContain('x-other')
    expect(Number(response.headers.get('access-control-max-age'))).toBeLessThanOrEqual(600)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('gives a page of another origin no permission in the preflight', async () => {
    const response = await send('OPTIONS', { origin: EVIL })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(response.headers.get('access-control-allow-headers')).toBeNull()
  })
})

describe('2: host and origin', () => {
  it.each(['POST', 'GET', 'DELETE'])(
    'refuses a foreign origin of %s with 403, although the token is good',
    async (method) => {
      const response = await send(method, { ...AUTHORIZED, origin: EVIL })
      expect(response.status).toBe(403)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(server.admitted).toHaveLength(0)
    },
  )

  it('refuses a foreign host with 403, before it looks for a token', async () => {
    expect((await send('POST', { host: 'evil.example' })).status).toBe(403)
  })
})

describe('3: the bearer token', () => {
  it.each(['POST', 'GET', 'DELETE'])(
    'answers %s without a token with 401, without asking the store',
    async (method) => {
      const response = await send(method, { 'mcp-session-id': 'x' })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
      const [body] = await messages(response)
      expect(body).toEqual({ jsonrpc: '2.0', error: { code: -32000, message: expect.any(String) } })
      expect(server.admitted).toHaveLength(0)
    },
  )

  it.each([
    { what: 'a forged token', token: 'Bearer forged', status: 401 },
    { what: 'two tokens in one header', token: 'Bearer a b', status: 400 },
  ])('answers $what with $status before it reads the body', async ({ token, status }) => {
    const response = await post(server, '{broken', { headers: { authorization: token } })
    expect(response.status).toBe(status)
    expect(server.admitted).toHaveLength(0)
  })

  it('says the same to a browser of an allowed origin, readable for its page', async () => {
    const response = await send('POST', { origin: ORIGIN })
    expect(response.status).toBe(401)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    expect(response.headers.get('vary')).toBe('Origin, Authorization')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
})

describe('4: what can be said before the store is asked', () => {
  it.each([
    { method: 'GET', headers: {} },
    { method: 'GET', headers: { accept: 'text/event-stream' } },
    { method: 'GET', headers: { accept: 'text/event-stream', 'last-event-id': 'x' } },
    { method: 'DELETE', headers: {} },
  ])('answers $method $headers with 405: both are of sessions only', async ({ method, headers }) => {
    const response = await send(method, { ...AUTHORIZED, ...headers })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
    expect(server.admitted).toHaveLength(0)
  })

  it('answers GET of a session with 406 when the client takes no stream', async () => {
    const session = { 'mcp-session-id': 'x', accept: 'application/json' }
    expect((await send('GET', { ...AUTHORIZED, ...session })).status).toBe(406)
    expect(server.admitted).toHaveLength(0)
  })

  it.each([
    {
      what: 'another media type',
      body: '{}',
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: -32000,
    },
    {
      what: 'a body that is too large',
      body: `"${'x'.repeat(4 * 1024 * 1024)}"`,
      headers: {},
      status: 413,
      code: -32000,
    },
    { what: 'malformed JSON', body: '{"jsonrpc":', headers: {}, status: 400, code: -32700 },
    { what: 'an empty body', body: '', headers: {}, status: 400, code: -32700 },
    {
      what: 'a 2025 client that takes no stream',
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      headers: { accept: 'application/json' },
      status: 406,
      code: -32000,
    },
  ])('answers $what with $status and $code', async ({ body, headers, status, code }) => {
    const response = await post(server, body, { headers: { origin: ORIGIN, ...headers } })
    expect(response.status).toBe(status)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    const [message] = await messages(response)
    expect(message?.error?.code).toBe(code)
    expect(server.admitted).toHaveLength(0)
  })

  it('answers malformed JSON with a null id', async () => {
    const [message] = await messages(await post(server, 'no'))
    expect(message?.id).toBeNull()
  })
})

describe('6: the store', () => {
  it('is asked once for a call of either era, with the session along, and once for initialize', async () => {
    const along: number[] = []
    const own = inProcess({
      factory: await testFactory(),
      admit: async (_claims, _calls, also) => {
        along.push(also.length)
        const caller = { accountId: 'alice', scopes: ['notes:read'], client }
        return { ok: true, value: { caller, answers: also.map(() => null) } }
      },
    })
    const session = await sessionHeaders(own)
    expect(along).toEqual([0])
    expect((await legacy(own, 'tools/list', {}, { headers: session })).status).toBe(200)
    // The tombstone, the session, its preferences.
    expect(along).toEqual([0, 3])
    expect((await modern(own, 'tools/list')).status).toBe(200)
    expect(along).toEqual([0, 3, 0])
  })

  it('is asked about nothing that an id which does not open could name', async () => {
    const along: number[] = []
    const own = inProcess({
      factory: await testFactory(),
      admit: async (_claims, _calls, also) => {
        along.push(also.length)
        return { ok: true, value: { caller: { accountId: 'alice', scopes: [], client }, answers: [] } }
      },
    })
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...AUTHORIZED, 'mcp-session-id': 'x', accept: 'text/event-stream' }
      expect((await own.fetch(new Request(ENDPOINT, { method, headers }))).status).toBe(404)
    }
    expect((await legacy(own, 'ping', {}, { headers: { 'mcp-session-id': 'x' } })).status).toBe(404)
    expect(along).toEqual([0, 0, 0])
  })

  it.each([
    { what: 'initialize', send: (how: Post) => initialize(server, how) },
    {
      what: 'a call in a session that does not open',
      send: (how: Post) => legacy(server, 'tools/list', {}, { ...how, headers: { 'mcp-session-id': 'x' } }),
    },
    {
      what: 'a call without a session',
      send: (how: Post) =>
        legacy(server, 'tools/list', {}, { ...how, headers: { 'mcp-session-id': undefined } }),
    },
    { what: 'a call of 2026-07-28', send: (how: Post) => modern(server, 'tools/list', {}, how) },
  ])(
    'answers an ended grant with 401, then too many calls with 429, before all else: $what',
    async ({ send }) => {
      const ended = await send({ token: 'ended' })
      expect(ended.status).toBe(401)
      expect(ended.headers.get('www-authenticate')).toContain('invalid_token')
      const busy = await send({ token: 'busy' })
      expect(busy.status).toBe(429)
      expect(busy.headers.get('retry-after')).toBe('17')
    },
  )

  it('that does not answer gives 503 with Retry-After, and never 401', async () => {
    const down = inProcess({
      factory: await testFactory(),
      admit: async () => {
        throw new StoreUnavailable('batch timed out')
      },
    })
    const session = await sessionHeaders(server)
    for (const response of [
      await initialize(down),
      await legacy(down, 'tools/list', {}, { headers: session }),
      await modern(down, 'tools/list'),
    ]) {
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      const [body] = await messages(response)
      expect(body?.error?.code).toBe(-32000)
    }
  })

  it('that does not answer is told to a page of an allowed origin, too', () => {
    const request = new Request(ENDPOINT, { headers: { origin: ORIGIN } })
    const outage = { status: 503, requestId: 'r', headers: {}, request } as const
    const response = server.outage(outage)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
  })
})

describe('7: dispatch', () => {
  it('answers a fault of the headers with 400 rather than asking for a scope', async () => {
    const call = { name: 'write', arguments: { text: 'x' } }
    const how = { token: 'alice/notes:read' }
    const wrong = await modern(server, 'tools/call', call, { ...how, headers: { 'mcp-name': 'echo' } })
    expect(wrong.status).toBe(400)
    expect((await modern(server, 'tools/call', call, how)).status).toBe(403)
  })
})
