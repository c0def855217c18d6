import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { createLocalStore } from '#lib/node/local-store'
import type { StoreRequest } from '#lib/store/connect'
import type { Store } from '#lib/store/port'
import { createTcpStore } from '#lib/store/redis/tcp'
import { createUpstashStore } from '#lib/store/redis/upstash'
import { startRedis } from '#test/support/redis-server'
import { startUpstashBridge, type UpstashBridge } from '#test/support/upstash-bridge'

export const PREFIX = 'contract'

/** Fifty requests at once on a busy machine may be slow; time-outs have their own tests. */
const PATIENT_MS = 15_000

/** What the contract suite needs of a backend. */
export interface Backend {
  /** Two instances of the product would hold one each; on the local store both are the same. */
  readonly stores: readonly [Store, Store]
  /** Requests seen by the first store's `observe`. */
  readonly observed: StoreRequest[]
  /** Lets time pass for the store. */
  passes(ms: number): Promise<void>
  /** How many commands the server says it ran for `work`, in scripts too; `undefined` without a server. */
  commandsOf(work: () => Promise<unknown>): Promise<number | undefined>
  stop(): Promise<void>
  /** The server behind it, where there is one. */
  readonly redisUrl?: string
  readonly bridge?: UpstashBridge
}

export async function localBackend(): Promise<Backend> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-store-'))
  const observed: StoreRequest[] = []
  let now = 1_795_000_000_000
  const store = await createLocalStore({
    directory,
    prefix: PREFIX,
    clock: () => now,
    observe: (request) => observed.push(request),
  })
  return {
    stores: [store, store],
    observed,
    passes: async (ms) => {
      now += ms
    },
    commandsOf: async (work) => {
      await work()
      return undefined
    },
    stop: async () => {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

export async function tcpBackend(): Promise<Backend> {
  const redis = await startRedis()
  const observed: StoreRequest[] = []
  const options = { url: redis.url, prefix: PREFIX, timeoutMs: PATIENT_MS }
  const stores = [
    createTcpStore({ ...options, observe: (request) => observed.push(request) }),
    createTcpStore(options),
  ] as const
  return {
    stores,
    observed,
    redisUrl: redis.url,
    passes: (ms) => pause(ms),
    commandsOf: (work) => countCommands(redis.url, work),
    stop: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await redis.stop()
    },
  }
}

export async function upstashBackend(): Promise<Backend> {
  const redis = await startRedis()
  const bridge = await startUpstashBridge({ redisUrl: redis.url })
  const observed: StoreRequest[] = []
  const options = { url: bridge.url, token: bridge.token, prefix: PREFIX, timeoutMs: PATIENT_MS }
  const stores = [
    createUpstashStore({ ...options, observe: (request) => observed.push(request) }),
    createUpstashStore(options),
  ] as const
  return {
    stores,
    observed,
    redisUrl: redis.url,
    bridge,
    passes: (ms) => pause(ms),
    commandsOf: (work) => countCommands(redis.url, work),
    stop: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await bridge.stop()
      await redis.stop()
    },
  }
}

/** Commands that a server ran meanwhile, those inside scripts included. */
async function countCommands(url: string, work: () => Promise<unknown>): Promise<number> {
  const client = createClient({ url, RESP: 2 })
  await client.connect()
  await client.sendCommand(['CONFIG', 'RESETSTAT'])
  await work()
  const stats = await client.sendCommand(['INFO', 'commandstats'])
  client.destroy()
  const calls = String(stats).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)
  return [...calls].reduce((sum, [, name, count]) => (isOurs(name) ? sum : sum + Number(count)), 0)
}

const isOurs = (name: string | undefined) => name?.startsWith('config') || name === 'info'

/** Asks a server directly, past the store. */
export async function askServer(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2 })
  await client.connect()
  const reply = await client.sendCommand(command)
  client.destroy()
  return reply
}
