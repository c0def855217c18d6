import { beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '#lib/store/port'
import { ENDPOINT, type InProcess, inProcess, ORIGIN } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { legacy, messages, modern, post } from '#test/mcp/post'

let server: InProcess

beforeAll(async () => {
  server = inProcess({ factory: await testFactory() })
})

const send = (method: string, headers: Record<string, string> = {}) =>
  server.fetch(new Request(ENDPOINT, { method, headers }))

const EVIL = 'https://evil.example'
const AUTHORIZED = { authorization: 'Bearer alice' }

describe('1: methods', () => {
  it.each(['PUT', 'PATCH', 'HEAD'])(
    'answers %s with 405 and Allow, before it looks at anything else',
    async (method) => {
      const response = await send(method, { origin: EVIL })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST, OPTIONS')
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
    { method: 'DELETE', headers: {} },
    { method: 'GET', headers: { 'mcp-session-id': 'abc', accept: 'text/event-stream' } },
    { method: 'DELETE', headers: { 'mcp-session-id': 'abc' } },
  ])('answers $method $headers with 405: there are no sessions', async ({ method, headers }) => {
    const response = await send(method, { ...AUTHORIZED, ...headers })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
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
  it('is asked once for a call, in either era', async () => {
    const own = inProcess({ factory: await testFactory() })
    await legacy(own, 'tools/list')
    expect(own.admitted).toHaveLength(1)
    await modern(own, 'tools/list')
    expect(own.admitted).toHaveLength(2)
  })

  it('answers an ended grant with 401', async () => {
    const response = await legacy(server, 'tools/list', {}, { token: 'ended' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('invalid_token')
  })

  it('answers too many calls with 429 and Retry-After', async () => {
    const response = await modern(server, 'tools/list', {}, { token: 'busy' })
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('17')
  })

  it('that does not answer gives 503 with Retry-After, and never 401', async () => {
    const down = inProcess({
      factory: await testFactory(),
      admit: async () => {
        throw new StoreUnavailable('batch timed out')
      },
    })
    const response = await legacy(down, 'tools/list')
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    const [body] = await messages(response)
    expect(body?.error?.code).toBe(-32000)
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
