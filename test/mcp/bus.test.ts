import { setTimeout as pause } from 'node:timers/promises'
import type { ServerEvent } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHANGES_KEEP, CHANGES_MS } from '#lib/config/limits'
import { type BusEntry, type ChangeBus, createBus } from '#lib/mcp/bus'
import { createWakes } from '#lib/mcp/live/wakes'
import { FIRST_ENTRY } from '#lib/store/entry-id'
import { keys } from '#lib/store/keys'
import { append, del, read } from '#lib/store/operations'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'
import { modern } from '#test/mcp/post'
import { type Backend, localBackend, tcpBackend, upstashBackend } from '#test/store/backends'

const clock = () => Date.now()
const updated = (uri: string): ServerEvent => ({ kind: 'resource_updated', uri })

const backends = [
  { backend: 'the local store', start: localBackend },
  { backend: 'Redis over TCP', start: tcpBackend },
  { backend: 'Upstash over the bridge', start: upstashBackend },
]

describe.each(
  backends.flatMap((one) => [
    { ...one, hears: 'with wake-ups', polls: false },
    { ...one, hears: 'by polling only', polls: true },
  ]),
)('the bus on $backend $hears', ({ start, polls }) => {
  let backend: Backend
  let here: ChangeBus
  let there: ChangeBus
  let serial = 0
  let account = ''
  const handed: Promise<unknown>[] = []
  const stops: AbortController[] = []

  beforeAll(async () => {
    backend = await start()
    ;[here, there] = backend.stores.map((store) =>
      createBus({
        store,
        wakes: createWakes(polls ? undefined : store, { clock }),
        clock,
        waitUntil: (work) => handed.push(work),
        pollMs: polls ? 20 : 600_000,
      }),
    ) as [ChangeBus, ChangeBus]
  })
  beforeEach(() => {
    account = `account${++serial}`
    backend.observed.length = 0
  })
  afterAll(async () => {
    for (const stop of stops) stop.abort()
    await backend.stop()
  })

  async function listening(bus: ChangeBus, whose = account) {
    const heard: ServerEvent[] = []
    await bus.ready(whose)
    const stop = bus.scoped(whose).subscribe((event) => heard.push(event))
    return { heard, stop }
  }

  function following(bus: ChangeBus, after: string, how: { slow?: boolean } = {}) {
    const stop = new AbortController()
    stops.push(stop)
    const heard: BusEntry[] = []
    let lost = 0
    bus.follow(
      account,
      {
        after,
        onEntries: (entries) => {
          heard.push(...entries)
          return how.slow ? pause(5) : undefined
        },
        onLost: () => lost++,
      },
      stop.signal,
    )
    const uris = () => heard.map(({ event }) => (event?.kind === 'resource_updated' ? event.uri : '-'))
    return { heard, uris, stop, lost: () => lost }
  }

  it('tells listeners of every instance, each once and in order, and those of other accounts never', async () => {
    const [one, two] = [await listening(here), await listening(there)]
    const stranger = await listening(here, `${account}:other`)
    for (const uri of ['a', 'b', 'c']) {
      there.publish(account, updated(uri))
      await handed.at(-1)
    }
    here.publish(account, { kind: 'resources_list_changed' })
    await expect.poll(() => [one.heard.length, two.heard.length]).toEqual([4, 4])
    const all = [updated('a'), updated('b'), updated('c'), { kind: 'resources_list_changed' }]
    expect([one.heard, two.heard, stranger.heard]).toEqual([all, all, []])
    one.stop()
    there.publish(account, updated('d'))
    await expect.poll(() => two.heard.length).toBe(5)
    expect(one.heard).toHaveLength(4)
    two.stop()
  })

  it('lets a reader begin anywhere, and several of one account at different places', async () => {
    for (const uri of ['a', 'b', 'c']) here.publish(account, updated(uri))
    await Promise.all(handed)
    const [first] = await backend.stores[0].run(read(keys.changes(account), { limit: 1 }))
    const all = following(here, FIRST_ENTRY)
    const rest = following(here, first?.id ?? '')
    const elsewhere = following(there, first?.id ?? '')
    await expect.poll(() => [all, rest, elsewhere].map(({ uris }) => uris().length)).toEqual([3, 2, 2])
    here.publish(account, updated('d'))
    there.publish(account, updated('e'))
    await expect.poll(() => [all, rest, elsewhere].map(({ uris }) => uris().length)).toEqual([5, 4, 4])
    expect(new Set(all.uris())).toEqual(new Set(['a', 'b', 'c', 'd', 'e']))
    expect([rest.heard, elsewhere.heard]).toEqual([all.heard.slice(1), all.heard.slice(1)])
    expect([all.lost(), rest.lost(), elsewhere.lost()]).toEqual([0, 0, 0])
    const late = following(here, all.heard.at(-1)?.id ?? '')
    here.publish(account, updated('f'))
    await expect.poll(late.uris).toEqual(['f'])
  })

  it('keeps nothing for a reader that is busy: it gets the rest from the log', async () => {
    const slow = following(here, FIRST_ENTRY, { slow: true })
    const quick = following(here, FIRST_ENTRY)
    for (let at = 0; at < 250; at++) (at % 2 ? here : there).publish(account, updated(`${at}`))
    const both = () => [slow.uris().length, quick.uris().length]
    await expect.poll(both, { timeout: 5000 }).toEqual([250, 250])
    expect(slow.uris()).toEqual(quick.uris())
    expect(new Set(slow.uris()).size).toBe(250)
  })

  it('carries messages for one session, and passes over what a later release wrote', async () => {
    const message = { jsonrpc: '2.0' as const, method: 'notifications/message', params: { data: 'x' } }
    const reader = following(there, FIRST_ENTRY)
    here.send(account, 'sid', message)
    await handed.at(-1)
    await backend.stores[1].run(append(keys.changes(account), '{"z":1}', { keep: 9 }))
    here.publish(account, updated('a'))
    await expect.poll(() => reader.heard.length).toBe(3)
    expect(reader.heard.map(({ id: _, ...rest }) => rest)).toEqual([
      { sid: 'sid', message },
      {},
      { event: updated('a') },
    ])
  })

  it('says so when what came after a place was forgotten, and only then', async () => {
    const log = keys.changes(account)
    const entries = Array.from({ length: 120 }, (_, at) =>
      append(log, JSON.stringify({ e: updated(`${at}`) }), { id: `1795000000000-${at + 1}`, keep: 110 }),
    )
    await backend.stores[0].batch(...entries)
    const before = following(there, '1795000000000-5')
    const within = following(there, '1795000000000-50')
    await expect.poll(() => [before.uris().length, within.uris().length]).toEqual([110, 70])
    expect([before.lost(), within.lost()]).toEqual([1, 0])
    const ancient = following(there, `${1_795_000_000_000 - CHANGES_MS}-0`)
    await expect.poll(() => [ancient.uris().length, ancient.lost()]).toEqual([110, 1])
  })

  it('takes a place that has not come yet for the end: a clock was ahead, or the store went back', async () => {
    there.publish(account, updated('a'))
    await handed.at(-1)
    const ahead = following(here, '9999999999999-0')
    const too = following(here, '9999999999999-1')
    await pause(100)
    there.publish(account, updated('b'))
    await expect.poll(() => [ahead.uris(), too.uris()]).toEqual([['b'], ['b']])
    account = `${account}:empty`
    const empty = following(here, '9999999999999-0')
    await pause(100)
    there.publish(account, updated('c'))
    await expect.poll(empty.uris).toEqual(['c'])
  })

  it('hears again after the log of changes was gone', async () => {
    const reader = following(here, FIRST_ENTRY)
    there.publish(account, updated('a'))
    await expect.poll(reader.uris).toEqual(['a'])
    await backend.stores[0].run(del(keys.changes(account)))
    await backend.passes(2)
    there.publish(account, updated('b'))
    await expect.poll(reader.uris).toEqual(['a', 'b'])
  })

  it('hands every write to the platform, and keeps a bounded log with a lifetime', async () => {
    const before = handed.length
    here.publish(account, updated('a'))
    here.scoped(account).publish(updated('b'))
    here.send(account, 'sid', { jsonrpc: '2.0', method: 'x' })
    expect(handed.length).toBe(before + 3)
    await Promise.all(handed)
    expect(await backend.stores[0].run(read(keys.changes(account), { limit: 9 }))).toHaveLength(3)
    expect(CHANGES_KEEP).toBeGreaterThan(100)
    const appends = backend.observed.flatMap(({ kinds }) => kinds).filter((kind) => kind === 'append')
    expect(appends).toHaveLength(3)
  })
})

describe('a change in one process, with streams in two', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await tcpBackend()
  })
  afterAll(() => backend.stop())

  it.each([
    { hears: 'with wake-ups', polls: false },
    { hears: 'by polling only', polls: true },
  ])('is heard by subscriptions/listen on the other, $hears', async ({ polls }) => {
    const requests = [0, 0]
    const waited: Promise<unknown>[] = []
    const servers: InProcess[] = []
    for (const [at, store] of backend.stores.entries()) {
      const counted: typeof store = {
        ...store,
        run: (operation) => {
          requests[at] = (requests[at] ?? 0) + 1
          return store.run(operation)
        },
        batch: (...operations) => {
          requests[at] = (requests[at] ?? 0) + 1
          return store.batch(...operations)
        },
      }
      const bus = createBus({
        store: counted,
        wakes: createWakes(polls ? undefined : store, { clock }),
        clock,
        waitUntil: (work) => waited.push(work),
        ...(polls ? { pollMs: 20 } : {}),
      })
      servers.push(inProcess({ factory: await testFactory(), bus }))
    }
    const [one, two] = servers as [InProcess, InProcess]
    const listen = (server: InProcess, token: string) =>
      modern(
        server,
        'subscriptions/listen',
        { notifications: { resourceSubscriptions: ['thing://a'] } },
        { token },
      )
    const account = polls ? 'alice' : 'bob'
    const streams = [await listen(one, account), await listen(two, account), await listen(two, 'mallory')]
    requests.fill(0)
    await modern(one, 'tools/call', { name: 'write', arguments: { text: 'a' } }, { token: account })
    await Promise.all(waited)
    await pause(polls ? 300 : 100)
    for (const server of servers) void server.drain()
    const told = await Promise.all(streams.map((response) => response.text()))
    expect(told.map((text) => text.split('notifications/resources/updated').length - 1)).toEqual([1, 1, 0])
    if (!polls) expect(requests).toEqual([1, 0])
    expect(waited).toHaveLength(1)
  })
})
