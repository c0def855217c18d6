import { readFileSync } from 'node:fs'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { authorizationUrl, registerByFetch } from '#test/support/person-by-fetch'

const FLOOD = 10_000
const AT_ONCE = 50
/** Addresses that the flood comes from: more than half of it is within their limits. */
const CALLERS = 5000
/** Noise of V8 (measured: 21 MB at most); a kept request of 5 kB would be seen. */
const GROWTH_MAX_MB = 48

let pair: Pair
let origin: string
let app: { readonly clientId: string; readonly redirectUri: string }
beforeAll(async () => {
  // Behind a proxy, so that a caller's own limit does not answer for everything.
  pair = await startPair({ TRUST_PROXY: 'hops:1' })
  // One instance takes it all.
  origin = `http://127.0.0.1:${pair.instances[0]?.port}`
  app = await registerByFetch(origin, 'https://app.example/callback')
})
afterAll(() => pair.dispose())

/** Sends that many, a few at a time, and counts the answers by status. */
async function flood(count: number, send: (n: number) => Promise<Response>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  let next = 0
  async function sender() {
    while (next < count) {
      const response = await send(next++)
      await response.arrayBuffer()
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sender))
  return statuses
}

const from = (n: number) => ({ 'x-forwarded-for': `10.0.${(n % CALLERS) >> 8}.${(n % CALLERS) & 255}` })

const register = (n: number) =>
  fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...from(n) },
    body: JSON.stringify({
      client_name: `Flood ${n}`,
      redirect_uris: [`https://flood-${n}.example/callback`],
      token_endpoint_auth_method: 'none',
    }),
  })

const authorize = (n: number) => {
  const url = `${authorizationUrl(origin, { ...app, verifier: 'v'.repeat(43) })}&nonce=${n}`
  return fetch(url, { redirect: 'manual', headers: from(n) })
}

/** Resident memory of the instance, in MB. */
function memoryMb(): number {
  const status = readFileSync(`/proc/${pair.instances[0]?.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024
}

async function keysInStore(): Promise<number> {
  const redis = await createClient({ url: pair.redis.url }).connect()
  try {
    return await redis.dbSize()
  } finally {
    redis.destroy()
  }
}

describe(`${FLOOD} unauthenticated requests of each kind`, () => {
  it.each([
    { kind: 'registrations', send: register, good: 201 },
    { kind: 'authorization requests', send: authorize, good: 303 },
  ])('$kind: no key, no request to the store, flat memory, and an answer to each', async ({ send, good }) => {
    // A flood before: what is loaded, compiled and remembered once is there then.
    await flood(FLOOD / 2, send)
    const keysBefore = await keysInStore()
    const before = memoryMb()
    pair.bridge.counts.reset()

    const statuses = await flood(FLOOD, send)
    expect([...statuses.keys()].filter((status) => status !== good && status !== 429)).toEqual([])
    expect(statuses.get(good)).toBeGreaterThan(FLOOD / 2)
    expect(pair.bridge.counts.requests).toBe(0)
    expect(await keysInStore()).toBe(keysBefore)
    const after = memoryMb()
    expect(after - before).toBeLessThan(GROWTH_MAX_MB)
  })
})
