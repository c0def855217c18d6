import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TELL_DATA_MAX_LENGTH } from '#lib/config/limits'
import { createFollow } from '#lib/mcp/live/follow'
import { createWakes, type Wakes } from '#lib/mcp/live/wakes'
import { messageOf } from '#lib/store/message'
import { append, publish } from '#lib/store/operations'
import type { Entry, Store } from '#lib/store/port'
import { askServer, type Backend, localBackend, tcpBackend, upstashBackend } from '#test/store/backends'

const backends = [
  { backend: 'the local store', start: localBackend },
  { backend: 'Redis over TCP', start: tcpBackend },
  { backend: 'Upstash over the bridge', start: upstashBackend },
]

/** Longer than any test: what arrives was not polled for. */
const NEVER_MS = 600_000
const clock = () => Date.now()

describe.each(backends)('following a log on $backend', ({ start }) => {
  let backend: Backend
  let here: Store
  let elsewhere: Store
  let serial = 0
  const stops: AbortController[] = []

  beforeAll(async () => {
    backend = await start()
    ;[here, elsewhere] = backend.stores
  })
  afterAll(async () => {
    for (const stop of stops) stop.abort()
    await backend.stop()
  })

  async function following(how: { wakes?: Wakes; pollMs?: number; after?: string; readFirst?: boolean }) {
    const wakes = how.wakes ?? createWakes(here, { clock })
    const log = `log:${++serial}`
    const stop = new AbortController()
    stops.push(stop)
    const heard: Entry[] = []
    const asked: boolean[] = []
    await wakes.ready()
    const { after = '0-0', pollMs = NEVER_MS, readFirst = false } = how
    const begin = () =>
      createFollow({ store: here, wakes })(
        {
          log,
          after,
          pollMs,
          readFirst,
          onEntries: (entries, viaRead) => {
            heard.push(...entries)
            asked.push(viaRead)
          },
        },
        stop.signal,
      )
    return { log, heard, asked, wakes, stop, begin, texts: () => heard.map(({ data }) => data) }
  }

  const tell = (log: string, data: string, wakes: Wakes) =>
    elsewhere.run(append(log, data, { keep: 1000, tell: wakes.channel }))

  it('hands on what is appended elsewhere without asking the store', async () => {
    const { log, wakes, texts, begin, asked } = await following({})
    begin()
    backend.observed.length = 0
    const sameStore = here === elsewhere ? 3 : 0
    for (const text of ['a', 'b', 'c']) await tell(log, text, wakes)
    await expect.poll(texts).toEqual(['a', 'b', 'c'])
    expect(backend.observed.length - sameStore).toBe(0)
    expect(asked).toEqual([false, false, false])
  })

  it('reads once where a wake-up does not continue what it knows', async () => {
    const { log, wakes, texts, begin, asked } = await following({})
    begin()
    await elsewhere.run(append(log, 'untold', { keep: 9 }))
    await tell(log, 'told', wakes)
    await expect.poll(texts).toEqual(['untold', 'told'])
    expect(asked).toEqual([true])
  })

  it('reads what is too long for a wake-up', async () => {
    const { log, wakes, texts, begin } = await following({})
    begin()
    const long = 'x'.repeat(TELL_DATA_MAX_LENGTH + 1)
    await tell(log, long, wakes)
    await tell(log, 'after', wakes)
    await expect.poll(texts).toEqual([long, 'after'])
  })

  it('is not confused by wake-ups that are doubled, old, of another log, or none', async () => {
    const { log, wakes, texts, begin } = await following({})
    begin()
    const { channel = '' } = wakes
    await elsewhere.run(append(log, 'a', { id: '1-0', keep: 9, tell: channel }))
    const again = messageOf(log, { id: '1-0', data: 'a' }, '0-0')
    await elsewhere.batch(
      publish(channel, again),
      publish(channel, messageOf(`${log}:other`, { id: '1-5', data: 'other' }, '1-0')),
      publish(channel, 'no json'),
      publish(channel, '{"l":1}'),
      publish(channel, 'null'),
      append(log, 'b', { id: '2-0', keep: 9, tell: channel }),
      publish(channel, again),
      append(log, 'c', { id: '2-1', keep: 9, tell: channel }),
    )
    await expect.poll(texts).toEqual(['a', 'b', 'c'])
  })

  it('finds by polling what nobody told of, and everything when wake-ups are off', async () => {
    const off = createWakes(undefined, { clock })
    const { log, texts, begin, asked } = await following({ wakes: off, pollMs: 20 })
    begin()
    await tell(log, 'a', off)
    await expect.poll(texts).toEqual(['a'])
    await tell(log, 'b', off)
    await expect.poll(texts).toEqual(['a', 'b'])
    expect(asked).toEqual([true, true])
  })

  it('starts after its cursor, reads at once if asked to, and reads on while pages are full', async () => {
    const { log, texts, begin } = await following({ readFirst: true, after: '5-0' })
    const all = Array.from({ length: 260 }, (_, at) => append(log, `${at}`, { id: `5-${at}`, keep: 999 }))
    await elsewhere.batch(...all.slice(1))
    begin()
    await expect.poll(() => texts().length).toBe(259)
    expect(texts()).toEqual(Array.from({ length: 259 }, (_, at) => `${at + 1}`))
  })

  it('takes what somebody else read, once, and only when it follows what it knows', async () => {
    const { texts, begin } = await following({})
    const followed = begin()
    followed.offer('3-0', [{ id: '4-0', data: 'a gap before' }])
    followed.offer('0-0', [{ id: '2-0', data: 'a' }])
    followed.offer('1-0', [
      { id: '2-0', data: 'a' },
      { id: '3-0', data: 'b' },
    ])
    expect(texts()).toEqual(['a', 'b'])
    expect(followed.cursor).toBe('3-0')
  })

  it('says nothing more once it was told to stop', async () => {
    const { log, wakes, texts, begin, stop } = await following({ pollMs: 20 })
    begin()
    await tell(log, 'a', wakes)
    await expect.poll(texts).toEqual(['a'])
    stop.abort()
    await tell(log, 'b', wakes)
    await pause(80)
    expect(texts()).toEqual(['a'])
  })

  it('keeps order and loses nothing of two writers of whom one tells nobody', async () => {
    const { log, wakes, texts, heard, begin } = await following({ pollMs: 50 })
    begin()
    await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        (at % 2 ? here : elsewhere).run(
          append(log, `${at}`, { keep: 1000, tell: at % 3 ? wakes.channel : undefined }),
        ),
      ),
    )
    await expect.poll(() => texts().length).toBe(200)
    expect(new Set(texts()).size).toBe(200)
    const order = heard.map(({ id }) => id.split('-').map(Number)) as [number, number][]
    expect([...order].sort(([a, b], [c, d]) => a - c || b - d)).toEqual(order)
  })
})

it('catches up after the wake-up connection was lost', async () => {
  const backend = await tcpBackend()
  const [here, elsewhere] = backend.stores
  const wakes = createWakes(here, { clock })
  const stop = new AbortController()
  const heard: string[] = []
  await wakes.ready()
  createFollow({ store: here, wakes })(
    {
      log: 'log',
      after: '0-0',
      pollMs: NEVER_MS,
      onEntries: (entries) => heard.push(...entries.map(({ data }) => data)),
    },
    stop.signal,
  )
  await askServer(backend.redisUrl ?? '', ['CLIENT', 'KILL', 'TYPE', 'pubsub'])
  for (const text of ['a', 'b']) await elsewhere.run(append('log', text, { keep: 9, tell: wakes.channel }))
  await expect.poll(() => heard).toEqual(['a', 'b'])
  stop.abort()
  await backend.stop()
})

it('goes on after an outage of the store, and tells of it', async () => {
  const backend = await upstashBackend()
  const [here, elsewhere] = backend.stores
  const wakes = createWakes(undefined, { clock })
  const stop = new AbortController()
  const heard: string[] = []
  let faults = 0
  createFollow({ store: here, wakes })(
    {
      log: 'log',
      after: '0-0',
      pollMs: 20,
      onEntries: (entries) => heard.push(...entries.map(({ data }) => data)),
      onFault: () => faults++,
    },
    stop.signal,
  )
  backend.bridge?.faults.inject('answer 500')
  await expect.poll(() => faults).toBeGreaterThan(1)
  backend.bridge?.faults.clear()
  await elsewhere.run(append('log', 'a', { keep: 9 }))
  await expect.poll(() => heard).toEqual(['a'])
  stop.abort()
  await backend.stop()
})
