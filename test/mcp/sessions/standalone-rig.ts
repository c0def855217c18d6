import { systemRandom } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import { type ChangeBus, createBus } from '#lib/mcp/bus'
import { createWakes, type Wakes } from '#lib/mcp/live/wakes'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createStandalone, type Standalone, type StandaloneDeps } from '#lib/mcp/sessions/standalone'
import { createStreams, type Streams } from '#lib/mcp/streams'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import { type Reading, readStream } from '#test/mcp/session'
import { type Backend, localBackend, tcpBackend, upstashBackend } from '#test/store/backends'

const POLL_MS = 25

/** Where time stands still in the local store of the tests. */
const LOCAL_STORE_TIME = 1_795_000_000_000

/** One instance of the product, as far as GET streams go. */
export interface Instance {
  readonly store: Store
  readonly bus: ChangeBus
  readonly wakes: Wakes
  readonly streams: Streams
  readonly standalone: Standalone
  open(session: LiveSession, how?: Opening): Promise<Reading>
}

export interface Opening {
  readonly lastEventId?: string | undefined
  readonly stillAdmitted?: () => Promise<boolean>
  readonly secondsLeft?: number
}

export interface RigHow extends Partial<StandaloneDeps> {
  readonly maxSeconds?: number
  readonly perAccount?: number
  readonly perInstance?: number
}

/** Two instances that share a store and nothing else. */
export async function openRig(
  over: 'the local store' | 'Redis' | 'Upstash',
  wakeUps: boolean,
  how: RigHow = {},
) {
  const { maxSeconds = 60, perAccount = 16, perInstance = 1000, ...overrides } = how
  const backend: Backend = await {
    'the local store': localBackend,
    Redis: tcpBackend,
    Upstash: upstashBackend,
  }[over]()
  const written: Promise<unknown>[] = []
  const waitUntil = (work: Promise<unknown>) => void written.push(work)
  const clock = over === 'the local store' ? () => LOCAL_STORE_TIME : Date.now

  function instance(store: Store): Instance {
    const wakes = createWakes(wakeUps ? store : undefined, { clock })
    const bus = createBus({ store, wakes, clock, waitUntil, pollMs: wakeUps ? 600_000 : POLL_MS })
    const streams = createStreams({ maxSeconds, perAccount, perInstance })
    const deps = { store, wakes, bus, streams, random: systemRandom, waitUntil, mode: 'live' as const }
    const standalone = createStandalone({ ...deps, ...overrides })
    return {
      store,
      bus,
      wakes,
      streams,
      standalone,
      open: async (session, { lastEventId, ...admitted } = {}) =>
        readStream(await standalone.open(session, { lastEventId, admitted: admission(admitted) })),
    }
  }

  const [first, second] = backend.stores
  const [a, b] = [instance(first), instance(second)]
  return {
    a,
    b,
    backend,
    session: (how: Partial<LiveSession> = {}) => someSession({ issuedAt: clock(), ...how }),
    /** Resolves when what was published so far is written. */
    written: async () => void (await Promise.all(written)),
    async close() {
      for (const { streams } of [a, b]) streams.endAll()
      await Promise.all([a.standalone.drain(), b.standalone.drain(), ...written])
      await backend.stop()
    },
  }
}

export type Rig = Awaited<ReturnType<typeof openRig>>

let serial = 0

function someSession(how: Partial<LiveSession> = {}): LiveSession {
  serial++
  return {
    sid: `session${String(serial).padStart(15, '0')}`,
    accountId: `account${serial}`,
    clientKey: 'app',
    revision: '2025-11-25',
    client: { name: 'test', version: '1' },
    capabilities: {},
    issuedAt: 0,
    level: undefined,
    subscriptions: new Set(),
    ...how,
  }
}

/** What `resources/subscribe` writes. */
export function subscribe(
  { bus, store }: Instance,
  { sid, accountId }: LiveSession,
  uris: readonly string[],
) {
  const preferences = JSON.stringify({ v: 1, subscriptions: uris })
  return store.batch(
    set(keys.mcpPreferences(sid), preferences, { ttlMs: 60_000 }),
    bus.note(accountId, sid, 'preferences'),
  )
}

export function admission({ stillAdmitted = async () => true, secondsLeft = 3600 }: Opening): Admitted {
  return {
    request: new Request('http://localhost/api/mcp'),
    body: undefined,
    caller: { accountId: '', client: { key: 'app', name: 'app', verified: false }, scopes: [] },
    requestId: 'request',
    authority: '',
    secondsLeft,
    insufficientScope: () => new Response(),
    publish: () => undefined,
    since: 0,
    stillAdmitted,
    afterResponse: () => undefined,
  }
}
