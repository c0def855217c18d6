import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#lib/core/clock'
import { createKeyRing } from '#lib/core/key-ring'
import { ok } from '#lib/core/result'
import type { McpEndpointDeps } from '#lib/mcp/endpoint'
import { createSessionIds } from '#lib/mcp/sessions/session-id'
import { createLocalStore } from '#lib/node/local-store'
import type { Store } from '#lib/store/port'
import { type InProcess, inProcess, type TestClaims } from '#test/mcp/in-process'
import { type Step, sessionFactory } from '#test/mcp/session-offer'
import { tcpBackend } from '#test/store/backends'
import { liveParts } from '#test/support/live-parts'

/** Two instances that share a store and nothing else. */
export interface Pair {
  readonly a: InProcess
  readonly b: InProcess
  readonly store: Store
  /** What the slow tools of both did. */
  readonly steps: readonly Step[]
  /** The name in the store of one of alice's sessions. */
  sidOf(sessionId: string): Promise<string>
  /** Lets time pass for both instances, and for a store that lives in this process. */
  passes(ms: number): void
  close(): Promise<void>
}

export interface PairHow {
  readonly over?: 'the local store' | 'Redis'
  readonly wakeUps?: boolean
  readonly readopt?: boolean
  /** 0 switches streams off. */
  readonly streamMaxSeconds?: number
}

/** Starts two instances of the endpoint with the fixture. A token is `<account>[@app][/scope,scope]`. */
export async function openPair({
  over = 'the local store',
  wakeUps = true,
  ...how
}: PairHow = {}): Promise<Pair> {
  const keyRing = createKeyRing(['a secret of the pair, long enough to be one'], 'test')
  // Time passes by itself and can be moved.
  let ahead = 0
  const clock = () => Date.now() + ahead
  const { factory, steps } = sessionFactory(clock)
  const backend = await (over === 'Redis' ? tcpBackend() : localStore(clock))

  function instance(store: Store): InProcess {
    const live = liveParts(store, { wakeUps })
    const deps: Partial<McpEndpointDeps<TestClaims & { readonly app: string }>> = {
      ...live,
      keyRing,
      clock,
      readBearer: async (request) => {
        const [, token = ''] = (request.headers.get('authorization') ?? '').split(' ')
        const [, accountId = '', app = 'test-client', scopes] =
          /^([^@/]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(token) ?? []
        return ok({
          accountId,
          app,
          scopes: (scopes ?? 'notes:read,notes:write').split(','),
          expiresAt: Math.floor(clock() / 1000) + 3600,
        })
      },
      admit: async ({ accountId, app, scopes }, _calls, also) => {
        const client = { key: app, name: app, verified: false }
        return ok({ caller: { accountId, scopes, client }, answers: await store.batch(...also) })
      },
      ...how,
    }
    // The endpoint hands back the claims that it was given.
    return inProcess({ ...(deps as Partial<McpEndpointDeps<TestClaims>>), factory })
  }
  const [first, second] = backend.stores
  const [a, b] = [instance(first), instance(second)]
  const ids = createSessionIds(keyRing, clock)
  return {
    a,
    b,
    store: first,
    steps,
    async sidOf(sessionId) {
      const opened = await ids.open(sessionId, 'alice')
      if (!opened) throw new Error('not a session of alice')
      return opened.sid
    },
    passes(ms) {
      ahead += ms
    },
    async close() {
      await Promise.all([a.drain(), b.drain()])
      await backend.stop()
    },
  }
}

async function localStore(clock: Clock) {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-pair-'))
  const store = await createLocalStore({ directory, prefix: 'test', clock })
  return {
    stores: [store, store] as const,
    async stop() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}
