import { setTimeout as pause } from 'node:timers/promises'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { RETRY_SOON_MS, RETRY_SUPERSEDED_MS, STREAM_RECHECK_MS } from '#lib/config/limits'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { append, del, get, set } from '#lib/store/operations'
import { type Reading, readStream } from '#test/mcp/session'
import { admission, type Instance, openRig, type Rig, subscribe } from '#test/mcp/sessions/standalone-rig'
import { askServer } from '#test/store/backends'

const note = (n: number): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: n },
})
const numbers = ({ messages }: Reading) => messages.map((message) => message.params?.['data'] as number)
const methods = ({ messages }: Reading) => messages.map(({ method }) => method)
const uris = ({ messages }: Reading) => messages.map(({ params }) => params?.['uri'] as string)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

afterEach(() => {
  vi.useRealTimers()
})

const setups = [
  { over: 'the local store', hears: 'with wake-ups', wakeUps: true },
  { over: 'the local store', hears: 'by polling only', wakeUps: false },
  { over: 'Redis', hears: 'with wake-ups', wakeUps: true },
  { over: 'Redis', hears: 'by polling only', wakeUps: false },
  { over: 'Upstash', hears: 'with wake-ups', wakeUps: true },
  { over: 'Upstash', hears: 'by polling only', wakeUps: false },
] as const

describe.each(setups)('the GET stream of a session on $over $hears', ({ over, wakeUps }) => {
  let rig: Rig
  let a: Instance
  let b: Instance
  beforeAll(async () => {
    rig = await openRig(over, wakeUps)
    ;({ a, b } = rig)
  })
  afterAll(() => rig.close())

  async function say(from: Instance, { accountId, sid }: LiveSession, ...these: number[]) {
    for (const n of these) {
      from.bus.send(accountId, sid, note(n))
      await rig.written()
    }
  }

  it('begins with its place, and says what was said since the session began, then what is said', async () => {
    const session = rig.session()
    await say(a, session, 0, 1)
    const stream = await b.open(session)
    await say(a, session, 2)
    await expect.poll(() => numbers(stream)).toEqual([0, 1, 2])
    const [first, ...rest] = stream.frames
    expect(first).toEqual({ id: `g_${session.issuedAt - 2000}-0`, retry: 1500 })
    expect(rest.every(({ id }) => /^g_\d+-\d+$/.test(id ?? ''))).toBe(true)
    expect(new Set(rest.map(({ id }) => id)).size).toBe(3)
  })

  it('says nothing that is for other sessions, other accounts, or was not subscribed to', async () => {
    const session = rig.session({ subscriptions: new Set(['thing://a']) })
    const sibling = rig.session({ accountId: session.accountId })
    const stranger = rig.session({ subscriptions: session.subscriptions })
    const streams = await Promise.all([session, sibling, stranger].map((one) => b.open(one)))
    const [own, other, foreign] = streams as [Reading, Reading, Reading]
    for (const uri of ['thing://b', 'thing://a', 'thing://A', 'thing://a/']) {
      a.bus.publish(session.accountId, { kind: 'resource_updated', uri })
    }
    await say(a, sibling, 7)
    a.bus.publish(session.accountId, { kind: 'resources_list_changed' })
    a.bus.publish(session.accountId, { kind: 'tools_list_changed' })
    a.bus.publish(session.accountId, { kind: 'prompts_list_changed' })
    await expect.poll(() => [own.messages.length, other.messages.length]).toEqual([4, 4])
    expect(methods(own).sort()).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/resources/updated',
      'notifications/tools/list_changed',
    ])
    expect(uris(own).filter((uri) => uri)).toEqual(['thing://a'])
    expect(numbers(other)).toContain(7)
    await pause(60)
    expect(foreign.messages).toEqual([])
  })

  it('follows what is subscribed to and no longer, wherever that is asked', async () => {
    const session = rig.session()
    const stream = await b.open(session)
    const change = async (uri: string) => {
      a.bus.publish(session.accountId, { kind: 'resource_updated', uri })
      await rig.written()
    }
    await change('thing://1')
    await subscribe(a, session, ['thing://2'])
    await change('thing://2')
    await expect.poll(() => uris(stream)).toEqual(['thing://2'])
    await subscribe(b, session, [])
    await change('thing://2')
    await subscribe(a, session, ['thing://3'])
    await change('thing://3')
    await expect.poll(() => uris(stream)).toEqual(['thing://2', 'thing://3'])
  })

  it('is given to the newest connection: each message goes out on one, and the old one ends for long', async () => {
    const session = rig.session()
    const streams: Reading[] = []
    for (let n = 0; n < 6; n++) {
      streams.push(await (n % 2 ? a : b).open(session))
      await say(n % 3 ? a : b, session, n)
      await expect.poll(() => streams.flatMap(numbers)).toEqual(upTo(n + 1))
    }
    const same = [await a.open(session), await a.open(session)] as const
    await say(b, session, 6)
    await expect.poll(() => numbers(same[1])).toEqual([6])
    expect(streams.map(numbers)).toEqual(upTo(6).map((n) => [n]))
    expect(numbers(same[0])).toEqual([])
    for (const old of [...streams, same[0]]) {
      expect(await old.ended).toBe(true)
      expect(old.frames.at(-1)).toMatchObject({ retry: RETRY_SUPERSEDED_MS })
    }
    expect(await Promise.race([same[1].ended, 'open'])).toBe('open')
  })

  it('is given to one of two that come at once', async () => {
    const session = rig.session()
    const streams = await Promise.all([a, b, a, b].map((instance) => instance.open(session)))
    const still = async () =>
      (await Promise.all(streams.map(({ ended }) => Promise.race([ended, pause(1, 'open')])))).filter(
        (one) => one === 'open',
      ).length
    await say(a, session, 0, 1, 2)
    await expect.poll(still).toBe(1)
    await expect.poll(() => streams.flatMap(numbers).sort()).toEqual([0, 1, 2])
    await say(b, session, 3)
    await expect.poll(() => streams.flatMap(numbers).sort()).toEqual([0, 1, 2, 3])
  })

  it('goes on from the place that the client names, on another instance', async () => {
    const session = rig.session()
    const first = await a.open(session)
    await say(b, session, 0, 1, 2)
    await expect.poll(() => numbers(first)).toEqual([0, 1, 2])
    const place = first.frames.at(-2)?.id
    await first.leave()
    await say(b, session, 3)
    const second = await b.open(session, { lastEventId: place })
    await expect.poll(() => numbers(second)).toEqual([2, 3])
    expect(second.frames[0]).toMatchObject({ id: place })
  })

  it.each([
    { lastEventId: 'g_' },
    { lastEventId: 'g_1-0-0' },
    { lastEventId: 'x_1-0' },
    { lastEventId: '1-0' },
  ])('takes $lastEventId for no place', async ({ lastEventId }) => {
    const session = rig.session()
    await say(a, session, 0)
    const stream = await b.open(session, { lastEventId })
    await expect.poll(() => numbers(stream)).toEqual([0])
  })

  it('tells a client whose place is forgotten to look at everything, before all else', async () => {
    const session = rig.session({ subscriptions: new Set(['thing://a']) })
    const log = keys.changes(session.accountId)
    const entries = upTo(150).map((n) =>
      append(log, JSON.stringify({ s: session.sid, m: note(n) }), {
        id: `1795000000000-${n + 1}`,
        keep: 120,
        ttlMs: 60_000,
      }),
    )
    await rig.backend.stores[0].batch(...entries)
    const stream = await b.open(session, { lastEventId: 'g_1795000000000-3' })
    await expect.poll(() => stream.messages.length).toBe(124)
    expect(methods(stream).slice(0, 4)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
      'notifications/resources/updated',
    ])
    expect(numbers(stream).slice(4)).toEqual(upTo(150).slice(30))
  })

  it('primes no client that would parse it, and gives it ids all the same', async () => {
    const session = rig.session({ revision: '2025-06-18' })
    const stream = await a.open(session)
    await say(b, session, 0)
    await expect.poll(() => numbers(stream)).toEqual([0])
    a.streams.endAll()
    await stream.ended
    expect(stream.frames).toEqual([
      { retry: 1500 },
      { id: expect.stringMatching(/^g_/), message: note(0) },
      { retry: RETRY_SOON_MS },
    ])
  })

  it('ends when its session does', async () => {
    const session = rig.session()
    const stream = await a.open(session)
    await b.store.batch(
      set(keys.mcpEnded(session.sid), '1', { ttlMs: 60_000 }),
      del(keys.mcpHolder(session.sid)),
      ...(b.wakes.channel
        ? b.wakes.hint(keys.mcpEnded(session.sid), '1-0')
        : [b.bus.note(session.accountId, session.sid, 'ended')]),
    )
    expect(await stream.ended).toBe(true)
    expect(stream.frames.every(({ retry }) => retry === undefined || retry === 1500)).toBe(true)
    expect(await b.store.run(get(keys.mcpHolder(session.sid)))).toBeNull()
  })

  it('goes on when the store lost the record of who holds it', async () => {
    const session = rig.session()
    const stream = await a.open(session)
    await b.store.run(del(keys.mcpHolder(session.sid)))
    await say(b, session, 0)
    await expect.poll(() => numbers(stream)).toEqual([0])
  })

  it('says a burst of large messages to a slow reader whole and in order', async () => {
    const session = rig.session()
    const large = 'x'.repeat(64 * 1024)
    for (const n of upTo(40)) {
      a.bus.send(session.accountId, session.sid, {
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { data: n, large },
      })
    }
    await rig.written()
    const response = await b.standalone.open(session, {
      lastEventId: undefined,
      admitted: admission({}),
    })
    await pause(200)
    const stream = readStream(response)
    await expect.poll(() => stream.messages.length, { timeout: 5000 }).toBe(40)
    expect(new Set(numbers(stream)).size).toBe(40)
  })

  it('leaves nothing open, and no key without a lifetime', async () => {
    rig.a.streams.endAll()
    rig.b.streams.endAll()
    await Promise.all([a.standalone.drain(), b.standalone.drain()])
    expect([a.standalone.openStreams, b.standalone.openStreams, a.streams.open, b.streams.open]).toEqual([
      0, 0, 0, 0,
    ])
    const { redisUrl } = rig.backend
    if (!redisUrl) return
    const all = (await askServer(redisUrl, ['KEYS', '*'])) as string[]
    expect(all.length).toBeGreaterThan(10)
    const lives = await Promise.all(all.map((key) => askServer(redisUrl, ['PTTL', key])))
    expect(all.filter((_, index) => Number(lives[index]) <= 0)).toEqual([])
  })
})

describe.each([{ wakeUps: true }, { wakeUps: false }])('wake-ups: $wakeUps', ({ wakeUps }) => {
  it('100 notifications during 5 s of polite ends every 0.9 s arrive exactly once and in order', async () => {
    const rig = await openRig('Redis', wakeUps, { maxSeconds: 0.9 })
    const session = rig.session()
    const got: number[] = []
    let streams = 0
    let over = false
    async function listen() {
      let lastEventId: string | undefined
      while (!over) {
        const stream = await (streams++ % 2 ? rig.a : rig.b).open(session, { lastEventId })
        await stream.ended
        got.push(...numbers(stream))
        lastEventId = stream.lastEventId
        await pause(stream.frames.at(-1)?.retry ?? 0)
      }
    }
    const listening = listen()
    for (const n of upTo(100)) {
      ;(n % 2 ? rig.a : rig.b).bus.send(session.accountId, session.sid, note(n))
      await Promise.all([pause(50), rig.written()])
    }
    await pause(1500)
    over = true
    rig.a.streams.endAll()
    rig.b.streams.endAll()
    await listening
    expect(got).toEqual(upTo(100))
    expect(streams).toBeGreaterThan(4)
    await rig.close()
  })
})

describe('what a stream costs', () => {
  it('is no request for a message, one for the sender, and the rest is in the opening', async () => {
    const rig = await openRig('Redis', true)
    const session = rig.session({ subscriptions: new Set(['thing://a']) })
    const counted = rig.backend.observed
    const stream = await rig.a.open(session)
    await expect.poll(() => counted.length).toBe(3)
    expect(counted.map(({ kinds }) => kinds)).toEqual([
      ['get'],
      ['set', 'get', 'publish'],
      ['read', 'read', 'read'],
    ])
    counted.length = 0
    for (const n of upTo(10)) rig.b.bus.send(session.accountId, session.sid, note(n))
    rig.b.bus.publish(session.accountId, { kind: 'resource_updated', uri: 'thing://a' })
    await expect.poll(() => stream.messages.length).toBe(11)
    expect(counted).toEqual([])
    rig.a.bus.publish(session.accountId, { kind: 'resource_updated', uri: 'thing://a' })
    await expect.poll(() => stream.messages.length).toBe(12)
    expect(counted.map(({ kinds }) => kinds)).toEqual([['append']])
    await rig.close()
  })
})

describe('the end of a stream', () => {
  it('comes with its token, with the stop of the process, and with its connection', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const rig = await openRig('the local store', true)
    let admitted = true
    const token = await rig.a.open(rig.session(), { secondsLeft: 0.05 })
    const refused = await rig.a.open(rig.session(), { stillAdmitted: async () => admitted })
    const stopped = await rig.a.open(rig.session())
    expect(await token.ended).toBe(true)
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    admitted = false
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    expect(await refused.ended).toBe(true)
    rig.a.streams.endAll()
    expect(await stopped.ended).toBe(true)
    for (const stream of [token, refused, stopped]) expect(stream.frames.at(-1)?.retry).toBe(RETRY_SOON_MS)
    await rig.close()
  })

  it('of many at once is noted in one request', async () => {
    const rig = await openRig('Redis', true, { perAccount: 50 })
    const sessions = upTo(20).map(() => rig.session())
    for (const session of sessions) await rig.a.open(session)
    await pause(50)
    rig.backend.observed.length = 0
    rig.a.streams.endAll()
    await rig.a.standalone.drain()
    expect(rig.backend.observed.map(({ kinds }) => kinds.length)).toEqual([20])
    const left = await rig.b.store.run(get(keys.mcpHolder(sessions[0]?.sid ?? '')))
    expect(JSON.parse(left ?? '')).toMatchObject({ v: 1, conn: '' })
    await rig.close()
  })

  it('comes for the oldest of an account that opens too many; a full instance sends clients away', async () => {
    const rig = await openRig('the local store', true, { perAccount: 2, perInstance: 3 })
    const account = 'busy'
    const streams: Reading[] = []
    for (const _ of upTo(3)) streams.push(await rig.a.open(rig.session({ accountId: account })))
    const [oldest, ...others] = streams
    expect(await oldest?.ended).toBe(true)
    expect(oldest?.frames.at(-1)?.retry).toBe(RETRY_SUPERSEDED_MS)
    for (const stream of others) expect(await Promise.race([stream.ended, 'open'])).toBe('open')
    await rig.a.open(rig.session())
    const refused = await rig.a.standalone.open(rig.session(), {
      admitted: admission({}),
      lastEventId: undefined,
    })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    await rig.close()
  })

  it('is noticed without any word when another instance took over', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const rig = await openRig('the local store', false)
    const session = rig.session()
    const stream = await rig.a.open(session)
    const holder = JSON.stringify({ v: 1, conn: 'somebody', cursor: '0-0', naps: 0 })
    await rig.b.store.run(set(keys.mcpHolder(session.sid), holder, { ttlMs: 60_000 }))
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    expect(await stream.ended).toBe(true)
    expect(stream.frames.at(-1)?.retry).toBe(RETRY_SUPERSEDED_MS)
    await rig.close()
  })
})

describe('naps', () => {
  const nap = { stayMs: 40, retryMinMs: 1000, retryMaxMs: 5000 }

  it('grow while nothing happens, end with news, and lose nothing', async () => {
    const rig = await openRig('Redis', true, { mode: 'nap', nap })
    const session = rig.session()
    const retries: (number | undefined)[] = []
    const got: number[] = []
    let lastEventId: string | undefined
    for (const round of upTo(7)) {
      if (round === 4) {
        rig.b.bus.send(session.accountId, session.sid, note(0))
        await rig.written()
      }
      const stream = await (round % 2 ? rig.a : rig.b).open(session, { lastEventId })
      await stream.ended
      got.push(...numbers(stream))
      lastEventId = stream.lastEventId
      retries.push(stream.frames.at(-1)?.retry)
      await Promise.all([rig.a.standalone.drain(), rig.b.standalone.drain()])
    }
    expect(retries).toEqual([2000, 4000, 5000, 5000, 1000, 2000, 4000])
    expect(got).toEqual([0])
    await rig.close()
  })

  it('do not begin while calls of the session run', async () => {
    let busy = true
    const rig = await openRig('the local store', true, { mode: 'nap', nap, busy: () => busy })
    const stream = await rig.a.open(rig.session())
    expect(await Promise.race([stream.ended, pause(200, 'open')])).toBe('open')
    busy = false
    expect(await stream.ended).toBe(true)
    await rig.close()
  })
})
