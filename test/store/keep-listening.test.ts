import { expect, it } from 'vitest'
import { keepListening } from '#lib/store/redis/keep-listening'

it('renews a connection that may have died without a word, and reports the gap', async () => {
  const stop = new AbortController()
  let connections = 0
  let open = 0
  let gaps = 0
  await keepListening({
    connect: async (_, signal) => {
      connections++
      open++
      const ended = new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          open--
          resolve()
        }),
      )
      return { ended }
    },
    listener: { onMessage: () => undefined, onGap: () => gaps++ },
    signal: stop.signal,
    renewMs: 20,
  })
  await expect.poll(() => gaps).toBeGreaterThan(2)
  expect(connections).toBe(gaps + 1)
  expect(open).toBe(1)
  stop.abort()
  const before = connections
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect([connections, open]).toEqual([before, 0])
})
