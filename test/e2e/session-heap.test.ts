import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root } from '#test/support/build'
import { type RedisServer, startRedis } from '#test/support/redis-server'

const GROWN_MAX_BYTES = 5 * 1024 * 1024
const COUNTS = [1000, 10_000]

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

it('grows by at most 5 MB of heap between session 1,000 and session 10,000', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', 'test/support/heap-of-sessions.ts', ...COUNTS.map(String)],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_ENV: 'production',
        PUBLIC_URL: 'http://localhost:3000',
        AUTH_SECRET: randomBytes(32).toString('base64url'),
        REDIS_URL: redis.url,
        RATE_LIMIT_PER_MINUTE: '1000000',
        LOG_LEVEL: 'warn',
        GATEHOUSE_CONFORMANCE: '1',
      },
    },
  )
  const measured = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"sessions"'))
    .map((line) => JSON.parse(line) as { readonly heapUsed: number })
  expect(measured).toHaveLength(COUNTS.length)
  const [first, last] = measured
  const grown = (last?.heapUsed ?? Number.NaN) - (first?.heapUsed ?? 0)
  console.log(`${(grown / 1024 / 1024).toFixed(2)} MB grown, of ${first?.heapUsed} bytes`)
  expect(grown).toBeLessThanOrEqual(GROWN_MAX_BYTES)

  // They were sessions of this store, each with its record.
  const client = createClient({ url: redis.url })
  await client.connect()
  expect(await client.dbSize()).toBeGreaterThan(COUNTS.at(-1) ?? 0)
  client.destroy()
})
