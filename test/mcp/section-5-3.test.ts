import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemRandom } from '#lib/core/random'
import { createConformanceFactory } from '#lib/mcp/conformance/factory'
import { defineTool, type ResourceFamily, type ToolContext } from '#lib/mcp/define'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { offerFactory, testFactory } from '#test/mcp/offer'
import { messages, modern, post, type Reply, reply } from '#test/mcp/post'

/** What the official suite does not check of 2026-07-28, and what holds all the same. */

const VERSION = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const CLIENT = 'io.modelcontextprotocol/clientInfo'
const SERVER = 'io.modelcontextprotocol/serverInfo'

let server: InProcess
let fixture: InProcess

beforeAll(async () => {
  server = inProcess({ factory: await testFactory() })
  const deps = { log: () => undefined, clock: () => Date.now(), random: systemRandom }
  fixture = inProcess({ factory: createConformanceFactory(deps) })
})

const requests: readonly { readonly method: string; readonly params: Record<string, unknown> }[] = [
  { method: 'server/discover', params: {} },
  { method: 'tools/list', params: {} },
  { method: 'tools/call', params: { name: 'echo', arguments: { text: 'x' } } },
  { method: 'prompts/list', params: {} },
  { method: 'prompts/get', params: { name: 'review', arguments: { day: 'x' } } },
  { method: 'resources/list', params: {} },
  { method: 'resources/templates/list', params: {} },
  { method: 'resources/read', params: { uri: 'thing://1' } },
  {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'review' }, argument: { name: 'day', value: '' } },
  },
]
const LISTEN: (typeof requests)[number] = {
  method: 'subscriptions/listen',
  params: { notifications: { resourcesListChanged: true } },
}

describe('the envelope, on every method', () => {
  const good = { [VERSION]: '2026-07-28', [CAPABILITIES]: {}, [CLIENT]: { name: 't', version: '1' } }
  const faults = [
    { fault: 'no _meta', params: {} },
    // Of that the whole is no request of MCP.
    { fault: '_meta that is a text', params: { _meta: 'x' }, code: -32600 },
    { fault: '_meta without a version', params: { _meta: { ...good, [VERSION]: undefined } } },
    { fault: 'a version that is a number', params: { _meta: { ...good, [VERSION]: 20260728 } } },
    { fault: 'no capabilities', params: { _meta: { ...good, [CAPABILITIES]: undefined } } },
    { fault: 'capabilities that are a list', params: { _meta: { ...good, [CAPABILITIES]: [] } } },
    { fault: 'capabilities that are null', params: { _meta: { ...good, [CAPABILITIES]: null } } },
    { fault: 'a client without a name', params: { _meta: { ...good, [CLIENT]: { version: '1' } } } },
    { fault: 'a client that is a text', params: { _meta: { ...good, [CLIENT]: 'x' } } },
  ]

  it.each([...requests, LISTEN])(
    'of $method: what is missing or of another type is 400 and -32602',
    async (request) => {
      for (const { fault, params, code = -32602 } of faults) {
        const body = {
          jsonrpc: '2.0',
          id: 'the id',
          method: request.method,
          params: { ...request.params, ...params },
        }
        const name = request.params['name'] ?? request.params['uri']
        const response = await post(server, body, {
          headers: {
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': request.method,
            ...(name === undefined ? {} : { 'mcp-name': String(name) }),
          },
        })
        expect(response.status, fault).toBe(400)
        expect(await reply(response), fault).toMatchObject({ error: { code }, id: 'the id' })
      }
    },
  )

  it('may leave the client unnamed', async () => {
    const { result } = await reply(await modern(server, 'tools/list', { _meta: { [CLIENT]: undefined } }))
    expect(result.resultType).toBe('complete')
  })
})

describe('Mcp-Name', () => {
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`
  const read = { method: 'resources/read', params: { uri: 'thing://1' } }
  const get = { method: 'prompts/get', params: { name: 'review', arguments: { day: 'x' } } }

  it.each([
    { ...read, what: 'missing', name: undefined, code: -32020 },
    { ...read, what: 'of another resource', name: 'thing://2', code: -32020 },
    { ...read, what: 'in base64', name: base64('thing://1'), code: undefined },
    { ...read, what: 'of another resource in base64', name: base64('thing://2'), code: -32020 },
    { ...read, what: 'in base64 that is none', name: '=?base64?%%%?=', code: -32020 },
    { ...read, what: 'with spaces around it', name: '  thing://1 ', code: undefined },
    {
      ...read,
      what: 'of a name that is not ASCII, in base64',
      params: { uri: 'thing://Zürich' },
      name: base64('thing://Zürich'),
      // There is no such resource: it was looked for, and so the header was taken.
      code: -32602,
    },
    { ...get, what: 'missing', name: undefined, code: -32020 },
    { ...get, what: 'of another prompt', name: 'other', code: -32020 },
    { ...get, what: 'in another case', name: 'Review', code: -32020 },
    { ...get, what: 'in base64', name: base64('review'), code: undefined },
  ])('$what on $method: $code', async ({ method, params, name, code }) => {
    const response = await modern(server, method, params, { headers: { 'mcp-name': name } })
    expect((await reply(response)).error?.code).toBe(code)
    if (code === -32020) expect(response.status).toBe(400)
  })
})

describe('mirrored arguments of other types', () => {
  const switched = defineTool({
    name: 'switched',
    title: 'Switched',
    description: 'Has a boolean in a header',
    scope: 'notes:read',
    annotations: {},
    input: z.object({ on: z.boolean().meta({ 'x-mcp-header': 'On' }).optional() }),
    output: z.object({}),
    run: async () => ({ kind: 'done', text: 'ok', structured: {} }),
  })

  it.each([
    { on: true, header: 'true', status: 200 },
    { on: false, header: 'false', status: 200 },
    { on: true, header: 'false', status: 400 },
    { on: true, header: 'True', status: 400 },
    { on: true, header: '1', status: 400 },
    { on: true, header: undefined, status: 400 },
    { on: undefined, header: 'true', status: 400 },
  ])('a boolean $on with the header $header is $status', async ({ on, header, status }) => {
    const own = inProcess({ factory: await offerFactory({ tools: [switched] }) })
    const response = await modern(
      own,
      'tools/call',
      { name: 'switched', arguments: { on } },
      { headers: { 'mcp-param-on': header } },
    )
    expect(response.status).toBe(status)
    if (status === 400) expect((await reply(response)).error?.code).toBe(-32020)
  })
})

describe('what belongs to sessions', () => {
  it.each([...requests, LISTEN])(
    'is ignored by $method: no id is taken, echoed or made',
    async ({ method, params }) => {
      const leaving = new AbortController()
      const headers = { 'mcp-session-id': 'a session', 'last-event-id': 'g_1-0' }
      const response = await modern(server, method, params, { headers, signal: leaving.signal })
      expect(response.status).toBe(200)
      expect(response.headers.get('mcp-session-id')).toBeNull()
      leaving.abort()
      await response.body?.cancel().catch(() => undefined)
    },
  )

  it.each([
    { what: 'an answer', body: { jsonrpc: '2.0', id: 3, result: {} } },
    { what: 'an error', body: { jsonrpc: '2.0', id: 3, error: { code: -1, message: 'no' } } },
    {
      what: 'a batch',
      body: [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { [VERSION]: '2026-07-28' } } }],
    },
  ])('is refused with 400 when it comes as 2026-07-28: $what', async ({ body }) => {
    const response = await post(server, body, { headers: { 'mcp-protocol-version': '2026-07-28' } })
    expect(response.status).toBe(400)
  })
})

describe('every result', () => {
  it.each(requests)('of $method says resultType and which server it is', async ({ method, params }) => {
    const { result } = await reply(await modern(server, method, params))
    expect(result.resultType).toBe('complete')
    expect(result._meta[SERVER]).toEqual({ name: 'test', title: 'Test', version: '1.2.3' })
  })

  it.each(requests)(
    'of $method may be kept by this client alone, if it may be kept',
    async ({ method, params }) => {
      const { result } = await reply(await modern(server, method, params))
      const kept = !['tools/call', 'prompts/get', 'completion/complete'].includes(method)
      expect([result.cacheScope, Number.isInteger(result.ttlMs) && result.ttlMs >= 0]).toEqual(
        kept ? ['private', true] : [undefined, false],
      )
    },
  )

  it('that asks says nothing about keeping it', async () => {
    const params = { name: 'ask_twice', arguments: { text: 'x' }, capabilities: { elicitation: {} } }
    const { result } = await reply(await modern(server, 'tools/call', params))
    expect(result).toMatchObject({ resultType: 'input_required', _meta: { [SERVER]: { name: 'test' } } })
    expect(result).not.toHaveProperty('ttlMs')
    expect(result).not.toHaveProperty('cacheScope')
  })
})

describe('lists and suggestions', () => {
  it('never ask: only calls, prompts and resources may', async () => {
    const Sure = z.object({ sure: z.boolean() })
    const stateOf = ({ ask }: ToolContext) => ask('q', { message: 'Sure?', schema: Sure }).state
    const curious: ResourceFamily = {
      name: 'curious',
      title: 'Curious',
      description: 'Asks where it must not',
      scope: 'notes:read',
      template: 'curious://{id}',
      mimeType: 'text/plain',
      list: async (context) => [{ uri: 'curious://1', name: stateOf(context), mimeType: 'text/plain' }],
      read: async () => undefined,
      complete: async (_variable, _typed, context) => [stateOf(context)],
    }
    const own = inProcess({ factory: await offerFactory({ resources: [curious] }) })
    const capabilities = { elicitation: {} }
    const listed = await reply(await modern(own, 'resources/list', { capabilities }))
    expect(listed.result.resources[0].name).toBe('unavailable')
    const params = {
      ref: { type: 'ref/resource', uri: 'curious://{id}' },
      argument: { name: 'id', value: '' },
    }
    const suggested = await reply(await modern(own, 'completion/complete', { ...params, capabilities }))
    expect(suggested.result.completion.values).toEqual(['unavailable'])
  })
})

describe('error codes', () => {
  /** JSON-RPC's own, those that 2026-07-28 defines, and ours for what has none (HTTP says the rest). */
  const defined = new Set([-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022, -32000])

  it('are those of the revision, whatever goes wrong', async () => {
    const call = (name: string, args: unknown, more = {}) => ({ name, arguments: args, ...more })
    const wrong: readonly (readonly [string, Record<string, unknown>, object?])[] = [
      ['resources/read', { uri: 'thing://nothing' }],
      ['resources/read', { uri: 'other://nothing' }],
      ['resources/read', { uri: 7 }],
      ['prompts/get', { name: 'nothing' }],
      ['prompts/get', { name: 'review', arguments: {} }],
      ['tools/call', call('nothing', {})],
      ['tools/call', call('echo', 7)],
      ['tools/call', call('echo', { text: 'x' }, { requestState: 'forged' })],
      ['tools/list', { cursor: 'x' }],
      ['completion/complete', { ref: { type: 'ref/prompt', name: 'nothing' }, argument: {} }],
      ['initialize', {}],
      ['ping', {}],
      ['logging/setLevel', { level: 'info' }],
      ['resources/subscribe', { uri: 'thing://1' }],
      ['tasks/get', { taskId: 'x' }],
      ['nothing/here', {}],
      ['tools/list', {}, { headers: { 'mcp-method': 'other' } }],
      [
        'tools/list',
        { _meta: { [VERSION]: '2099-01-01' } },
        { headers: { 'mcp-protocol-version': '2099-01-01' } },
      ],
      ['subscriptions/listen', { notifications: 'x' }],
      ['tools/call', call('write', { text: 'x' }), { token: 'alice/notes:read' }],
      ['tools/list', {}, { token: 'forged' }],
      ['tools/list', {}, { token: 'ended' }],
      ['tools/list', {}, { token: 'busy' }],
    ]
    const codes = await Promise.all(
      wrong.map(
        async ([method, params, how]) => (await reply(await modern(server, method, params, how))).error?.code,
      ),
    )
    expect(codes.filter((code) => code !== undefined && !defined.has(code))).toEqual([])
    expect(codes.filter((code) => code === undefined)).toEqual([])
    expect(codes.every((code) => code !== -32002 && code !== -32042)).toBe(true)
  })
})

describe('log messages', () => {
  const LEVEL = 'io.modelcontextprotocol/logLevel'
  const logged = async (level: unknown) =>
    messages(
      await modern(fixture, 'tools/call', {
        name: 'test_tool_with_logging',
        arguments: {},
        _meta: { [LEVEL]: level },
      }),
    )
  const notified = (all: readonly Reply[]) => all.filter(({ method }) => method === 'notifications/message')

  it.each([
    { level: 'debug', heard: 3 },
    { level: 'info', heard: 3 },
    { level: 'notice', heard: 0 },
    { level: 'error', heard: 0 },
    { level: undefined, heard: 0 },
  ])('of level info are heard $heard times by a request that asks for $level', async ({ level, heard }) => {
    const all = await logged(level)
    expect(notified(all)).toHaveLength(heard)
    expect(all.at(-1)?.result.resultType).toBe('complete')
  })

  it.each(['loud', 7, null])('have no level %j: -32602', async (level) => {
    expect((await logged(level)).at(-1)?.error?.code).toBe(-32602)
  })
})

describe('what is listed', () => {
  const others = [
    { who: 'another client', params: { _meta: { [CLIENT]: { name: 'other', version: '9' } } } },
    {
      who: 'a client that can do everything',
      params: { capabilities: { sampling: {}, roots: {}, elicitation: {} } },
    },
    { who: 'another person', how: { token: 'bob' } },
    { who: 'a token of few scopes', how: { token: 'alice/notes:read' } },
    { who: 'somebody in a session', how: { headers: { 'mcp-session-id': 'x' } } },
  ]
  it.each(others)('as tools and prompts is the same for $who, in the same order', async ({ params, how }) => {
    const again = inProcess({ factory: await testFactory() })
    for (const method of ['tools/list', 'prompts/list', 'resources/templates/list']) {
      const { result: first } = await reply(await modern(server, method))
      const { result: second } = await reply(await modern(again, method, params, how))
      expect(second).toEqual(first)
    }
  })
})
