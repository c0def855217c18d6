// What a call of the 2025 era costs with 10, 1,000 and 100,000 sessions in a Redis over TCP: one product and one
// redis-server for each, measured in turn. `npx tsx bench/sessions/cost.ts`

import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { createClient } from '@redis/client'
import autocannon from 'autocannon'
import { connectByFetch } from '#bench/call/connect-by-fetch'
import { callOf, cpuSeconds } from '#bench/call/load'
import { median, publish } from '#bench/publish'
import { ensureBuilt } from '#test/support/build'
import { freePort } from '#test/support/free-port'
import { type Product, startProduct } from '#test/support/product'
import { beginSession } from '#test/support/raw-session'
import { type RedisServer, startRedis } from '#test/support/redis-server'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7)
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3)
const WARM_UP_SECONDS = 4
const COUNTS = [10, 1000, 100_000]
/** Sessions that are called; the others are there. */
const CALLED_MAX = 100
const CONNECTIONS = 10
const KEY_PREFIX = 'bench'
/** Sessions of one person. */
const SESSIONS_A_PERSON = 50
const DAY_MS = 86_400_000

interface Deployment {
  readonly sessions: number
  readonly product: Product
  readonly redis: RedisServer
  readonly redisPid: number
  /** Each in a session of its own. */
  readonly requests: readonly { readonly headers: Record<string, string>; readonly body: string }[]
}

interface Cost {
  readonly productCpuMs: number
  readonly redisCpuUs: number
  readonly commands: number
  readonly p50Ms: number
}

async function deploy(sessions: number): Promise<Deployment> {
  const redis = await startRedis()
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const product = await startProduct({
    port,
    env: {
      PUBLIC_URL: origin,
      AUTH_SECRET: randomBytes(32).toString('base64url'),
      REDIS_URL: redis.url,
      KEY_PREFIX,
      RATE_LIMIT_PER_MINUTE: '1000000',
      LOG_LEVEL: 'warn',
    },
  })
  const token = await connectByFetch(origin, product.ownerLink ?? '')
  const called = Math.min(sessions, CALLED_MAX)
  const { headers, body } = callOf('2025-11-25', 'list_notes', {})
  const requests: Deployment['requests'][number][] = []
  for (let n = 0; n < called; n++) {
    const session = await beginSession({ origin, token })
    requests.push({
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        'mcp-session-id': session.id,
      },
      body,
    })
  }
  const redisPid = await fill(redis, sessions - called)
  return { sessions, product, redis, redisPid, requests }
}

/** Puts copies of a session into the store, each with its record, its preferences and its place in a list. */
async function fill(redis: RedisServer, count: number): Promise<number> {
  const client = createClient({ url: redis.url })
  await client.connect()
  const key = (await client.keys(`${KEY_PREFIX}:ms:*`))[0] ?? ''
  const record = await client.get(key)
  if (!record) throw new Error('there is no record of a session')
  const preferences = JSON.stringify({ v: 1, level: 'info', subscriptions: ['note://a', 'note://b'] })
  for (let from = 0; from < count; from += 1000) {
    const batch = client.multi()
    for (let n = from; n < Math.min(from + 1000, count); n++) {
      const sid = randomBytes(16).toString('base64url')
      const list = `${KEY_PREFIX}:a:person${Math.floor(n / SESSIONS_A_PERSON)}:ms`
      batch.set(`${KEY_PREFIX}:ms:${sid}`, record, { PX: DAY_MS })
      batch.set(`${KEY_PREFIX}:mp:${sid}`, preferences, { PX: DAY_MS })
      batch.zAdd(list, { value: sid, score: n }).pExpire(list, DAY_MS)
    }
    await batch.execAsPipeline()
  }
  const pid = /process_id:(\d+)/.exec(await client.info('server'))?.[1]
  client.destroy()
  return Number(pid)
}

async function commandsOf(redis: RedisServer): Promise<number> {
  const client = createClient({ url: redis.url })
  await client.connect()
  const counted = /total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]
  client.destroy()
  return Number(counted)
}

async function measure(deployment: Deployment, seconds: number): Promise<Cost> {
  const { product, redis, redisPid, requests } = deployment
  const before = [cpuSeconds(product.pid), cpuSeconds(redisPid), await commandsOf(redis)] as const
  const result = await autocannon({
    url: `http://localhost:${product.port}/api/mcp`,
    method: 'POST',
    connections: CONNECTIONS,
    duration: seconds,
    requests: requests.map((request) => ({ method: 'POST', ...request })),
  })
  const after = [cpuSeconds(product.pid), cpuSeconds(redisPid), await commandsOf(redis)] as const
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were not 200, ${result.errors} errors`)
  }
  const calls = result['2xx']
  return {
    productCpuMs: ((after[0] - before[0]) * 1000) / calls,
    redisCpuUs: ((after[1] - before[1]) * 1_000_000) / calls,
    commands: (after[2] - before[2]) / calls,
    p50Ms: result.latency.p50,
  }
}

const fields = ['productCpuMs', 'redisCpuUs', 'commands', 'p50Ms'] as const
type Field = (typeof fields)[number]

await ensureBuilt()
const deployments: Deployment[] = []
for (const sessions of COUNTS) deployments.push(await deploy(sessions))
for (const deployment of deployments) await measure(deployment, WARM_UP_SECONDS)

const runs = deployments.map((): Cost[] => [])
for (let round = 0; round < ROUNDS; round++) {
  // Whoever is first in a round is another one each time.
  for (let turn = 0; turn < deployments.length; turn++) {
    const at = (turn + round) % deployments.length
    runs[at]?.push(await measure(deployments[at] as Deployment, SECONDS))
  }
}

const of = (at: number, field: Field) => median((runs[at] ?? []).map((run) => run[field]))
/** Within each round, because a noisy minute hits all of a round. */
const ratio = (at: number, field: Field) =>
  median((runs[at] ?? []).map((run, round) => run[field] / (runs[0]?.[round]?.[field] ?? Number.NaN)))

const digits: Record<Field, number> = {
  productCpuMs: 2,
  redisCpuUs: 0,
  commands: 1,
  p50Ms: 0,
}
const rows = COUNTS.flatMap((sessions, at) => [
  `| ${sessions.toLocaleString('en')} | ${fields.map((field) => of(at, field).toFixed(digits[field])).join(' | ')} |`,
  ...(at === 0
    ? []
    : [
        `| **ratio to ${COUNTS[0]}** | ${fields.map((field) => `**${ratio(at, field).toFixed(2)}**`).join(' | ')} |`,
      ]),
])
const table = [
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${ROUNDS} interleaved runs of ${SECONDS} s each, median`,
  '',
  '| Sessions in the store | CPU ms/call | Redis CPU µs/call | Redis commands/call | p50 ms |',
  '| --- | --- | --- | --- | --- |',
  ...rows,
].join('\n')
console.log(table)
publish('session-cost', table)
for (const { product, redis } of deployments) {
  await product.dispose()
  await redis.stop()
}
process.exit(0)
