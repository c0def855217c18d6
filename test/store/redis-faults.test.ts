import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { STORE_TIMEOUT_MS } from '#lib/config/limits'
import {
  add,
  append,
  del,
  get,
  publish,
  range,
  rank,
  read,
  set,
  sums,
  swap,
  take,
  unrank,
} from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import { createTcpStore } from '#lib/store/redis/tcp'
import { createUpstashStore } from '#lib/store/redis/upstash'
import { askServer } from '#test/store/backends'
import { type RedisServer, startRedis } from '#test/support/redis-server'
import { startTcpFaultProxy } from '#test/support/tcp-fault-proxy'
import { startUpstashBridge } from '#test/support/upstash-bridge'

type Fault = 'refuse' | 'drop request' | 'drop reply' | 'hang'

interface Faulty {
  readonly redis: RedisServer
  readonly store: Store
  inject(fault: Fault, times?: number): void
  clear(): void
  /** Cuts subscriptions, in every way that there is, one after the other. */
  readonly cuts: readonly (() => void)[]
  stop(): Promise<void>
}

async function faultyTcp(): Promise<Faulty> {
  const redis = await startRedis({ persistent: true })
  const proxy = await startTcpFaultProxy({ port: redis.port })
  const store = createTcpStore({ url: `redis://127.0.0.1:${proxy.port}`, prefix: 'faults' })
  return {
    redis,
    store,
    inject: proxy.inject,
    clear: proxy.clear,
    cuts: [proxy.cut],
    stop: async () => {
      await store.close()
      await proxy.stop()
      await redis.stop()
    },
  }
}

async function faultyUpstash(): Promise<Faulty> {
  const redis = await startRedis({ persistent: true })
  const bridge = await startUpstashBridge({ redisUrl: redis.url })
  const store = createUpstashStore({ url: bridge.url, token: bridge.token, prefix: 'faults' })
  return {
    redis,
    store,
    inject: bridge.faults.inject,
    clear: bridge.faults.clear,
    cuts: [() => bridge.faults.endStreams('cleanly'), () => bridge.faults.endStreams('cut')],
    stop: async () => {
      await store.close()
      await bridge.stop()
      await redis.stop()
    },
  }
}

describe.each([
  { backend: 'Redis over TCP', start: faultyTcp },
  { backend: 'Upstash over the bridge', start: faultyUpstash },
])('$backend', ({ start }) => {
  let faulty: Faulty
  let store: Store
  let serial = 0
  const fresh = () => `key:${++serial}`

  beforeAll(async () => {
    faulty = await start()
    store = faulty.store
  })
  afterEach(() => {
    faulty.clear()
    faulty.redis.resume()
  })
  afterAll(() => faulty.stop())

  it('answers an outage, never absence, within the budget when no reply comes, to every operation', async () => {
    await store.run(set('present', 'x'))
    faulty.inject('hang')
    const operations: Operation[] = [
      get('present'),
      get('present', { fresh: true }),
      get('present', { touchMs: 60_000 }),
      set('present', 'x', { ifAbsent: true }),
      take('absent'),
      swap('present', 'a', 'b'),
      del('absent'),
      add('counter', { n: 1 }),
      sums('counter'),
      append('log', 'x', { keep: 1 }),
      read('log', { limit: 1 }),
      rank('index', 'm', 1),
      unrank('index', 'm'),
      range('index', { limit: 1 }),
      publish('channel', 'x'),
    ]
    const began = performance.now()
    const outcomes = await Promise.allSettled(operations.map((operation) => store.run(operation)))
    const took = performance.now() - began
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name)).toEqual(
      operations.map(() => 'StoreUnavailable'),
    )
    expect(took).toBeGreaterThan(STORE_TIMEOUT_MS - 100)
    expect(took).toBeLessThan(STORE_TIMEOUT_MS + 700)
  })

  it('works again right after a time-out', async () => {
    const key = fresh()
    faulty.inject('hang', 1)
    await expect(store.run(get(key))).rejects.toThrow(StoreUnavailable)
    faulty.clear()
    expect(await store.run(set(key, 'x'))).toBe(true)
    expect(await store.run(get(key))).toBe('x')
  })

  it('bounds the wait for a server that stands still with connections open', async () => {
    await store.run(set('present', 'x'))
    faulty.redis.freeze()
    await expect(store.run(get('present'))).rejects.toThrow(StoreUnavailable)
    faulty.redis.resume()
    expect(await store.run(get('present'))).toBe('x')
  })

  it.each([{ fault: 'refuse' }, { fault: 'drop request' }, { fault: 'drop reply' }] as const)(
    'gets over one connection that fails by $fault',
    async ({ fault }) => {
      const key = fresh()
      await store.run(set(key, 'x'))
      faulty.inject(fault, 1)
      expect(await store.run(get(key, { fresh: true }))).toBe('x')
    },
  )

  it.each([{ fault: 'refuse' }, { fault: 'drop request' }, { fault: 'drop reply' }] as const)(
    'gives up when connections go on failing by $fault, and is back when they do not',
    async ({ fault }) => {
      const key = fresh()
      await store.run(set(key, 'x'))
      faulty.inject(fault)
      await expect(store.run(get(key))).rejects.toThrow(StoreUnavailable)
      faulty.clear()
      expect(await store.run(get(key))).toBe('x')
    },
  )

  it('shows a swap whose reply was lost its own value as a conflict, for the caller to decide', async () => {
    const key = fresh()
    await store.run(set(key, 'before'))
    faulty.inject('drop reply', 1)
    expect(await store.run(swap(key, 'before', 'after'))).toEqual({ done: false, current: 'after' })
  })

  it('answers a take, an ifAbsent and a given id whose reply was lost as if another had won', async () => {
    const [taken, made, log] = [fresh(), fresh(), fresh()]
    await store.run(set(taken, 'x'))
    const lost = async <One extends Operation>(operation: One) => {
      faulty.inject('drop reply', 1)
      return store.run(operation)
    }
    expect(await lost(take(taken))).toBeNull()
    expect(await lost(set(made, 'x', { ifAbsent: true }))).toBe(false)
    expect(await lost(append(log, 'x', { id: '5-0', keep: 9 }))).toEqual({ stale: true })
    expect(await store.batch(get(made), read(log, { limit: 9 }))).toEqual(['x', [{ id: '5-0', data: 'x' }]])
  })

  it('runs a command at most twice when replies are lost', async () => {
    const key = fresh()
    faulty.inject('drop reply')
    await expect(store.run(add(key, { n: 1 }))).rejects.toThrow(StoreUnavailable)
    faulty.clear()
    expect(await store.run(add(key, { n: 0 }))).toEqual({ n: 2 })
  })

  it('says what failed without the key, the value or the address', async () => {
    const counter = 'secret-key'
    await store.run(add(counter, { n: 1 }))
    const refused = await store
      .batch(set('other', 'secret-value'), get(counter))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'StoreUnavailable', message: 'store: set, get: WRONGTYPE' })

    faulty.inject('refuse')
    const unreached = await store.run(swap(counter, 'secret-a', 'secret-b')).catch((error: unknown) => error)
    expect(unreached).toBeInstanceOf(StoreUnavailable)
    const error = unreached as StoreUnavailable
    expect(error.message).toMatch(/^store: swap: \w+$/)
    expect(error.cause).toBeUndefined()
    expect(error.stack).not.toContain('secret')
  })

  it('answers a half-failed batch as an outage, also when the last operation failed', async () => {
    const counter = fresh()
    await store.run(add(counter, { n: 1 }))
    await expect(store.batch(get('a'), get('b'), get(counter))).rejects.toThrow(StoreUnavailable)
    await expect(store.batch(append(fresh(), 'x', { keep: 1 }), take(counter), get('a'))).rejects.toThrow(
      StoreUnavailable,
    )
  })

  it('goes on with a server that was restarted in the middle of many writes', async () => {
    const written: string[] = []
    const writing = Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let round = 0; round < 40; round++) {
          const key = `restart:${writer}:${round}`
          await store.run(set(key, 'x')).then(
            () => written.push(key),
            (error) => expect(error).toBeInstanceOf(StoreUnavailable),
          )
        }
      }),
    )
    await pause(30)
    await faulty.redis.restart()
    await writing
    await expect.poll(() => store.run(set('after', 'x')).catch(() => false)).toBe(true)
    const found = await store.batch(...written.map((key) => get(key)))
    expect(found.every((value) => value === 'x')).toBe(true)
    expect(written.length).toBeGreaterThan(20)
  })

  it('gives no lifetime with a fresh read or a swap, and takes none away', async () => {
    const [forever, mortal] = [fresh(), fresh()]
    const lifetimeOf = (key: string) => askServer(faulty.redis.url, ['PTTL', `faults:${key}`])
    await store.batch(set(forever, 'x'), set(mortal, 'x', { ttlMs: 60_000 }))
    await store.batch(get(forever, { fresh: true }), swap(forever, 'x', 'y'))
    await store.batch(get(mortal, { fresh: true }), swap(mortal, 'x', 'y'), rank(fresh(), 'm', 1))
    expect(await lifetimeOf(forever)).toBe(-1)
    const left = Number(await lifetimeOf(mortal))
    expect(left).toBeGreaterThan(50_000)
    expect(left).toBeLessThanOrEqual(60_000)
  })

  it('takes up a lost subscription again and reports the gap', async () => {
    const stop = new AbortController()
    const heard: string[] = []
    let gaps = 0
    const listener = { onMessage: (message: string) => heard.push(message), onGap: () => gaps++ }
    await store.subscribe('channel', listener, stop.signal)

    for (const [index, cut] of faulty.cuts.entries()) {
      cut()
      await expect.poll(() => gaps).toBe(index + 1)
      await store.run(publish('channel', `after cut ${index}`))
      await expect.poll(() => heard.at(-1)).toBe(`after cut ${index}`)
    }
    await faulty.redis.restart()
    await expect.poll(() => gaps, { timeout: 5000 }).toBe(faulty.cuts.length + 1)
    await expect
      .poll(() => store.run(publish('channel', 'after restart')).then(() => heard.at(-1)))
      .toBe('after restart')
    stop.abort()
  })

  it('leaves no subscription on the server after the signal, or after close', async () => {
    const subscribers = async () =>
      Number(((await askServer(faulty.redis.url, ['PUBSUB', 'NUMSUB', 'faults:left'])) as unknown[])[1])
    const stop = new AbortController()
    const listener = { onMessage: () => undefined, onGap: () => undefined }
    await store.subscribe('left', listener, stop.signal)
    expect(await subscribers()).toBe(1)
    stop.abort()
    await expect.poll(subscribers).toBe(0)

    const another = await start()
    await another.store.subscribe('left', listener, new AbortController().signal)
    await another.store.close()
    const left = async () =>
      Number(((await askServer(another.redis.url, ['PUBSUB', 'NUMSUB', 'faults:left'])) as unknown[])[1])
    await expect.poll(left).toBe(0)
    await another.stop()
  })

  it('refuses a subscription that cannot be made, as an outage', async () => {
    faulty.inject('hang')
    const listener = { onMessage: () => undefined, onGap: () => undefined }
    const refused = store.subscribe('channel', listener, new AbortController().signal)
    await expect(refused).rejects.toThrow(StoreUnavailable)
  })
})
