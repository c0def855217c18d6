import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { REQUEST_STATE_MS } from '#lib/config/limits'
import { createKeyRing } from '#lib/core/key-ring'
import { createRequestState } from '#lib/mcp/request-state'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { createTcpStore } from '#lib/store/redis/tcp'
import { askingFactory } from '#test/mcp/asking-offer'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { modern, type Reply, reply } from '#test/mcp/post'
import { type RedisServer, startRedis } from '#test/support/redis-server'

const FIRST = 'the first secret of the tests, long enough to be one'
const SECOND = 'the second secret of the tests, long enough to be one'

let redis: RedisServer
const stores: Store[] = []
let acted: string[]
let now: number

beforeAll(async () => {
  redis = await startRedis()
  for (const _instance of [1, 2]) stores.push(await createTcpStore({ url: redis.url, prefix: 'test' }))
})
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await redis.stop()
})
beforeEach(() => {
  acted = []
  now = Date.now()
})

/** An instance of the product: with its own memory, over the shared Redis. */
function instance(
  index: 0 | 1,
  secrets = [FIRST],
  through: (store: Store) => Store = (store) => store,
): InProcess {
  const factory = askingFactory(through(stores[index] as Store), (text) => acted.push(text))
  return inProcess({ factory, keyRing: createKeyRing(secrets, 'test'), clock: () => now })
}

let calls = 0
const newText = () => `call ${++calls}`
const yes = { action: 'accept', content: { sure: true } }

interface Sent {
  readonly tool?: string
  readonly method?: string
  readonly token?: string
}

const send = async (
  server: InProcess,
  text: string,
  more: object,
  { tool = 'act', method, token }: Sent = {},
) =>
  reply(
    await modern(
      server,
      method ?? 'tools/call',
      {
        ...(method === 'resources/read' ? {} : { name: tool, arguments: { text } }),
        capabilities: { elicitation: {} },
        ...more,
      },
      token === undefined ? {} : { token },
    ),
  )

/** Asks, and gives what brings the answer. */
async function asked(server: InProcess, text: string, tool: string) {
  const { result } = await send(server, text, {}, { tool })
  return { requestState: result.requestState as string, inputResponses: { sure: yes } }
}

const codeOf = ({ error, result }: Reply) => error?.code ?? (result.isError ? 'failed' : 'done')

describe('the answers to a tool that acts once', () => {
  const tool = 'act_once'

  it('count on any instance, and a second time on none: -32602', async () => {
    const text = newText()
    const answered = await asked(instance(0), text, tool)
    expect(codeOf(await send(instance(1), text, answered, { tool }))).toBe('done')
    expect(codeOf(await send(instance(1), text, answered, { tool }))).toBe(-32602)
    expect(codeOf(await send(instance(0), text, answered, { tool }))).toBe(-32602)
    expect(acted).toEqual([text])
  })

  it('let one of many act, when they come at once to two instances', async () => {
    const instances = [instance(0), instance(1)] as const
    for (let round = 0; round < 10; round++) {
      const text = newText()
      const answered = await asked(instances[0], text, tool)
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, async (_, index) =>
          codeOf(await send(instances[(index % 2) as 0 | 1], text, answered, { tool })),
        ),
      )
      expect(outcomes.toSorted()).toEqual([...new Array(15).fill(-32602), 'done'])
      expect(acted.filter((one) => one === text)).toHaveLength(1)
    }
  })

  it('are used up by a round that asks again, whose own answers count', async () => {
    const text = newText()
    const { requestState } = await asked(instance(0), text, tool)
    const again = await send(instance(1), text, { requestState, inputResponses: {} }, { tool })
    expect(Object.keys(again.result.inputRequests)).toEqual(['sure'])
    expect(
      codeOf(await send(instance(0), text, { requestState, inputResponses: { sure: yes } }, { tool })),
    ).toBe(-32602)
    const anew = { requestState: again.result.requestState, inputResponses: { sure: yes } }
    expect(codeOf(await send(instance(0), text, anew, { tool }))).toBe('done')
    expect(acted).toEqual([text])
  })

  it('count although the reply of the store that marks them was lost and it was asked twice', async () => {
    const text = newText()
    const answered = await asked(instance(0), text, tool)
    const twice = instance(0, [FIRST], (store) => ({
      ...store,
      run: async (operation) => {
        if (operation.kind === 'set') await store.run(operation)
        return store.run(operation)
      },
    }))
    expect(codeOf(await send(twice, text, answered, { tool }))).toBe('done')
    expect(codeOf(await send(twice, text, answered, { tool }))).toBe(-32602)
    expect(acted).toEqual([text])
  })

  it('are not acted on while the store is out of reach, and count when it is back', async () => {
    const text = newText()
    const answered = await asked(instance(0), text, tool)
    const without = instance(1, [FIRST], (store) => ({
      ...store,
      run: () => Promise.reject(new StoreUnavailable('set timed out')),
    }))
    const failed = await send(without, text, answered, { tool })
    expect(failed.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('could not reach its storage') }],
    })
    expect(acted).toEqual([])
    expect(codeOf(await send(instance(1), text, answered, { tool }))).toBe('done')
  })

  it('of another tool may be sent again: it did not ask for more', async () => {
    const text = newText()
    const answered = await asked(instance(0), text, 'act')
    expect(codeOf(await send(instance(0), text, answered))).toBe('done')
    expect(codeOf(await send(instance(1), text, answered))).toBe('done')
    expect(acted).toEqual([text, text])
  })
})

describe('a requestState', () => {
  it.each([
    { what: 'of another person', sent: { token: 'bob' } },
    { what: 'on another tool', sent: { tool: 'act_once' } },
    { what: 'of a prompt on a tool', sent: {}, from: { method: 'prompts/get', name: 'guided' } },
    { what: 'of a resource on a tool', sent: {}, from: { method: 'resources/read', uri: 'guarded://1' } },
    { what: 'with other arguments', sent: {}, text: 'other' },
    { what: 'that was changed', sent: {}, change: (state: string) => `${state}-TAMPERED` },
    { what: 'that was cut', sent: {}, change: (state: string) => state.slice(0, -1) },
    { what: 'of nobody', sent: {}, change: () => 'state' },
    { what: 'that is empty', sent: {}, change: () => '' },
    { what: 'that is as long as a book', sent: {}, change: (state: string) => state + 'A'.repeat(70_000) },
  ])('$what is -32602 on any instance, and nothing runs', async ({ sent, from, text, change }) => {
    const own = newText()
    const { method = 'tools/call', ...target } = from ?? { name: 'act' }
    const first = await send(instance(0), own, target, { method })
    const requestState = change ? change(first.result.requestState) : first.result.requestState
    const answered = { requestState, inputResponses: { sure: yes } }
    expect(codeOf(await send(instance(1), text ?? own, answered, sent))).toBe(-32602)
    expect(acted).toEqual([])
  })

  it.each([
    { method: 'tools/call', target: { name: 'act' } },
    { method: 'prompts/get', target: { name: 'guided' } },
    { method: 'resources/read', target: { uri: 'guarded://1' } },
  ])('that is no text is -32602 in $method', async ({ method, target }) => {
    const { error } = await send(
      instance(0),
      'x',
      { ...target, requestState: { asked: ['sure'] } },
      { method },
    )
    expect(error?.code).toBe(-32602)
  })

  it.each([
    { what: 'this call', change: {}, code: 'done' },
    { what: 'another person', change: { accountId: 'bob' }, code: -32602 },
    { what: 'another app of the same person', change: { clientKey: 'other' }, code: -32602 },
    { what: 'a prompt of the same name', change: { method: 'prompts/get' }, code: -32602 },
    { what: 'another tool', change: { target: 'ask' }, code: -32602 },
    { what: 'other arguments', change: { args: { text: 'other' } }, code: -32602 },
    {
      what: 'a tool that acts once, by a release that named no rounds',
      tool: 'act_once',
      id: undefined,
      code: -32602,
    },
  ])('that was sealed for $what is $code', async ({ change, tool = 'act', code, ...rest }) => {
    const binding = { accountId: 'alice', clientKey: 'test-client', method: 'tools/call', target: tool }
    const state = createRequestState(
      { ...binding, args: { text: 'x' }, ...change },
      { keyRing: createKeyRing([FIRST], 'test'), clock: () => now },
    )
    const requestState = await state.seal({ id: 'a round', ...rest, asked: ['sure'], answers: {} })
    const answered = { requestState, inputResponses: { sure: yes } }
    expect(codeOf(await send(instance(1), 'x', answered, { tool }))).toBe(code)
  })

  it('ends with its time', async () => {
    const text = newText()
    const answered = await asked(instance(0), text, 'act')
    now += REQUEST_STATE_MS
    expect(codeOf(await send(instance(1), text, answered))).toBe('done')
    now += 1
    expect(codeOf(await send(instance(1), text, answered))).toBe(-32602)
  })

  it('outlives a rotation of AUTH_SECRET while the old one stays in AUTH_SECRETS_OLD, and ends with it', async () => {
    const text = newText()
    const answered = await asked(instance(0, [FIRST]), text, 'act')
    expect(codeOf(await send(instance(1, [SECOND, FIRST]), text, answered))).toBe('done')
    expect(codeOf(await send(instance(1, [SECOND]), text, answered))).toBe(-32602)

    const fresh = await asked(instance(1, [SECOND, FIRST]), text, 'act')
    expect(codeOf(await send(instance(0, [SECOND]), text, fresh))).toBe('done')
    expect(codeOf(await send(instance(0, [FIRST]), text, fresh))).toBe(-32602)
  })

  it('says nothing to the client: neither question nor answer can be read in it', async () => {
    const { requestState } = await asked(instance(0), 'private words', 'act')
    const bytes = Buffer.from(requestState.split('.')[1] ?? '', 'base64url').toString('latin1')
    expect(requestState + bytes).not.toMatch(/private|sure|alice/)
  })
})
