import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  ClientCapabilities,
  JSONRPCMessage,
  JSONRPCRequest,
  Transport,
} from '@modelcontextprotocol/server'
import { beforeAll, describe, expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { createRequestState } from '#lib/mcp/request-state'
import type { ServerFactory } from '#lib/mcp/server'
import type { ServerExchange } from '#lib/mcp/server-exchange'
import { createLocalStore } from '#lib/node/local-store'
import type { Store } from '#lib/store/port'
import { askingFactory, kinds } from '#test/mcp/asking-offer'
import { inProcess } from '#test/mcp/in-process'
import { modern, type Reply, reply } from '#test/mcp/post'

const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }

let store: Store
let factory: ServerFactory
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-asking-'))
  store = await createLocalStore({ directory, prefix: 'test', clock: () => Date.now() })
  factory = askingFactory(store)
})

/** One round of a request: what is asked, or what came of it. */
interface Round {
  readonly inputRequests?: Record<string, { readonly method: string; readonly params?: unknown }>
  readonly requestState?: string
  readonly result?: Reply['result']
  readonly error?: Reply['error']
}

type Ask = (
  method: string,
  params: Record<string, unknown>,
  capabilities?: ClientCapabilities,
) => Promise<Round>

/** 2026-07-28: questions are the result, and the client brings the answers with the same request again. */
const modernRound: Ask = async (method, params, capabilities = EVERYTHING) => {
  const answer = await reply(await modern(inProcess({ factory }), method, { ...params, capabilities }))
  return answer.result?.resultType === 'input_required' ? answer.result : answer
}

/** 2025: the request is parked, and whoever takes the answers runs it again. */
const parkedRound: Ask = async (method, params, clientCapabilities = EVERYTHING) => {
  const request: JSONRPCRequest = { jsonrpc: '2.0', id: 7, method, params }
  const client = { key: 'test-client', name: 'Test', verified: false }
  const keyRing = createKeyRing(['a secret of the tests, long enough to be one'], 'test')
  const binding = {
    accountId: 'alice',
    clientKey: client.key,
    method,
    target: 't',
    args: params['arguments'],
  }
  let parked: Round | undefined
  const exchange: ServerExchange = {
    era: 'legacy',
    requests: [request],
    caller: { accountId: 'alice', client, scopes: ['notes:write'] },
    requestId: 'r',
    streams: true,
    state: createRequestState(binding, { keyRing, clock: () => Date.now() }),
    clientCapabilities,
    park: (inputRequests, requestState, id) => {
      expect(id).toBe(request.id)
      parked = { inputRequests, ...(requestState === undefined ? {} : { requestState }) } as Round
    },
    challenge: () => undefined,
    publish: () => undefined,
  }
  const answer = await answerOf(factory.create(exchange), request)
  return parked ?? (answer as Reply)
}

function answerOf(
  server: ReturnType<ServerFactory['create']>,
  request: JSONRPCRequest,
): Promise<JSONRPCMessage> {
  return new Promise((resolve) => {
    const transport: Transport = {
      start: async () => undefined,
      send: async (message) => resolve(message),
      close: async () => undefined,
    }
    void server.connect(transport).then(() => transport.onmessage?.(request))
  })
}

const saidBy = (round: Round) => JSON.parse(round.result.structuredContent.said)
const tool = (name: string, args = {}, more = {}) => ({ name, arguments: args, ...more })

const answers = {
  form: { action: 'accept', content: { sure: true } },
  url: { action: 'accept' },
  sampling: {
    role: 'assistant',
    content: { type: 'text', text: 'Hello' },
    model: 'm',
    stopReason: 'endTurn',
  },
  roots: { roots: [{ uri: 'file:///home', name: 'home' }] },
}
const accepted = {
  form: { sure: true },
  url: undefined,
  sampling: { text: 'Hello', content: [{ type: 'text', text: 'Hello' }], model: 'm', stopReason: 'endTurn' },
  roots: [{ uri: 'file:///home', name: 'home' }],
}

describe.each([
  { era: '2026-07-28', send: modernRound },
  { era: '2025', send: parkedRound },
])('questions of a call in $era', ({ era, send }) => {
  const first = (kind: string) => send('tools/call', tool('ask', { kind }))
  const again = (kind: string, requestState: string | undefined, answer: unknown) =>
    send('tools/call', tool('ask', { kind }, { requestState, inputResponses: { q: answer } }))

  it.each([
    {
      kind: 'form',
      request: {
        method: 'elicitation/create',
        params: {
          mode: 'form',
          message: 'Sure?',
          requestedSchema: { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] },
        },
      },
    },
    {
      kind: 'url',
      request: {
        method: 'elicitation/create',
        params: {
          mode: 'url',
          message: 'Please look',
          url: 'https://notes.example/approve/1',
          ...(era === '2025' ? { elicitationId: expect.stringMatching(/^[\w-]{22}$/) } : {}),
        },
      },
    },
    {
      kind: 'sampling',
      request: {
        method: 'sampling/createMessage',
        params: {
          messages: [{ role: 'user', content: { type: 'text', text: 'Say hello' } }],
          maxTokens: 20,
          systemPrompt: 'Be brief.',
          stopSequences: ['.'],
        },
      },
    },
    { kind: 'roots', request: { method: 'roots/list' } },
  ] as const)('of the kind $kind are sent, and the answer comes to the tool', async ({ kind, request }) => {
    const { inputRequests, requestState } = await first(kind)
    expect(inputRequests).toMatchObject({ q: request })
    const said = saidBy(await again(kind, requestState, answers[kind]))
    expect(said).toEqual(JSON.parse(JSON.stringify({ state: 'accepted', content: accepted[kind] })))
  })

  it.each([
    { kind: 'form', what: 'another type', answer: { action: 'accept', content: { sure: 'yes' } } },
    { kind: 'form', what: 'no content', answer: { action: 'accept' } },
    { kind: 'form', what: 'the answer to another kind', answer: answers.sampling },
    { kind: 'url', what: 'the answer to another kind', answer: answers.roots },
    { kind: 'url', what: 'an unknown action', answer: { action: 'opened' } },
    { kind: 'sampling', what: 'no model', answer: { role: 'assistant', content: [] } },
    { kind: 'sampling', what: 'the role of nobody', answer: { ...answers.sampling, role: 'system' } },
    { kind: 'sampling', what: 'content that is text', answer: { ...answers.sampling, content: 'Hello' } },
    {
      kind: 'sampling',
      what: 'an image that is none',
      answer: { ...answers.sampling, content: { type: 'image', data: '%%', mimeType: 'image/png' } },
    },
    { kind: 'roots', what: 'a folder of the web', answer: { roots: [{ uri: 'https://evil.example/' }] } },
    { kind: 'roots', what: 'the answer to another kind', answer: answers.form },
    { kind: 'roots', what: 'nothing', answer: null },
  ] as const)('of the kind $kind are asked again after $what', async ({ kind, answer }) => {
    const { requestState } = await first(kind)
    const { inputRequests } = await again(kind, requestState, answer)
    expect(Object.keys(inputRequests ?? {})).toEqual(['q'])
  })

  it.each(kinds)('of the kind %s may be refused', async (kind) => {
    for (const action of ['decline', 'cancel']) {
      const { requestState } = await first(kind)
      expect(saidBy(await again(kind, requestState, { action }))).toEqual({ state: 'declined' })
    }
  })

  it.each([
    { kind: 'form', capabilities: {} },
    { kind: 'form', capabilities: { elicitation: { url: {} } } },
    { kind: 'url', capabilities: { elicitation: {} } },
    { kind: 'url', capabilities: { elicitation: { form: {} } } },
    { kind: 'sampling', capabilities: { elicitation: {}, roots: {} } },
    { kind: 'roots', capabilities: { elicitation: {}, sampling: {} } },
  ])('of the kind $kind are never put to a client with $capabilities', async ({ kind, capabilities }) => {
    const round = await send('tools/call', tool('ask', { kind }), capabilities)
    expect(saidBy(round)).toEqual({ state: 'unavailable' })
  })

  it('in form mode go to a client that declares elicitation and no mode', async () => {
    const round = await send('tools/call', tool('ask', { kind: 'form' }), { elicitation: {} })
    expect(Object.keys(round.inputRequests ?? {})).toEqual(['q'])
  })

  it('that belong together are asked in one round, and only what has no answer is asked again', async () => {
    const one = await send('tools/call', tool('ask_together'))
    expect(Object.keys(one.inputRequests ?? {})).toEqual([...kinds])

    const { roots: _roots, ...some } = answers
    const some2 = { requestState: one.requestState, inputResponses: some }
    const two = await send('tools/call', tool('ask_together', {}, some2))
    expect(Object.keys(two.inputRequests ?? {})).toEqual(['roots'])

    const rest = { requestState: two.requestState, inputResponses: { roots: answers.roots } }
    const said = saidBy(await send('tools/call', tool('ask_together', {}, rest)))
    for (const kind of kinds) {
      expect(said[kind]).toEqual(JSON.parse(JSON.stringify({ state: 'accepted', content: accepted[kind] })))
    }
  })

  it('that belong together are asked without those that this client cannot answer', async () => {
    const { inputRequests, requestState } = await send('tools/call', tool('ask_together'), { roots: {} })
    expect(Object.keys(inputRequests ?? {})).toEqual(['roots'])
    const answered = { requestState, inputResponses: { roots: answers.roots } }
    const said = saidBy(await send('tools/call', tool('ask_together', {}, answered), { roots: {} }))
    expect(Object.values(said).map((one) => (one as { state: string }).state)).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
      'accepted',
    ])
  })

  it('count only where they were asked: without a state, and for what another round asked', async () => {
    const everything = { form: answers.form, url: answers.url, q: answers.form, second: answers.form }
    const fresh = await send('tools/call', tool('ask_together', {}, { inputResponses: everything }))
    expect(Object.keys(fresh.inputRequests ?? {})).toEqual([...kinds])

    const { requestState } = await send('tools/call', tool('ask_in_turn'))
    const early = { requestState, inputResponses: { first: answers.sampling, second: answers.form } }
    const next = await send('tools/call', tool('ask_in_turn', {}, early))
    expect(Object.keys(next.inputRequests ?? {})).toEqual(['second'])
  })

  it('that were not answered well leave nothing in the state', async () => {
    const { requestState } = await first('form')
    const wrong = { action: 'accept', content: { sure: 'x'.repeat(20_000) } }
    const { requestState: next } = await again('form', requestState, wrong)
    expect(next?.length).toBeLessThan(1000)
  })

  it('are no place to keep what is too long: the call fails in words', async () => {
    const { requestState } = await send('tools/call', tool('ask_in_turn'))
    const long = { ...answers.sampling, content: { type: 'text', text: 'x'.repeat(70_000) } }
    const { result } = await send(
      'tools/call',
      tool('ask_in_turn', {}, { requestState, inputResponses: { first: long } }),
    )
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('too long') }] })
  })

  it.each([
    {
      method: 'prompts/get',
      params: { name: 'guided' },
      read: (round: Round) => round.result.messages[0].content.text,
    },
    {
      method: 'resources/read',
      params: { uri: 'guarded://1' },
      read: (round: Round) => round.result.contents[0].text,
    },
  ])('may come from $method too', async ({ method, params, read }) => {
    const one = await send(method, params)
    expect(Object.keys(one.inputRequests ?? {})).toEqual(['q'])
    const answered = { ...params, requestState: one.requestState, inputResponses: { q: answers.form } }
    const two = await send(method, answered)
    expect(JSON.parse(read(two))).toEqual({ state: 'accepted', content: { sure: true } })
  })
})
