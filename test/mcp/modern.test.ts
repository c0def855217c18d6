import { beforeEach, describe, expect, it } from 'vitest'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { aborted, hanging, testFactory } from '#test/mcp/offer'
import { legacy, messages, modern, post, type Reply, reply } from '#test/mcp/post'

const ASKABLE = { elicitation: {} }
let now: number
let server: InProcess

beforeEach(async () => {
  now = Date.parse('2026-11-22T12:00:00Z')
  server = inProcess({ factory: await testFactory(), clock: () => now })
})

const call = (name: string, args: Record<string, unknown>, more: Record<string, unknown> = {}, how = {}) =>
  modern(server, 'tools/call', { name, arguments: args, ...more }, how)

describe('a call', () => {
  it('gives text, structured content and links, in plain JSON', async () => {
    const response = await call('echo', { text: 'hi' })
    expect(response.headers.get('content-type')).toBe('application/json')
    const { result } = await reply(response)
    expect(result).toMatchObject({
      resultType: 'complete',
      structuredContent: { text: 'hi', account: 'alice' },
      content: [
        { type: 'text', text: 'hi' },
        { type: 'resource_link', uri: 'thing://1', name: 'one' },
      ],
    })
    expect(result._meta['io.modelcontextprotocol/serverInfo'].name).toBe('test')
  })

  it('with wrong arguments is an error that the model can read', async () => {
    const { result } = await reply(await call('echo', { text: 1 }))
    expect(result.isError).toBe(true)
    expect(result.content[0].text).toContain('text')
  })

  it('of an unknown tool is -32602', async () => {
    expect((await reply(await call('nothing', {}))).error?.code).toBe(-32602)
  })

  it.each(['bug', 'store', 'output'])(
    'that breaks (%s) says the reference and nothing of the fault',
    async (how) => {
      const { result } = await reply(await call('broken', { how }))
      expect(result.isError).toBe(true)
      expect(result.content[0].text).toContain('Reference: ')
      expect(result.content[0].text).not.toMatch(/secret detail|timed out|expected string/)
    },
  )

  it('is logged by name, outcome and time, never with its arguments', async () => {
    const logged: unknown[] = []
    const factory = await testFactory((_level, event, fields) => logged.push({ event, ...fields }))
    await modern(inProcess({ factory }), 'tools/call', { name: 'echo', arguments: { text: 'private' } })
    expect(logged).toEqual([
      {
        event: 'tool_call',
        requestId: expect.any(String),
        tool: 'echo',
        clientKey: 'test-client',
        outcome: 'done',
        ms: expect.any(Number),
      },
    ])
  })

  it('sends progress upwards only, and only to whom asked for it', async () => {
    const asked = await messages(await call('count', {}, { _meta: { progressToken: 'p' } }))
    expect(asked.map(({ params }) => params?.['progress'])).toEqual([1, 2, undefined])
    expect(asked.slice(0, 2).every(({ params }) => params?.['progressToken'] === 'p')).toBe(true)
    expect(await messages(await call('count', {}))).toHaveLength(1)
  })

  it('is aborted when its client leaves', async () => {
    const leaving = new AbortController()
    const answer = call('hang', { text: 'modern' }, {}, { signal: leaving.signal })
    await expect.poll(() => hanging).toContain('modern')
    leaving.abort()
    await answer
    expect(aborted).toContain('modern')
  })
})

describe('headers and body', () => {
  it.each([
    { what: 'no version header', headers: { 'mcp-protocol-version': undefined }, status: 400, code: -32020 },
    {
      what: 'another version header',
      headers: { 'mcp-protocol-version': '2025-11-25' },
      status: 400,
      code: -32020,
    },
    { what: 'another method', headers: { 'mcp-method': 'tools/list' }, status: 400, code: -32020 },
    { what: 'no name', headers: { 'mcp-name': undefined }, status: 400, code: -32020 },
    { what: 'another name', headers: { 'mcp-name': 'write' }, status: 400, code: -32020 },
    {
      what: 'a session id, which means nothing here',
      headers: { 'mcp-session-id': 'abc', 'last-event-id': '1' },
      status: 200,
      code: undefined,
    },
  ])('$what: $status', async ({ headers, status, code }) => {
    const response = await call('echo', { text: 'hi' }, {}, { headers })
    expect(response.status).toBe(status)
    expect(response.headers.get('mcp-session-id')).toBeNull()
    expect((await reply(response)).error?.code).toBe(code)
  })

  it.each([
    {
      what: 'the argument is there, the header too',
      args: { region: { name: 'eu' } },
      headers: { 'mcp-param-region': 'eu' },
      status: 200,
    },
    {
      what: 'in base64',
      args: { region: { name: 'ü' } },
      headers: { 'mcp-param-region': '=?base64?w7w=?=' },
      status: 200,
    },
    {
      what: 'a whole number written as a decimal',
      args: { level: 42 },
      headers: { 'mcp-param-level': '42.0' },
      status: 200,
    },
    { what: 'an unknown one', args: {}, headers: { 'mcp-param-other': 'x' }, status: 200 },
    {
      what: 'another case',
      args: { region: { name: 'eu' } },
      headers: { 'mcp-param-region': 'EU' },
      status: 400,
    },
    { what: 'no header', args: { region: { name: 'eu' } }, headers: {}, status: 400 },
    { what: 'no argument', args: {}, headers: { 'mcp-param-region': 'eu' }, status: 400 },
    { what: 'a null argument', args: { region: null }, headers: { 'mcp-param-region': 'eu' }, status: 400 },
  ])('mirrored arguments: $what: $status', async ({ args, headers, status }) => {
    const response = await call('mirrored', args, {}, { headers })
    expect(response.status).toBe(status)
    if (status === 400) expect((await reply(response)).error?.code).toBe(-32020)
  })

  it('a batch with an envelope is refused', async () => {
    const one = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
    }
    expect((await post(server, [one, one])).status).toBe(400)
  })

  it('a removed method is 404 and -32601', async () => {
    const response = await modern(server, 'ping')
    expect(response.status).toBe(404)
    expect((await reply(response)).error?.code).toBe(-32601)
  })

  it('an unknown version is 400 and -32022 with those that are served', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
    const response = await modern(
      server,
      'tools/list',
      { _meta },
      { headers: { 'mcp-protocol-version': '2099-01-01' } },
    )
    expect(response.status).toBe(400)
    expect((await reply(response)).error).toMatchObject({ code: -32022, data: { requested: '2099-01-01' } })
  })
})

describe('scopes', () => {
  it.each([
    { token: 'alice/notes:read', tool: 'echo', status: 200 },
    { token: 'alice/notes:write', tool: 'echo', status: 200 },
    { token: 'alice/admin', tool: 'echo', status: 200 },
    { token: 'alice/notes:read', tool: 'write', status: 403 },
    { token: 'alice/other', tool: 'echo', status: 403 },
  ])('$token may call $tool: $status, in both eras', async ({ token, tool, status }) => {
    const params = { name: tool, arguments: { text: 'x' } }
    expect((await modern(server, 'tools/call', params, { token })).status).toBe(status)
    expect((await legacy(server, 'tools/call', params, { token })).status).toBe(status)
  })

  it('asks for everything held and needed at once', async () => {
    const response = await call('write', { text: 'x' }, {}, { token: 'alice/notes:read' })
    const challenge = response.headers.get('www-authenticate') ?? ''
    expect(challenge).toContain('insufficient_scope')
    const scopes = /scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ').sort()
    expect(scopes).toEqual(['notes:read', 'notes:write'])
  })

  it('says in words what a person can do, in both eras', async () => {
    const params = { name: 'write', arguments: { text: 'x' } }
    for (const send of [modern, legacy]) {
      const response = await send(server, 'tools/call', params, { token: 'alice/notes:read' })
      const { error } = (await response.json()) as { error: { message: string } }
      expect(error.message).toMatch(/needs the permission notes:write\..*connect this app.*\/mcp/s)
    }
  })

  it('hides no tool', async () => {
    const { result } = await reply(await modern(server, 'tools/list', {}, { token: 'alice/other' }))
    expect(result.tools.map(({ name }: { name: string }) => name)).toContain('write')
  })

  it.each([
    { method: 'prompts/get', params: { name: 'review', arguments: { day: 'today' } } },
    { method: 'resources/read', params: { uri: 'thing://1' } },
  ])('guard $method too', async ({ method, params }) => {
    expect((await modern(server, method, params, { token: 'alice/other' })).status).toBe(403)
  })

  it('show no resources and no suggestions to a token that may not read them', async () => {
    const listed = await reply(await modern(server, 'resources/list', {}, { token: 'alice/other' }))
    expect(listed.result.resources).toEqual([])
    const params = {
      ref: { type: 'ref/resource', uri: 'thing://{id}' },
      argument: { name: 'id', value: 'a' },
    }
    const suggested = await reply(
      await modern(server, 'completion/complete', params, { token: 'alice/other' }),
    )
    expect(suggested.result.completion.values).toEqual([])
  })
})

describe('questions to the person', () => {
  const ask = (more: Record<string, unknown>, how = {}, args = { text: 'go' }) =>
    call('ask_twice', args, { capabilities: ASKABLE, ...more }, how)
  const yes = { action: 'accept', content: { sure: true } }

  async function firstState(): Promise<string> {
    const { result } = await reply(await ask({}))
    return result.requestState
  }

  it('are asked one after the other, and the first answer is kept', async () => {
    const one: Reply = await reply(await ask({}))
    expect(one.result.resultType).toBe('input_required')
    expect(one.result.inputRequests.first).toMatchObject({
      method: 'elicitation/create',
      params: {
        message: 'Sure?',
        requestedSchema: { type: 'object', properties: { sure: { type: 'boolean' } } },
      },
    })
    const two = await reply(
      await ask({ requestState: one.result.requestState, inputResponses: { first: yes } }),
    )
    expect(Object.keys(two.result.inputRequests)).toEqual(['second'])
    const no = { action: 'accept', content: { sure: false } }
    const three = await reply(
      await ask({ requestState: two.result.requestState, inputResponses: { second: no } }),
    )
    expect(three.result.structuredContent).toEqual({ text: 'true false' })
  })

  it.each(['decline', 'cancel'])('may be answered with %s', async (action) => {
    const { result } = await reply(
      await ask({ requestState: await firstState(), inputResponses: { first: { action } } }),
    )
    expect(result).toMatchObject({ isError: true, content: [{ text: 'You said no.' }] })
  })

  it.each([
    {
      what: 'an answer of the wrong type',
      inputResponses: { first: { action: 'accept', content: { sure: 'maybe' } } },
    },
    { what: 'an answer to something else', inputResponses: { other: yes } },
    { what: 'no answer', inputResponses: {} },
  ])('are asked again after $what', async ({ inputResponses }) => {
    const { result } = await reply(await ask({ requestState: await firstState(), inputResponses }))
    expect(Object.keys(result.inputRequests)).toEqual(['first'])
  })

  it('that nobody asked are not answered: without a state, an answer counts for nothing', async () => {
    const { result } = await reply(await ask({ inputResponses: { first: yes, second: yes } }))
    expect(Object.keys(result.inputRequests)).toEqual(['first'])
  })

  it.each([
    { what: 'another person', how: { token: 'bob' }, args: { text: 'go' } },
    { what: 'other arguments', how: {}, args: { text: 'other' } },
  ])('are not taken over by $what: -32602', async ({ how, args }) => {
    const state = await firstState()
    const { error } = await reply(
      await ask({ requestState: state, inputResponses: { first: yes } }, how, args),
    )
    expect(error?.code).toBe(-32602)
  })

  it('are not taken over by another tool', async () => {
    const requestState = await firstState()
    expect((await reply(await call('echo', { text: 'go' }, { requestState }))).error?.code).toBe(-32602)
  })

  it('may wait ten minutes', async () => {
    const requestState = await firstState()
    now += 10 * 60_000
    expect((await reply(await ask({ requestState }))).result.resultType).toBe('input_required')
    now += 1
    expect((await reply(await ask({ requestState }))).error?.code).toBe(-32602)
  })

  it('wait on any instance with the same secrets', async () => {
    const requestState = await firstState()
    server = inProcess({ factory: await testFactory(), clock: () => now })
    const { result } = await reply(await ask({ requestState, inputResponses: { first: yes } }))
    expect(Object.keys(result.inputRequests)).toEqual(['second'])
  })

  it('do not care in which order a client writes the arguments', async () => {
    const args = { text: 'go', more: { a: 1, b: [2] } }
    const turned = { more: { b: [2], a: 1 }, text: 'go' }
    const { result } = await reply(await ask({}, {}, args))
    expect((await reply(await ask({ requestState: result.requestState }, {}, turned))).error).toBeUndefined()
  })

  it.each([
    { what: 'declares nothing', capabilities: {} },
    { what: 'only opens pages', capabilities: { elicitation: { url: {} } } },
  ])('are not put to a client that $what', async ({ capabilities }) => {
    const { result } = await reply(await ask({ capabilities }))
    expect(result).toMatchObject({ isError: true, content: [{ text: 'This app cannot ask you.' }] })
  })
})

describe('lists', () => {
  it.each([
    { method: 'server/discover', ttlMs: 300_000 },
    { method: 'tools/list', ttlMs: 300_000 },
    { method: 'prompts/list', ttlMs: 300_000 },
    { method: 'resources/templates/list', ttlMs: 300_000 },
    { method: 'resources/list', ttlMs: 5_000 },
  ])('$method may be kept for $ttlMs ms, by this client alone', async ({ method, ttlMs }) => {
    const { result } = await reply(await modern(server, method))
    expect(result).toMatchObject({ ttlMs, cacheScope: 'private', resultType: 'complete' })
  })

  it('say that resources may change, that tools do not, and that tools write into a log', async () => {
    const { result } = await reply(await modern(server, 'server/discover'))
    expect(result.capabilities).toEqual({
      tools: { listChanged: false },
      prompts: { listChanged: false },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    })
    expect(result.instructions).toBe('Use echo.')
  })

  it('promise no changes where streams are off', async () => {
    const off = inProcess({ factory: await testFactory(), streamMaxSeconds: 0 })
    const { result } = await reply(await modern(off, 'server/discover'))
    expect(result.capabilities.resources).toEqual({ listChanged: false, subscribe: false })
    const listen = { notifications: { resourcesListChanged: true } }
    expect((await reply(await modern(off, 'subscriptions/listen', listen))).error?.code).toBe(-32603)
  })

  it.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])(
    '%s knows no cursor',
    async (method) => {
      expect((await reply(await modern(server, method, { cursor: 'x' }))).error?.code).toBe(-32602)
      expect((await reply(await legacy(server, method, { cursor: 'x' }))).error?.code).toBe(-32602)
    },
  )

  it('show the schemas of a tool as JSON Schema 2020-12', async () => {
    const { result } = await reply(await modern(server, 'tools/list'))
    expect(result.tools[0]).toMatchObject({
      name: 'echo',
      title: 'Echo',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      outputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
    })
  })

  it('show the arguments of a prompt', async () => {
    const { result } = await reply(await modern(server, 'prompts/list'))
    expect(result.prompts[0].arguments).toEqual([
      { name: 'day', description: 'Which day', required: true },
      { name: 'tone', required: false },
    ])
  })
})

describe('prompts, resources and completion', () => {
  it('gives a prompt', async () => {
    const { result } = await reply(
      await modern(server, 'prompts/get', { name: 'review', arguments: { day: 'today' } }),
    )
    expect(result.messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Review today' } }])
  })

  it('reads a resource, and may be kept for a moment', async () => {
    const { result } = await reply(await modern(server, 'resources/read', { uri: 'thing://1' }))
    expect(result).toMatchObject({
      contents: [{ uri: 'thing://1', text: 'the first' }],
      ttlMs: 5_000,
      cacheScope: 'private',
    })
  })

  it('says which resource there is not', async () => {
    const { error } = await reply(await modern(server, 'resources/read', { uri: 'thing://2' }))
    expect(error).toMatchObject({ code: -32602, data: { uri: 'thing://2' } })
  })

  it('suggests at most 100 values and says that there are more', async () => {
    const params = { ref: { type: 'ref/prompt', name: 'review' }, argument: { name: 'day', value: 'd' } }
    const { result } = await reply(await modern(server, 'completion/complete', params))
    expect(result.completion.values).toHaveLength(100)
    expect(result.completion).toMatchObject({ total: 120, hasMore: true })
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'suggests nothing for %s, which every object has and no prompt offers',
    async (name) => {
      const params = { ref: { type: 'ref/prompt', name: 'review' }, argument: { name, value: 'd' } }
      const { result } = await reply(await modern(server, 'completion/complete', params))
      expect(result.completion).toMatchObject({ values: [], total: 0 })
    },
  )

  it.each(['tools/call', 'prompts/get'])('refuses %s of a name that cannot be text', async (method) => {
    const response = await legacy(server, method, { name: { toString: 1 } })
    expect(response.status).toBeLessThan(500)
    expect((await reply(response)).error?.code).toBeLessThan(0)
  })

  it.each([
    { type: 'ref/prompt', name: 'nothing' },
    { type: 'ref/resource', uri: 'other://{id}' },
  ])('cannot complete what is not there: $type', async (ref) => {
    const params = { ref, argument: { name: 'day', value: '' } }
    expect((await reply(await modern(server, 'completion/complete', params))).error?.code).toBe(-32602)
  })
})
