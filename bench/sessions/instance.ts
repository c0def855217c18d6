// One instance for `bench/sessions/streams.ts`: the endpoint over Redis and plain HTTP, in a process of its own.

import { ok } from '#lib/core/result'
import type { Admission } from '#lib/mcp/endpoint'
import { add, get } from '#lib/store/operations'
import { createTcpStore } from '#lib/store/redis/tcp'
import { inProcess, listen } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { liveParts } from '#test/support/live-parts'

/** What the instance tells of itself. */
export interface InstanceReport {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly cpuSeconds: number
  readonly storeRequests: number
  readonly storeCommands: number
}

const { BENCH_REDIS_URL = '', BENCH_MODE = 'live', BENCH_STREAMS_PER_ACCOUNT = '16' } = process.env
let storeRequests = 0
let storeCommands = 0
const store = createTcpStore({
  url: BENCH_REDIS_URL,
  prefix: 'bench',
  timeoutMs: 20_000,
  observe({ commands }) {
    storeRequests++
    storeCommands += commands
  },
})

const server = inProcess({
  ...liveParts(store),
  factory: await testFactory(),
  streamMode: BENCH_MODE === 'nap' ? 'nap' : 'live',
  streamsPerAccount: Number(BENCH_STREAMS_PER_ACCOUNT),
  // What the product asks in its one request: connection, account, app, and the rate of calls.
  async admit({ accountId, scopes }, calls, also) {
    const own = [
      get(`g:${accountId}`, { fresh: true }),
      get(`a:${accountId}`, { fresh: true }),
      get(`b:${accountId}`),
      add(`rl:${accountId}`, { n: calls }, 120_000),
    ]
    const answers = (await store.batch(...own, ...also)).slice(own.length)
    const client = { key: 'test-client', name: 'Bench', verified: false }
    return ok({ caller: { accountId, scopes, client }, answers } satisfies Admission)
  },
})

const http = await listen(server.fetch)
process.on('message', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1_000_000
  process.send?.({
    rssBytes: rss,
    heapBytes: heapUsed,
    cpuSeconds,
    storeRequests,
    storeCommands,
  } satisfies InstanceReport)
})
process.send?.({ url: http.url })
