import { afterAll, beforeAll, expect, it } from 'vitest'
import { createWakes } from '#lib/mcp/live/wakes'
import { append } from '#lib/store/operations'
import { type Backend, upstashBackend } from '#test/store/backends'

let backend: Backend
beforeAll(async () => {
  backend = await upstashBackend()
})
afterAll(() => backend.stop())

const quiet = { onWake: () => undefined, onGap: () => undefined }
const open = () => backend.bridge?.openStreams()

it('holds one connection however many listen, and lets go of it a while after the last', async () => {
  const wakes = createWakes(backend.stores[0], { clock: () => Date.now(), lingerMs: 60 })
  expect(open()).toBe(0)
  const stops = ['a', 'b', 'c', 'a'].map((log) => wakes.listen(log, { ...quiet }))
  await wakes.ready()
  expect(open()).toBe(1)
  for (const stop of stops) stop()
  for (const stop of stops) stop()
  const next = wakes.listen('d', quiet)
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect([open(), wakes.connections]).toEqual([1, 1])
  next()
  await expect.poll(open).toBe(0)
  expect(wakes.connections).toBe(0)
})

it('does not trust a connection that idled while the instance was frozen', async () => {
  let now = 1000
  const wakes = createWakes(backend.stores[0], { clock: () => now, lingerMs: 100_000 })
  await wakes.ready()
  const before = backend.bridge?.counts.subscriptions ?? 0
  await wakes.ready()
  expect(backend.bridge?.counts.subscriptions).toBe(before)
  now += 100_001
  const heard: string[] = []
  const stop = wakes.listen('log', { onWake: ({ data }) => heard.push(data ?? ''), onGap: () => undefined })
  await wakes.ready()
  expect(backend.bridge?.counts.subscriptions).toBe(before + 1)
  await backend.stores[1].run(append('log', 'x', { keep: 1, tell: wakes.channel }))
  await expect.poll(() => heard).toEqual(['x'])
  stop()
})

it('wakes the listeners of a name without a log', async () => {
  const wakes = createWakes(backend.stores[0], { clock: () => Date.now(), lingerMs: 0 })
  const heard: string[] = []
  const stop = wakes.listen('name', { onWake: ({ id }) => heard.push(id), onGap: () => undefined })
  await wakes.ready()
  await backend.stores[1].batch(...wakes.hint('name', 'a note'))
  await expect.poll(() => heard).toEqual(['a note'])
  stop()
})

it('does not fail without the store, and tells of the gap once it listens', async () => {
  backend.bridge?.faults.inject('answer 500')
  const wakes = createWakes(backend.stores[0], { clock: () => Date.now(), lingerMs: 0 })
  let gaps = 0
  const stop = wakes.listen('log', { onWake: () => undefined, onGap: () => gaps++ })
  await wakes.ready()
  expect(gaps).toBe(0)
  backend.bridge?.faults.clear()
  await expect.poll(() => gaps, { timeout: 5000 }).toBe(1)
  stop()
})

it('is silent and costs nothing when wake-ups are off', async () => {
  const wakes = createWakes(undefined, { clock: () => Date.now() })
  const stop = wakes.listen('log', quiet)
  await wakes.ready()
  expect([wakes.channel, wakes.connections, wakes.hint('log', 'x')]).toEqual([undefined, 0, []])
  stop()
})
