import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { connectClient, SESSION_KINDS, type SessionClient } from '#test/support/session-clients'
import { judgeIds } from '#test/support/session-verdict'
import { signedIn } from '#test/support/signed-in'

/** 5 s of streams that are ended politely every 0.9 s. */
const COUNT = 100
const EVERY_MS = 50
const STREAM_MAX_SECONDS = 0.9
const URIS = 10
/** More than the library waits before it comes back, and than a slow poll takes. */
const ARRIVED_MS = 6000
/** Something that comes twice comes soon. */
const DOUBLED_MS = 1000

const setups: readonly { wakeUps: string; env: Record<string, string> }[] = [
  { wakeUps: 'on', env: {} },
  { wakeUps: 'off', env: { GATEHOUSE_POLL_ONLY: '1' } },
]

describe.each(setups)('100 notifications during 5 s of polite ends, wake-ups $wakeUps', ({ env }) => {
  let pair: Pair
  let clients: SessionClient[]
  beforeAll(async () => {
    pair = await startPair({
      GATEHOUSE_CONFORMANCE: '1',
      STREAM_MAX_SECONDS: String(STREAM_MAX_SECONDS),
      ...env,
    })
    const { token } = await signedIn(pair)
    clients = await Promise.all(SESSION_KINDS.map((kind) => connectClient(kind, pair.origin, { token })))
    for (const client of clients) for (let n = 0; n < URIS; n++) await client.subscribe(`test://tick/${n}`)
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
    await pair.dispose()
  })

  it('arrive exactly once and in order: messages of a session, and changes of resources', async () => {
    const opened = clients.map(streamsOpened)
    // Each call runs on an instance of its own; its stream is ended and taken up again meanwhile, too.
    const [writer] = clients
    const input = { from: 1, count: COUNT, everyMs: EVERY_MS }
    await Promise.all([
      ...clients.map((client) => client.call('gatehouse_notify', { ...input, mark: 'message' })),
      writer?.call('gatehouse_notify', { ...input, mark: 'change', uris: URIS }),
    ])
    const deadline = Date.now() + ARRIVED_MS
    while (clients.some(isWaiting) && Date.now() < deadline) await pause(20)
    await pause(DOUBLED_MS)

    const all = Array.from({ length: COUNT }, (_, index) => index + 1)
    for (const [index, client] of clients.entries()) {
      expect(client.heard.map((data) => (data as { n: number }).n)).toEqual(all)
      expect(client.updated).toEqual(all.map((n) => `test://tick/${n % URIS}`))
      const faults: string[] = []
      judgeIds(client, faults)
      expect(faults).toEqual([])
      // The streams did end, again and again.
      expect(streamsOpened(client) - (opened[index] ?? 0)).toBeGreaterThanOrEqual(4)
    }
  })
})

const streamsOpened = ({ tap }: SessionClient): number =>
  tap.exchanges.filter(({ method, stream }) => method === 'GET' && stream).length

const isWaiting = ({ heard, updated }: SessionClient): boolean =>
  heard.length < COUNT || updated.length < COUNT
