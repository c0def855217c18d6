import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { STREAM_KEEP_ALIVE_MS } from '#lib/config/limits'
import type { InProcess } from '#test/mcp/in-process'
import { openPair, type Pair } from '#test/mcp/pair'
import { messages, modern, type Reply } from '#test/mcp/post'
import { readStream } from '#test/mcp/session'

/** What the official suite does not check of `subscriptions/listen`: two instances, several streams, several people. */

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

describe.each([
  { over: 'the local store', wakeUps: true },
  { over: 'Redis', wakeUps: true },
  { over: 'Redis', wakeUps: false },
] as const)('listen over $over, wake-ups $wakeUps', (where) => {
  let pair: Pair
  beforeAll(async () => {
    pair = await openPair(where)
  })
  afterAll(() => pair.close())
  afterEach(() => {
    vi.useRealTimers()
  })

  const call = (server: InProcess, name: string, args = {}, more = {}) =>
    modern(server, 'tools/call', { name, arguments: args, ...more }).then(messages)
  const change = (server: InProcess, uri: string) => call(server, 'change', { uri })

  /** Listens, and is told that it is heard. */
  async function listen(
    server: InProcess,
    notifications: object,
    how: { id?: unknown; token?: string } = {},
  ) {
    const stream = readStream(await modern(server, 'subscriptions/listen', { notifications }, how))
    const acknowledged = await stream.until(
      ({ method }) => method === 'notifications/subscriptions/acknowledged',
    )
    return { stream, acknowledged }
  }
  const told = (all: readonly Reply[]) =>
    all.flatMap(({ method, params }) =>
      method?.endsWith('/updated') || method?.endsWith('/list_changed') ? [params?.['uri'] ?? method] : [],
    )

  it.each(['a text', 7, 0])('names each message by the id of its request, here %j', async (id) => {
    const { stream, acknowledged } = await listen(pair.a, { resourceSubscriptions: ['test://a'] }, { id })
    await change(pair.b, 'test://a')
    const update = await stream.until(({ method }) => method === 'notifications/resources/updated')
    for (const message of [acknowledged, update]) {
      expect(message.params).toMatchObject({ _meta: { [SUBSCRIPTION]: id } })
    }
    await stream.leave()
  })

  it('acknowledges what it will tell, and tells of what was asked for only, from either instance', async () => {
    const wanted = { resourceSubscriptions: ['test://a', 'test://b'] }
    const { stream, acknowledged } = await listen(pair.a, wanted)
    expect(acknowledged.params?.['notifications']).toEqual(wanted)
    for (const [at, uri] of [
      [pair.b, 'test://c'],
      [pair.b, 'test://b'],
      [pair.a, 'test://c'],
      [pair.a, 'test://a'],
    ] as const) {
      await change(at, uri)
    }
    await call(pair.b, 'change')
    await call(pair.b, 'test_trigger_tool_change')
    await change(pair.b, 'test://a')
    await stream.until(() => told(stream.messages).length >= 3)
    // Two instances that publish at once have no order.
    expect(told(stream.messages).toSorted()).toEqual(['test://a', 'test://a', 'test://b'])
    await stream.leave()
  })

  it.each([
    {
      wanted: 'toolsListChanged',
      tool: 'test_trigger_tool_change',
      method: 'notifications/tools/list_changed',
    },
    {
      wanted: 'promptsListChanged',
      tool: 'test_trigger_prompt_change',
      method: 'notifications/prompts/list_changed',
    },
    { wanted: 'resourcesListChanged', tool: 'change', method: 'notifications/resources/list_changed' },
  ])(
    'tells of $wanted on every stream of the person on both instances, and on nobody else’s',
    async (how) => {
      const streams = await Promise.all([
        listen(pair.a, { [how.wanted]: true }, { id: 1 }),
        listen(pair.a, { [how.wanted]: true }, { id: 1 }),
        listen(pair.b, { [how.wanted]: true }, { id: 2 }),
      ])
      const foreign = await listen(pair.b, { [how.wanted]: true }, { token: 'bob' })
      await call(pair.b, how.tool)
      await Promise.all(streams.map(({ stream }) => stream.until(({ method }) => method === how.method)))
      expect(streams.map(({ stream }) => told(stream.messages))).toEqual(streams.map(() => [how.method]))
      expect(told(foreign.stream.messages)).toEqual([])
      await Promise.all([...streams, foreign].map(({ stream }) => stream.leave()))
    },
  )

  it('carries nothing that belongs to another request: no progress, no log, no result', async () => {
    const { stream } = await listen(pair.a, { resourceSubscriptions: ['test://a'] })
    const meta = { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' }
    await call(pair.a, 'test_tool_with_progress', {}, { _meta: meta })
    await call(pair.a, 'test_tool_with_logging', {}, { _meta: meta })
    await change(pair.a, 'test://a')
    await stream.until(() => told(stream.messages).length > 0)
    expect(stream.messages.map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/resources/updated',
    ])
    await stream.leave()
  })

  it('is kept open by comments while there is nothing to tell', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const response = await modern(pair.a, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    await reader?.read()
    await vi.advanceTimersByTimeAsync(STREAM_KEEP_ALIVE_MS)
    expect((await reader?.read())?.value).toMatch(/^: ?\S+\n\n$/)
    await reader?.cancel()
  })

  it('ends with its result when its instance stops, and the other instance goes on', async () => {
    const own = await openPair(where)
    const [first, second] = [
      await listen(own.a, { toolsListChanged: true }, { id: 'first' }),
      await listen(own.b, { toolsListChanged: true }, { id: 'second' }),
    ]
    await own.a.drain()
    const final = await first.stream.until(({ result }) => result !== undefined)
    expect(final).toMatchObject({
      id: 'first',
      result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: 'first' } },
    })
    expect(await first.stream.ended).toBe(true)
    await call(own.b, 'test_trigger_tool_change')
    await second.stream.until(({ method }) => method === 'notifications/tools/list_changed')
    await second.stream.leave()
    await own.close()
  })
})
