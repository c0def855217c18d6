import { beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { initialize, legacy, messages, type Post, post, reply, sessionHeaders } from '#test/mcp/post'

let server: InProcess

beforeAll(async () => {
  server = inProcess({ factory: await testFactory() })
})

/** Sends any body in a session of a revision. */
async function within(version: string, body: unknown, how: Post = {}) {
  const session = await sessionHeaders(server, { version, ...(how.token ? { token: how.token } : {}) })
  return post(server, body, { ...how, headers: { ...session, ...how.headers } })
}

describe('initialize', () => {
  it.each([
    { asked: '2024-11-05', given: '2024-11-05' },
    { asked: '2025-03-26', given: '2025-03-26' },
    { asked: '2025-06-18', given: '2025-06-18' },
    { asked: '2025-11-25', given: '2025-11-25' },
    { asked: '1900-01-01', given: '2025-11-25' },
    { asked: '2026-07-28', given: '2025-11-25' },
  ])('answers $asked with $given, and with the id of a session', async ({ asked, given }) => {
    const response = await initialize(server, { version: asked })
    expect(response.status).toBe(200)
    // Visible ASCII (2025-11-25, "Session Management"); ours are at most 512 characters.
    expect(response.headers.get('mcp-session-id')).toMatch(/^[\x21-\x7e]{1,512}$/)
    const { result } = await reply(response)
    expect(result).toMatchObject({
      protocolVersion: given,
      serverInfo: { name: 'test', version: '1.2.3' },
      instructions: 'Use echo.',
    })
  })

  it('opens another session each time', async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await sessionHeaders(server))['mcp-session-id']))
    expect(new Set(ids).size).toBe(3)
  })

  it('with parameters that are none opens no session', async () => {
    for (const params of [{}, { protocolVersion: '2025-11-25' }, { protocolVersion: 7, capabilities: {} }]) {
      const response = await legacy(server, 'initialize', params)
      expect(response.headers.get('mcp-session-id')).toBeNull()
      expect((await reply(response)).error?.code).toBeLessThan(0)
    }
  })

  it('promises changes of every list, which the stream of the session tells', async () => {
    const { result } = await reply(await initialize(server))
    expect(result.capabilities).toMatchObject({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
    })
  })

  it('promises nothing that needs a stream where streams are off', async () => {
    const off = inProcess({ factory: await testFactory(), streamMaxSeconds: 0 })
    const { result } = await reply(await initialize(off))
    expect(result.capabilities).toMatchObject({
      tools: { listChanged: false },
      prompts: { listChanged: false },
      resources: { listChanged: false, subscribe: false },
    })
  })
})

describe('a session', () => {
  it('is needed for everything but initialize', async () => {
    for (const body of [
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 1, result: {} },
      [{ jsonrpc: '2.0', id: 1, method: 'ping' }],
    ]) {
      const response = await post(server, body)
      expect(response.status).toBe(400)
      expect((await reply(response)).error?.code).toBe(-32600)
    }
  })

  it.each([
    { what: 'that never was', id: async () => 'x' },
    {
      what: 'of another account',
      id: async () => (await sessionHeaders(server, { token: 'bob' }))['mcp-session-id'],
    },
    { what: 'whose id was changed', id: async () => `${(await sessionHeaders(server))['mcp-session-id']}A` },
    { what: 'without a name', id: async () => '' },
  ])('$what is 404: the client begins anew', async ({ id }) => {
    const response = await legacy(server, 'ping', {}, { headers: { 'mcp-session-id': await id() } })
    expect(response.status).toBe(404)
    expect((await reply(response)).error?.code).toBe(-32001)
  })

  it('is initialized once', async () => {
    const response = await initialize(server, { headers: await sessionHeaders(server) })
    expect(response.status).toBe(400)
    expect(response.headers.get('mcp-session-id')).toBeNull()
    expect((await reply(response)).error?.code).toBe(-32600)
  })
})

describe('messages', () => {
  it('answers a quick call with plain JSON', async () => {
    const response = await legacy(
      server,
      'tools/call',
      { name: 'echo', arguments: { text: 'hi' } },
      { id: 'seven' },
    )
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await reply(response)).toMatchObject({
      id: 'seven',
      result: { structuredContent: { text: 'hi' } },
    })
  })

  it('answers with a stream once there is something to say before the result', async () => {
    const params = { name: 'count', arguments: {}, _meta: { progressToken: 7 } }
    const response = await legacy(server, 'tools/call', params)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
    const all = await messages(response)
    expect(all.map(({ params: sent, result }) => sent?.['progress'] ?? result.content[0].text)).toEqual([
      1,
      2,
      'counted',
    ])
  })

  it.each([
    { what: 'a notification', body: { jsonrpc: '2.0', method: 'notifications/initialized' } },
    {
      what: 'a cancellation',
      body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    },
    { what: 'an answer', body: { jsonrpc: '2.0', id: 3, result: {} } },
  ])('takes $what with 202 and an empty body', async ({ body }) => {
    const response = await within('2025-11-25', body)
    expect(response.status).toBe(202)
    expect(await response.text()).toBe('')
  })

  it.each([{ id: null }, { id: 1.5 }, { id: {} }])(
    'refuses a request with $id with -32600',
    async ({ id }) => {
      const body = { jsonrpc: '2.0', id, method: 'ping' }
      for (const response of [await post(server, body), await within('2025-11-25', body)]) {
        expect(response.status).toBe(400)
        expect((await reply(response)).error?.code).toBe(-32600)
      }
    },
  )

  it.each([1, '"text"', null, true, {}, []])('refuses %j as a body with -32600', async (body) => {
    for (const response of [await post(server, body), await within('2025-11-25', body)]) {
      expect(response.status).toBe(400)
      expect((await reply(response)).error?.code).toBe(-32600)
    }
  })

  it('answers an unknown method with -32601 on 200', async () => {
    const response = await legacy(server, 'nothing/here')
    expect(response.status).toBe(200)
    expect((await reply(response)).error?.code).toBe(-32601)
  })

  it('answers an unknown resource with -32002', async () => {
    const { error } = await reply(await legacy(server, 'resources/read', { uri: 'thing://2' }))
    expect(error).toMatchObject({ code: -32002, data: { uri: 'thing://2' } })
  })

  it('answers a tool that asks at once: there is nobody to ask', async () => {
    const { result } = await reply(
      await legacy(server, 'tools/call', { name: 'ask_twice', arguments: { text: 'x' } }),
    )
    expect(result).toMatchObject({ isError: true, content: [{ text: 'This app cannot ask you.' }] })
  })

  it('does not let a client answer questions that were never asked', async () => {
    const yes = { action: 'accept', content: { sure: true } }
    const params = {
      name: 'ask_twice',
      arguments: { text: 'x' },
      inputResponses: { first: yes, second: yes },
      requestState: 'x',
    }
    const { result } = await reply(await legacy(server, 'tools/call', params))
    expect(result.isError).toBe(true)
  })

  it('takes a wildcard for both forms of answer', async () => {
    expect((await legacy(server, 'ping', {}, { headers: { accept: '*/*' } })).status).toBe(200)
  })
})

describe('the protocol version', () => {
  it.each([
    { version: undefined, status: 200 },
    { version: '2025-03-26', status: 200 },
    { version: '2025-11-25', status: 200 },
    { version: '1999-01-01', status: 400 },
  ])('in the header may be $version: $status', async ({ version, status }) => {
    const response = await legacy(server, 'ping', {}, { headers: { 'mcp-protocol-version': version } })
    expect(response.status).toBe(status)
  })
})

describe('a batch', () => {
  const ping = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'ping' })
  const note = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const hello = {
    jsonrpc: '2.0',
    id: 9,
    method: 'initialize',
    params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  }

  it.each([undefined, '2025-03-26'])(
    'is served in a session of 2025-03-26 (header: %s), with one answer for each request',
    async (version) => {
      const headers = { 'mcp-protocol-version': version }
      const response = await within('2025-03-26', [ping(1), note, ping('b')], { headers })
      expect(await response.json()).toEqual([
        { jsonrpc: '2.0', id: 1, result: {} },
        { jsonrpc: '2.0', id: 'b', result: {} },
      ])
    },
  )

  it('of one request is answered as a batch', async () => {
    const response = await within('2025-03-26', [ping(1)])
    expect(await response.json()).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it('counts every call in it against the rate limit', async () => {
    const counted: number[] = []
    const busy = inProcess({
      factory: await testFactory(),
      admit: async (_claims, calls) => {
        counted.push(calls)
        return { ok: false, error: { reason: 'rate_limited', retryAfterSeconds: 1 } }
      },
    })
    await post(busy, [ping(1), ping(2), ping(3)])
    await post(busy, ping(1))
    await post(busy, new Array(1000).fill(ping(1)))
    expect(counted).toEqual([3, 1, 20])
  })

  it('of notifications is 202', async () => {
    expect((await within('2025-03-26', [note, note])).status).toBe(202)
  })

  it.each([
    { what: 'in a session of 2025-06-18', body: [ping(1)], version: '2025-06-18' },
    { what: 'in a session of 2025-11-25', body: [ping(1)], version: '2025-11-25' },
    {
      what: 'in a session of 2025-11-25, whatever its header says',
      body: [ping(1)],
      version: '2025-11-25',
      header: '2025-03-26',
    },
    {
      what: 'in a session of 2025-11-25 without the header',
      body: [ping(1)],
      version: '2025-11-25',
      header: undefined,
    },
    { what: 'with two equal ids', body: [ping(1), ping(1)] },
    { what: 'with initialize', body: [hello, ping(1)] },
    { what: 'of more than 20', body: Array.from({ length: 21 }, (_, id) => ping(id)) },
    { what: 'with something else in it', body: [ping(1), 7] },
  ])('$what is refused with -32600', async ({ body, version = '2025-03-26', ...how }) => {
    const headers = 'header' in how ? { 'mcp-protocol-version': how.header } : {}
    const response = await within(version, body, { headers })
    expect(response.status).toBe(400)
    expect((await reply(response)).error?.code).toBe(-32600)
  })

  it('may do the same thing twice', async () => {
    const request = (id: number, method: string, params: object) => ({ jsonrpc: '2.0', id, method, params })
    const response = await within('2025-03-26', [
      request(1, 'tools/call', { name: 'echo', arguments: { text: 'one' } }),
      request(2, 'tools/call', { name: 'echo', arguments: { text: 'two' } }),
      request(3, 'resources/read', { uri: 'thing://1', name: 'a' }),
      request(4, 'resources/read', { uri: 'thing://1', name: 'b' }),
      request(5, 'prompts/get', { name: 'review', arguments: { day: 'today' } }),
      request(6, 'prompts/get', { name: 'review', arguments: { day: 'today' } }),
    ])
    const answers = (await response.json()) as { readonly id: number; readonly result?: unknown }[]
    expect(answers.flatMap(({ id, result }) => (result ? [id] : [])).toSorted()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('needs the scopes of all its calls', async () => {
    const call = (id: number, name: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: { text: 'x' } },
    })
    const both = [call(1, 'echo'), call(2, 'write')]
    const response = await within('2025-03-26', both, { token: 'alice/notes:read' })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toContain('notes:write')

    const neither = [call(1, 'echo'), call(2, 'write'), call(3, 'echo')]
    const refused = await within('2025-03-26', neither, { token: 'alice/other' })
    const asked = /scope="([^"]*)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1]
    expect(asked?.split(' ').toSorted()).toEqual(['notes:read', 'notes:write', 'other'])
  })
})
