import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64url } from '#lib/core/base64url'
import type { Random } from '#lib/core/random'
import { createLocalStore } from '#lib/node/local-store'
import type { WritingClient } from '#lib/notebook/note'
import { type Notebook, notebookOf } from '#lib/notebook/notebook'
import type { Operation, Store } from '#lib/store/port'
import { createTcpStore } from '#lib/store/redis/tcp'
import { startRedis } from '#test/support/redis-server'

export const ACCOUNT = 'account-1'
export const claude: WritingClient = { key: 'dcr:claude', name: 'Claude', verified: false }
export const cursor: WritingClient = { key: 'https://cursor.example/id', name: 'Cursor', verified: true }

/** One instance of the product: its own memory over the shared store. */
export interface Instance {
  readonly notebook: Notebook
  /** The requests it sent, each by the kinds of its operations. */
  readonly requests: string[][]
  /** Runs before each batch is sent; may change or refuse it. */
  intercept:
    | ((operations: readonly Operation[]) => readonly Operation[] | Promise<readonly Operation[]>)
    | undefined
  /** Runs after each batch was answered; may lose the reply by throwing. */
  answered: ((operations: readonly Operation[]) => void | Promise<void>) | undefined
  readonly store: Store
}

export interface Shared {
  /** Moves the clock of every instance, and of the local store. */
  passes(ms: number): void
  now(): number
  instance(accountId?: string): Instance
  readonly store: Store
  stop(): Promise<void>
}

export const backends = [
  { name: 'the local store', open: openLocal },
  { name: 'Redis over TCP', open: openTcp },
]

/** Random numbers that are the same in every run. */
export function seeded(seed = 1): Random {
  let state = seed
  return (bytes) =>
    toBase64url(
      Uint8Array.from({ length: bytes }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state >>> 24
      }),
    )
}

async function openLocal(): Promise<Shared> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-notes-'))
  let ahead = 0
  const clock = () => Date.now() + ahead
  const store = await createLocalStore({ directory, prefix: 'test', clock })
  return shared(store, {
    clock,
    passes: (ms) => {
      ahead += ms
    },
    stop: async () => {
      await store.close()
      await rm(directory, { recursive: true })
    },
  })
}

async function openTcp(): Promise<Shared> {
  const redis = await startRedis()
  const store = await createTcpStore({ url: redis.url, prefix: 'test' })
  let ahead = 0
  return shared(store, {
    clock: () => Date.now() + ahead,
    passes: (ms) => {
      ahead += ms
    },
    stop: async () => {
      await store.close()
      await redis.stop()
    },
  })
}

function shared(
  store: Store,
  { clock, passes, stop }: { clock: () => number; passes(ms: number): void; stop(): Promise<void> },
): Shared {
  const random = seeded()
  return {
    store,
    passes,
    stop,
    now: clock,
    instance(accountId = ACCOUNT) {
      const requests: string[][] = []
      const watched: Store = {
        ...store,
        run: async (operation) => (await send([operation]))[0] as never,
        batch: async (...operations) => (await send(operations)) as never,
      }
      const instance: Instance = {
        requests,
        store: watched,
        intercept: undefined,
        answered: undefined,
        notebook: notebookOf({ store: watched, clock, random }, accountId),
      }
      async function send(operations: readonly Operation[]) {
        requests.push(operations.map(({ kind }) => kind))
        const sent = (await instance.intercept?.(operations)) ?? operations
        const answers = await store.batch(...sent)
        await instance.answered?.(operations)
        return answers
      }
      return instance
    },
  }
}
