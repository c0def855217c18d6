import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { Redis } from '@upstash/redis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { add, append, get, set, swap } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { createUpstashStore } from '#lib/store/redis/upstash'
import { type RedisServer, startRedis } from '#test/support/redis-server'
import { startUpstashBridge, type UpstashBridge } from '#test/support/upstash-bridge'

let redis: RedisServer
let bridge: UpstashBridge
let store: Store

beforeAll(async () => {
  redis = await startRedis()
  bridge = await startUpstashBridge({ redisUrl: redis.url })
  store = createUpstashStore({ url: `${bridge.url}/`, token: bridge.token, prefix: 'up' })
})
afterEach(() => bridge.faults.clear())
afterAll(async () => {
  await store.close()
  await bridge.stop()
  await redis.stop()
})

async function urlOf(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

describe('the store on Upstash', () => {
  it('sends one request a batch, in the order of the operations', async () => {
    bridge.counts.reset()
    await store.batch(
      set('a', '1'),
      get('a', { fresh: true }),
      swap('a', '1', '2'),
      add('n', { x: 1 }, 1000),
      get('a'),
    )
    expect(bridge.counts.requests).toBe(1)
    expect(bridge.counts.seen).toEqual([['SET', 'GETEX', 'EVAL', 'HINCRBY', 'PEXPIRE', 'GET']])
  })

  it('keeps batches of the same moment apart', async () => {
    bridge.counts.reset()
    await Promise.all([store.run(get('a')), store.run(append('l', 'x', { keep: 1 })), store.run(get('b'))])
    expect(bridge.counts.seen.map((names) => names.join()).sort()).toEqual(['GET', 'GET', 'XADD'])
  })

  it('tells the server nothing about the machine it runs on', async () => {
    const seen: Record<string, unknown>[] = []
    const spy = createServer((request, response) => {
      seen.push(request.headers)
      response.end('[{"result":null}]')
    })
    const spied = createUpstashStore({ url: await urlOf(spy), token: 't', prefix: 'p' })
    await spied.run(get('a'))
    spy.close()
    expect(Object.keys(seen[0] ?? {}).filter((name) => name.includes('telemetry'))).toEqual([])
    expect(seen[0]).toMatchObject({ authorization: 'Bearer t', 'upstash-encoding': 'base64' })
  })

  it.each([{ position: 1 }, { position: 2 }, { position: 3 }])(
    'answers an outage when command $position of a pipeline fails, though the others ran',
    async ({ position }) => {
      bridge.faults.inject({ failCommand: position }, 1)
      await expect(store.batch(set('h1', 'x'), set('h2', 'x'), set('h3', 'x'))).rejects.toThrow(
        'store: set, set, set: ERR',
      )
    },
  )

  it('answers an outage when the lifetime that follows a counter or a log fails', async () => {
    bridge.faults.inject({ failCommand: 2 })
    await expect(store.run(add('half', { n: 1 }, 1000))).rejects.toThrow(StoreUnavailable)
    await expect(store.run(append('halflog', 'x', { keep: 1, ttlMs: 1000 }))).rejects.toThrow(
      StoreUnavailable,
    )
  })

  it.each([
    { trouble: 'a fault of the server', fault: 'answer 500', value: 'secret' },
    { trouble: 'a request that is too large', fault: undefined, value: 'x'.repeat(11 * 1024 * 1024) },
  ] as const)('answers an outage for $trouble, without the value', async ({ fault, value }) => {
    if (fault) bridge.faults.inject(fault)
    const error = await store.run(set('secret-key', value)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StoreUnavailable)
    expect((error as Error).message).toBe('store: set: UpstashError')
    expect((error as Error).cause).toBeUndefined()
  })

  it('answers an outage for a wrong token', async () => {
    const stranger = createUpstashStore({ url: bridge.url, token: 'wrong', prefix: 'up' })
    await expect(stranger.run(get('a'))).rejects.toThrow(StoreUnavailable)
    const listener = { onMessage: () => undefined, onGap: () => undefined }
    await expect(stranger.subscribe('c', listener, new AbortController().signal)).rejects.toThrow(
      StoreUnavailable,
    )
  })

  it.each([
    { reply: 'no JSON', body: '<html>' },
    { reply: 'another shape', body: '{"result":null}' },
    { reply: 'fewer replies', body: '[]' },
    { reply: 'an empty reply', body: '[{}]' },
    { reply: 'a number for a text', body: '[{"result":1}]' },
  ])('answers an outage, not absence, when a proxy answers with $reply', async ({ body }) => {
    const proxy = createServer((_, response) => response.end(body))
    const behind = createUpstashStore({ url: await urlOf(proxy), token: 't', prefix: 'p' })
    await expect(behind.run(get('a'))).rejects.toThrow(StoreUnavailable)
    proxy.close()
  })
})

describe('the bridge', () => {
  const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${bridge.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${bridge.token}`, ...headers },
    })

  it.each([
    { path: '/', body: ['SET', 'b', 'ä'], encoding: '', status: 200, reply: { result: 'OK' } },
    { path: '/', body: ['SET', 'b', 'ä'], encoding: 'base64', status: 200, reply: { result: 'OK' } },
    { path: '/', body: ['GET', 'b'], encoding: '', status: 200, reply: { result: 'ä' } },
    { path: '/', body: ['GET', 'b'], encoding: 'base64', status: 200, reply: { result: 'w6Q=' } },
    {
      path: '/',
      body: ['MGET', 'b', 'none'],
      encoding: 'base64',
      status: 200,
      reply: { result: ['w6Q=', null] },
    },
    { path: '/', body: ['INCR', 'n1'], encoding: 'base64', status: 200, reply: { result: 1 } },
    {
      path: '/',
      body: ['NONSENSE'],
      encoding: '',
      status: 400,
      reply: { error: expect.stringContaining('ERR unknown command') },
    },
    { path: '/', body: 'text', encoding: '', status: 400, reply: { error: expect.stringContaining('ERR') } },
    {
      path: '/',
      body: ['BLPOP', 'l', 0],
      encoding: '',
      status: 400,
      reply: { error: expect.stringContaining('not available') },
    },
    {
      path: '/',
      body: ['GET', 'k'.repeat(32_769)],
      encoding: '',
      status: 400,
      reply: { error: expect.stringContaining('max key size') },
    },
    {
      path: '/pipeline',
      body: [
        ['SET', 'p', 'OK'],
        ['GET', 'p'],
        ['INCR', 'p'],
      ],
      encoding: 'base64',
      status: 200,
      reply: [{ result: 'OK' }, { result: 'OK' }, { error: expect.stringContaining('not an integer') }],
    },
    {
      path: '/multi-exec',
      body: [
        ['SET', 'm', '1'],
        ['INCR', 'm'],
      ],
      encoding: '',
      status: 200,
      reply: [{ result: 'OK' }, { result: 2 }],
    },
    {
      path: '/multi-exec',
      body: [['SET', 'm']],
      encoding: '',
      status: 400,
      reply: { error: expect.stringContaining('EXECABORT') },
    },
  ])(
    'answers $path $body as Upstash does (encoding "$encoding")',
    async ({ path, body, encoding, status, reply }) => {
      const response = await ask(path, body, encoding ? { 'upstash-encoding': encoding } : {})
      expect(response.status).toBe(status)
      expect(response.headers.get('upstash-sync-token')).toMatch(/.+/)
      expect(await response.json()).toEqual(reply)
    },
  )

  it('refuses a request without the token or by another method', async () => {
    const strange = await ask('/', ['PING'], { authorization: 'Bearer wrong' })
    expect([strange.status, await strange.json()]).toEqual([
      401,
      { error: 'WRONGPASS invalid or missing auth token' },
    ])
    expect((await fetch(bridge.url)).status).toBe(405)
  })

  it("serves Upstash's own client with its defaults, transactions and scripts included", async () => {
    const client = new Redis({ url: bridge.url, token: bridge.token })
    const [, hash] = await client
      .multi()
      .set('own', { deep: [1] })
      .hset('ownhash', { a: 'b' })
      .exec()
    expect(hash).toBe(1)
    expect(await client.get('own')).toEqual({ deep: [1] })
    const script = "#!lua flags=allow-key-locking\nreturn redis.call('GET', KEYS[1])"
    expect(await client.eval(script, ['own'], [])).toEqual({ deep: [1] })
  })
})
