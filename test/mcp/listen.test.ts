import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { STREAM_RECHECK_MS, STREAMS_PER_ACCOUNT } from '#lib/config/limits'
import { err, ok } from '#lib/core/result'
import { StoreUnavailable } from '#lib/store/port'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { modern, type Reply, reply } from '#test/mcp/post'

let server: InProcess

beforeEach(async () => {
  server = inProcess({ factory: await testFactory() })
})

afterEach(() => {
  vi.useRealTimers()
})

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const write = (text: string, token = 'alice') =>
  modern(server, 'tools/call', { name: 'write', arguments: { text } }, { token })
const listen = (uris: readonly string[], how = {}) =>
  modern(server, 'subscriptions/listen', { notifications: { resourceSubscriptions: uris } }, how)

/** Reads the messages of an open stream, one at a time. */
async function* read(response: Response): AsyncGenerator<Reply> {
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    const frames = text.split('\n\n')
    text = frames.pop() ?? ''
    for (const frame of frames) {
      const data = frame.split('\n').find((line) => line.startsWith('data: '))
      if (data) yield JSON.parse(data.slice(6)) as Reply
    }
  }
}

describe('subscriptions/listen', () => {
  it('says first what it will tell, then tells it, and nothing else', async () => {
    const stream = read(await listen(['thing://a'], { id: 'listen-1' }))
    const acknowledged = (await stream.next()).value as Reply
    expect(acknowledged).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { resourceSubscriptions: ['thing://a'] },
        _meta: { [SUBSCRIPTION]: 'listen-1' },
      },
    })

    await write('b')
    await write('a')
    expect((await stream.next()).value).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'thing://a', _meta: { [SUBSCRIPTION]: 'listen-1' } },
    })
    await stream.return(undefined)
  })

  it('never tells one person of the changes of another, whatever they ask for', async () => {
    const stream = read(await listen(['thing://a'], { token: 'mallory' }))
    await stream.next()
    await write('a', 'alice')
    void server.drain()
    expect((await stream.next()).value).toMatchObject({ result: { resultType: 'complete' } })
    expect((await stream.next()).done).toBe(true)
  })

  it('ends with its result when the process stops', async () => {
    const stream = read(await listen(['thing://a'], { id: 5 }))
    await stream.next()
    void server.drain()
    expect((await stream.next()).value).toMatchObject({
      id: 5,
      result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: 5 } },
    })
    expect((await stream.next()).done).toBe(true)
  })

  it('ends politely before the platform would cut it', async () => {
    server = inProcess({ factory: await testFactory(), streamMaxSeconds: 0.05 })
    const stream = read(await listen(['thing://a']))
    await stream.next()
    expect((await stream.next()).value).toMatchObject({ result: { resultType: 'complete' } })
  })

  it('ends with the token that opened it', async () => {
    const clock = () => Date.now()
    server = inProcess({
      factory: await testFactory(),
      clock,
      readBearer: async () => ({
        ok: true,
        value: { accountId: 'alice', scopes: ['notes:write'], expiresAt: Math.floor(clock() / 1000) },
      }),
    })
    const stream = read(await listen(['thing://a']))
    await stream.next()
    expect((await stream.next()).value).toMatchObject({ result: { resultType: 'complete' } })
  })

  it('ends soon after its connection, asks without counting a call, and survives an outage', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const client = { key: 'test-client', name: 'Test', verified: false }
    const counted: number[] = []
    let store: 'well' | 'out' | 'ended' = 'well'
    server = inProcess({
      factory: await testFactory(),
      admit: async ({ accountId, scopes }, calls, also) => {
        counted.push(calls)
        if (store === 'out') throw new StoreUnavailable('test')
        const answers = also.map(() => null)
        return store === 'well'
          ? ok({ caller: { accountId, scopes, client }, answers })
          : err({ reason: 'token_invalid' })
      },
    })
    const stream = read(await listen(['thing://a'], { id: 7 }))
    await stream.next()

    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    store = 'out'
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    store = 'ended'
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    expect((await stream.next()).value).toMatchObject({ id: 7, result: { resultType: 'complete' } })
    expect(counted).toEqual([1, 0, 0, 0])
  })

  it('has a budget for each person, and gives a place back when a client leaves', async () => {
    const leaving = new AbortController()
    const first = await listen(['thing://a'], { signal: leaving.signal })
    const others = await Promise.all(
      Array.from({ length: STREAMS_PER_ACCOUNT - 1 }, () => listen(['thing://a'])),
    )
    expect((await reply(await listen(['thing://a']))).error?.code).toBe(-32603)
    const someoneElse = await listen(['thing://a'], { token: 'bob' })
    expect(someoneElse.headers.get('content-type')).toBe('text/event-stream')

    leaving.abort()
    await first.body?.cancel().catch(() => undefined)
    expect((await listen(['thing://a'])).headers.get('content-type')).toBe('text/event-stream')
    void server.drain()
    await Promise.all([...others, someoneElse].map((response) => response.body?.cancel()))
  })

  it('honours only what is offered', async () => {
    const asked = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
    const stream = read(await modern(server, 'subscriptions/listen', { notifications: asked }))
    expect((await stream.next()).value).toMatchObject({
      params: { notifications: { resourcesListChanged: true } },
    })
    await stream.return(undefined)
  })
})
