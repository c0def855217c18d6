import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STORE_KEY_MAX_BYTES, TELL_DATA_MAX_LENGTH } from '#lib/config/limits'
import { billedCommands } from '#lib/store/connect'
import { readMessage } from '#lib/store/message'
import {
  add,
  append,
  del,
  get,
  publish,
  range,
  rank,
  read,
  set,
  sums,
  swap,
  take,
  unrank,
} from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import { type Backend, localBackend, tcpBackend, upstashBackend } from '#test/store/backends'

const WRITERS = Array.from({ length: 50 }, (_, index) => index)
const LONG_AGO = '1-0'

const backends = [
  { backend: 'the local store', start: localBackend },
  { backend: 'Redis over TCP', start: tcpBackend },
  { backend: 'Upstash over the bridge', start: upstashBackend },
]

describe.each(backends)('$backend', ({ start }) => {
  let backend: Backend
  let store: Store
  let other: Store
  let serial = 0
  /** A key that no other test uses. */
  const fresh = (name = 'key') => `${name}:${++serial}`

  beforeAll(async () => {
    backend = await start()
    ;[store, other] = backend.stores
  })
  afterAll(() => backend.stop())

  describe('records', () => {
    it('answers null for what is not there, to every kind of read', async () => {
      const key = fresh()
      const answers = await store.batch(
        get(key),
        get(key, { fresh: true }),
        get(key, { touchMs: 1000 }),
        take(key),
      )
      expect(answers).toEqual([null, null, null, null])
    })

    it('shows a write to another instance at once', async () => {
      const key = fresh()
      await store.run(set(key, 'one'))
      expect(await other.run(get(key, { fresh: true }))).toBe('one')
      await other.run(set(key, 'two'))
      expect(await store.run(get(key))).toBe('two')
    })

    it.each([
      { value: '' },
      { value: '0' },
      { value: '123' },
      { value: '-0' },
      { value: '1e3' },
      { value: '12345678901234567890' },
      { value: 'true' },
      { value: 'null' },
      { value: '"quoted"' },
      { value: '{"a":[1,2]}' },
      { value: '[]' },
      { value: 'OK' },
      { value: 'T0s=' },
      { value: 'line\nbreak\r\n and \0 zero' },
      { value: 'ümläut 漢字 👩‍👩‍👧 \u{10FFFF}' },
    ])('keeps the text $value as it is, through set, get, swap and take', async ({ value }) => {
      const key = fresh()
      await store.run(set(key, value))
      expect(await store.run(get(key))).toBe(value)
      expect(await store.run(get(key, { fresh: true }))).toBe(value)
      expect(await store.run(swap(key, `${value}?`, 'lost'))).toEqual({ done: false, current: value })
      expect(await store.run(swap(key, value, value))).toEqual({ done: true })
      expect(await store.run(take(key))).toBe(value)
    })

    it('keeps keys with spaces, colons, quotes and other scripts apart', async () => {
      const names = ['a b', 'a:b', '"a"', 'ä', '漢', '{a}', 'a\nb', '*'].map((name) => fresh(name))
      await store.batch(...names.map((name) => set(name, name)))
      expect(await store.batch(...names.map((name) => get(name)))).toEqual(names)
    })

    it('keeps a value of 1 MB', async () => {
      const key = fresh()
      const value = 'ä'.repeat(512 * 1024)
      await store.run(set(key, value))
      expect(await store.run(get(key, { fresh: true }))).toBe(value)
      expect(await store.run(swap(key, value, 'small'))).toEqual({ done: true })
    })

    it('writes with ifAbsent only where nothing is, and says whether it did', async () => {
      const key = fresh()
      expect(await store.run(set(key, 'first', { ifAbsent: true }))).toBe(true)
      expect(await other.run(set(key, 'second', { ifAbsent: true }))).toBe(false)
      expect(await store.run(get(key))).toBe('first')
    })

    it('deletes several records at once, and does not mind what is not there', async () => {
      const [one, two, none] = [fresh(), fresh(), fresh()]
      await store.batch(set(one, '1'), set(two, '2'))
      expect(await store.run(del(one, two, none))).toBeUndefined()
      expect(await store.run(del())).toBeUndefined()
      expect(await store.batch(get(one), get(two))).toEqual([null, null])
    })

    it('refuses to read a record as something else, as an outage and not as absent', async () => {
      const key = fresh()
      await store.run(add(key, { n: 1 }))
      await expect(store.run(get(key))).rejects.toThrow(StoreUnavailable)
      await expect(store.run(swap(key, 'a', 'b'))).rejects.toThrow(StoreUnavailable)
      await expect(store.run(read(key, { limit: 1 }))).rejects.toThrow(StoreUnavailable)
      await expect(store.run(rank(key, 'm', 1))).rejects.toThrow(StoreUnavailable)
    })
  })

  describe('swap', () => {
    it('replaces the expected value and answers the current one otherwise', async () => {
      const key = fresh()
      await store.run(set(key, 'one'))
      expect(await store.run(swap(key, 'one', 'two'))).toEqual({ done: true })
      expect(await store.run(swap(key, 'one', 'three'))).toEqual({ done: false, current: 'two' })
      expect(await store.run(get(key))).toBe('two')
    })

    it('answers null for a record that is gone, and does not make it', async () => {
      const key = fresh()
      expect(await store.run(swap(key, 'one', 'two'))).toEqual({ done: false, current: null })
      expect(await store.run(get(key))).toBeNull()
    })

    it('deletes with null, and writes an empty text without it', async () => {
      const key = fresh()
      await store.run(set(key, 'one'))
      expect(await store.run(swap(key, 'one', ''))).toEqual({ done: true })
      expect(await store.run(get(key))).toBe('')
      expect(await store.run(swap(key, '', null))).toEqual({ done: true })
      expect(await store.run(get(key))).toBeNull()
    })

    it('shows a repeated winner its own value as a conflict', async () => {
      const key = fresh()
      await store.run(set(key, 'one'))
      await store.run(swap(key, 'one', 'two'))
      expect(await store.run(swap(key, 'one', 'two'))).toEqual({ done: false, current: 'two' })
    })
  })

  describe('50 parallel writers on one key', () => {
    const instance = (writer: number) => (writer % 2 ? store : other)

    it('lets one swap win, and shows the others its value', async () => {
      const key = fresh()
      await store.run(set(key, 'start'))
      const answers = await Promise.all(
        WRITERS.map((writer) => instance(writer).run(swap(key, 'start', `by ${writer}`))),
      )
      const winner = answers.findIndex((answer) => answer.done)
      expect(answers.filter((answer) => answer.done)).toHaveLength(1)
      expect(answers.filter((answer) => !answer.done && answer.current === `by ${winner}`)).toHaveLength(49)
      expect(await store.run(get(key))).toBe(`by ${winner}`)
    })

    it('lets one set with ifAbsent win', async () => {
      const key = fresh()
      const answers = await Promise.all(
        WRITERS.map((writer) => instance(writer).run(set(key, `by ${writer}`, { ifAbsent: true }))),
      )
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect(await store.run(get(key))).toBe(`by ${answers.indexOf(true)}`)
    })

    it('lets one take win', async () => {
      const key = fresh()
      await store.run(set(key, 'prize'))
      const answers = await Promise.all(WRITERS.map((writer) => instance(writer).run(take(key))))
      expect(answers.filter((answer) => answer === 'prize')).toHaveLength(1)
      expect(answers.filter((answer) => answer === null)).toHaveLength(49)
    })

    it('loses no increment of readers that swap until they win', async () => {
      const key = fresh()
      await store.run(set(key, '0'))
      await Promise.all(
        WRITERS.map(async (writer) => {
          let current = '0'
          for (;;) {
            const swapped = await instance(writer).run(swap(key, current, String(Number(current) + 1)))
            if (swapped.done) return
            current = swapped.current ?? '0'
          }
        }),
      )
      expect(await store.run(get(key))).toBe('50')
    })

    it('counts every add, and answers each sum once', async () => {
      const key = fresh()
      const answers = await Promise.all(WRITERS.map((writer) => instance(writer).run(add(key, { n: 1 }))))
      expect(answers.map((answer) => answer['n']).sort((a = 0, b = 0) => a - b)).toEqual(
        WRITERS.map((writer) => writer + 1),
      )
    })

    it('gives every appended entry its own id, and keeps the newest', async () => {
      const log = fresh('log')
      const answers = await Promise.all(
        WRITERS.map((writer) => instance(writer).run(append(log, `by ${writer}`, { keep: 20 }))),
      )
      const ids = answers.map((answer) => ('id' in answer ? answer.id : 'stale'))
      const entries = await store.run(read(log, { limit: 100 }))
      expect(new Set(ids).size).toBe(50)
      expect(entries).toHaveLength(20)
      expect(ids).toEqual(expect.arrayContaining(entries.map(({ id }) => id)))
    })

    it('lets one append with the same given id win', async () => {
      const log = fresh('log')
      const answers = await Promise.all(
        WRITERS.map((writer) => instance(writer).run(append(log, `by ${writer}`, { id: '7-1', keep: 9 }))),
      )
      expect(answers.filter((answer) => 'id' in answer)).toEqual([{ id: '7-1' }])
      expect(await store.run(read(log, { limit: 9 }))).toHaveLength(1)
    })
  })

  describe('lifetimes', () => {
    const LIFE = 400

    it('forgets a record, a counter, a log and an index when theirs is over', async () => {
      const [record, counter, log, index] = [fresh(), fresh(), fresh(), fresh()]
      await store.batch(
        set(record, 'x', { ttlMs: LIFE }),
        add(counter, { n: 1 }, LIFE),
        append(log, 'x', { keep: 5, ttlMs: LIFE }),
        rank(index, 'x', 1, LIFE),
      )
      await backend.passes(LIFE + 20)
      const answers = await store.batch(
        get(record, { fresh: true }),
        sums(counter),
        read(log, { limit: 5 }),
        range(index, { limit: 5 }),
      )
      expect(answers).toEqual([null, {}, [], []])
    })

    it('starts anew after the end of a life: nothing old comes back', async () => {
      const [record, counter, log, index] = [fresh(), fresh(), fresh(), fresh()]
      await store.batch(
        set(record, 'old', { ttlMs: LIFE }),
        add(counter, { n: 5 }, LIFE),
        append(log, 'old', { keep: 5, id: '9-9', ttlMs: LIFE }),
        rank(index, 'old', 1, LIFE),
      )
      await backend.passes(LIFE + 20)
      const answers = await store.batch(
        set(record, 'new', { ifAbsent: true }),
        add(counter, { n: 1 }),
        append(log, 'new', { keep: 5, id: LONG_AGO }),
        read(log, { limit: 5 }),
        rank(index, 'new', 1),
        range(index, { limit: 5 }),
      )
      expect(answers).toEqual([
        true,
        { n: 1 },
        { id: LONG_AGO },
        [{ id: LONG_AGO, data: 'new' }],
        undefined,
        [{ member: 'new', score: 1 }],
      ])
    })

    it('does not count an expired record as the expected one, or as present', async () => {
      const key = fresh()
      await store.run(set(key, 'x', { ttlMs: LIFE }))
      await backend.passes(LIFE + 20)
      expect(await store.run(swap(key, 'x', 'y'))).toEqual({ done: false, current: null })
    })

    it.each([
      { read: 'a plain get', operation: (key: string) => get(key) },
      { read: 'a fresh get', operation: (key: string) => get(key, { fresh: true }) },
      { read: 'a swap without one', operation: (key: string) => swap(key, 'x', 'x') },
      { read: 'a lost swap', operation: (key: string) => swap(key, 'y', 'z', 10_000) },
      {
        read: 'a lost ifAbsent',
        operation: (key: string) => set(key, 'y', { ifAbsent: true, ttlMs: 10_000 }),
      },
    ])('leaves a lifetime alone with $read', async ({ operation }) => {
      const key = fresh()
      await store.run(set(key, 'x', { ttlMs: LIFE }))
      await backend.passes(LIFE / 2)
      await store.run(operation(key))
      expect(await store.run(get(key))).toBe('x')
      await backend.passes(LIFE / 2 + 20)
      expect(await store.run(get(key))).toBeNull()
    })

    it('gives no lifetime to what has none, with a fresh get or a swap', async () => {
      const key = fresh()
      await store.batch(set(key, 'x'), get(key, { fresh: true }), swap(key, 'x', 'y'))
      await backend.passes(LIFE)
      expect(await store.run(get(key))).toBe('y')
    })

    it.each([
      { write: 'a touching get', operation: (key: string) => get(key, { touchMs: LIFE }) },
      { write: 'a swap that gives one', operation: (key: string) => swap(key, 'x', 'x', LIFE) },
      { write: 'a set that gives one', operation: (key: string) => set(key, 'x', { ttlMs: LIFE }) },
    ])('renews a lifetime with $write', async ({ operation }) => {
      const key = fresh()
      await store.run(set(key, 'x', { ttlMs: LIFE }))
      await backend.passes(LIFE / 2)
      await store.run(operation(key))
      await backend.passes(LIFE / 2 + 20)
      expect(await store.run(get(key))).toBe('x')
      await backend.passes(LIFE / 2)
      expect(await store.run(get(key))).toBeNull()
    })

    it('takes a lifetime away with a set that gives none', async () => {
      const key = fresh()
      await store.batch(set(key, 'x', { ttlMs: LIFE }), set(key, 'y'))
      await backend.passes(LIFE + 20)
      expect(await store.run(get(key))).toBe('y')
    })

    it('gives a counter its lifetime once; later adds do not extend it', async () => {
      const key = fresh()
      await store.run(add(key, { n: 1 }, LIFE))
      await backend.passes(LIFE / 2)
      expect(await store.run(add(key, { n: 1 }, 10 * LIFE))).toEqual({ n: 2 })
      await backend.passes(LIFE / 2 + 20)
      expect(await store.run(sums(key))).toEqual({})
    })

    it('renews the life of a log and of an index with each write that gives one', async () => {
      const [log, index] = [fresh(), fresh()]
      const write = () => store.batch(append(log, 'x', { keep: 5, ttlMs: LIFE }), rank(index, 'x', 1, LIFE))
      await write()
      await backend.passes(LIFE / 2)
      await write()
      await backend.passes(LIFE / 2 + 20)
      expect(await store.run(read(log, { limit: 5 }))).toHaveLength(2)
      expect(await store.run(range(index, { limit: 5 }))).toHaveLength(1)
    })
  })

  describe('counters', () => {
    it('adds to several fields at once and answers their new sums only', async () => {
      const key = fresh()
      await store.run(add(key, { calls: 2, other: 5 }))
      expect(await store.run(add(key, { calls: -3, errors: 1 }))).toEqual({ calls: -1, errors: 1 })
      expect(await store.run(sums(key))).toEqual({ calls: -1, other: 5, errors: 1 })
    })

    it('takes 0 and -0 as 0, and makes nothing of no fields', async () => {
      const [key, none] = [fresh(), fresh()]
      expect(await store.run(add(key, { a: 0, b: -0 }))).toEqual({ a: 0, b: 0 })
      expect(await store.run(add(none, {}))).toEqual({})
      expect(await store.run(sums(none))).toEqual({})
    })

    it('takes any text as a field', async () => {
      const key = fresh()
      const by = JSON.parse('{"__proto__":1,"constructor":2,"1":3,"a b":4,"":5}')
      expect(await store.run(add(key, by))).toEqual(by)
      expect(await store.run(sums(key))).toEqual(by)
    })
  })

  describe('logs', () => {
    it('keeps entries in order, with ids that grow, also within one millisecond', async () => {
      const log = fresh('log')
      const texts = Array.from({ length: 20 }, (_, index) => `entry ${index}`)
      await store.batch(...texts.map((text) => append(log, text, { keep: 100 })))
      const entries = await other.run(read(log, { limit: 100 }))
      expect(entries.map(({ data }) => data)).toEqual(texts)
      expect(entries.every(({ id }) => /^\d{13}-\d+$/.test(id))).toBe(true)
    })

    it('keeps exactly so many of the newest, also under concurrency and when less are kept later', async () => {
      const log = fresh('log')
      await Promise.all(WRITERS.map((writer) => store.run(append(log, `${writer}`, { keep: 10 }))))
      expect(await store.run(read(log, { limit: 100 }))).toHaveLength(10)
      await store.run(append(log, 'last', { keep: 1 }))
      expect((await store.run(read(log, { limit: 100 }))).map(({ data }) => data)).toEqual(['last'])
    })

    it.each([
      { reads: 'all', how: { limit: 9 }, ids: ['1-0', '1-1', '2-0', '10-0'] },
      { reads: 'the first two', how: { limit: 2 }, ids: ['1-0', '1-1'] },
      { reads: 'after one', how: { after: '1-1', limit: 9 }, ids: ['2-0', '10-0'] },
      { reads: 'after one that is not there', how: { after: '1-5', limit: 1 }, ids: ['2-0'] },
      { reads: 'after nothing', how: { after: '0-0', limit: 9 }, ids: ['1-0', '1-1', '2-0', '10-0'] },
      { reads: 'after the last', how: { after: '10-0', limit: 9 }, ids: [] },
      { reads: 'after what is to come', how: { after: '999999999999999-999999999', limit: 9 }, ids: [] },
      { reads: 'before one', how: { before: '2-0', limit: 9 }, ids: ['1-0', '1-1'] },
      { reads: 'before the first', how: { before: '1-0', limit: 9 }, ids: [] },
      { reads: 'before everything', how: { before: '0-0', limit: 9 }, ids: [] },
      { reads: 'between two', how: { after: '1-0', before: '10-0', limit: 9 }, ids: ['1-1', '2-0'] },
      { reads: 'between one and itself', how: { after: '1-1', before: '1-1', limit: 9 }, ids: [] },
      { reads: 'between two that are turned', how: { after: '10-0', before: '1-0', limit: 9 }, ids: [] },
      { reads: 'the newest', how: { limit: 2, newestFirst: true }, ids: ['10-0', '2-0'] },
      {
        reads: 'the newest before',
        how: { before: '10-0', limit: 2, newestFirst: true },
        ids: ['2-0', '1-1'],
      },
      {
        reads: 'the newest after',
        how: { after: '1-0', limit: 9, newestFirst: true },
        ids: ['10-0', '2-0', '1-1'],
      },
    ] as const)('reads $reads', async ({ how, ids }) => {
      const log = fresh('log')
      await store.batch(
        ...['1-0', '1-1', '2-0', '10-0'].map((id) => append(log, `at ${id}`, { id, keep: 9 })),
      )
      const entries = await store.run(read(log, how))
      expect(entries).toEqual(ids.map((id) => ({ id, data: `at ${id}` })))
    })

    it.each([{ id: '5-1' }, { id: '5-0' }, { id: '4-9' }, { id: '0-0' }])(
      'answers stale to a writer with $id after 5-1, and writes nothing',
      async ({ id }) => {
        const log = fresh('log')
        await store.run(append(log, 'living', { id: '5-1', keep: 9 }))
        expect(await other.run(append(log, 'dead', { id, keep: 9 }))).toEqual({ stale: true })
        expect(await store.run(read(log, { limit: 9 }))).toEqual([{ id: '5-1', data: 'living' }])
      },
    )

    it('answers stale also after the entry was capped away, and 0-0 on an empty log', async () => {
      const [log, empty] = [fresh('log'), fresh('log')]
      await store.batch(append(log, 'a', { id: '5-1', keep: 1 }), append(log, 'b', { id: '6-0', keep: 1 }))
      expect(await store.run(append(log, 'dead', { id: '5-2', keep: 1 }))).toEqual({ stale: true })
      expect(await store.run(append(empty, 'dead', { id: '0-0', keep: 1 }))).toEqual({ stale: true })
      expect(await store.run(read(empty, { limit: 1 }))).toEqual([])
    })

    it('goes on behind a given id that is ahead of the clock', async () => {
      const log = fresh('log')
      await store.run(append(log, 'ahead', { id: '99999999999999-7', keep: 9 }))
      expect(await store.run(append(log, 'next', { keep: 9 }))).toEqual({ id: '99999999999999-8' })
    })
  })

  describe('indexes', () => {
    const members = [
      ['b', 1],
      ['a', 1],
      ['minus', -1.5],
      ['ten', 10],
      ['big', 1_795_000_000_123],
      ['half', 0.5],
    ] as const

    it.each([
      { asks: 'all', how: {}, found: ['minus', 'half', 'a', 'b', 'ten', 'big'] },
      {
        asks: 'from the highest',
        how: { highestFirst: true },
        found: ['big', 'ten', 'b', 'a', 'half', 'minus'],
      },
      { asks: 'at least 1', how: { min: 1 }, found: ['a', 'b', 'ten', 'big'] },
      { asks: 'at most 1', how: { max: 1 }, found: ['minus', 'half', 'a', 'b'] },
      { asks: 'at least -0', how: { min: -0, max: 0.5 }, found: ['half'] },
      { asks: 'between', how: { min: 0.5, max: 10, highestFirst: true }, found: ['ten', 'b', 'a', 'half'] },
      { asks: 'nothing', how: { min: 2, max: 1 }, found: [] },
      { asks: 'a page', how: { offset: 1, limit: 2 }, found: ['half', 'a'] },
      {
        asks: 'a page from the highest',
        how: { offset: 1, limit: 2, highestFirst: true },
        found: ['ten', 'b'],
      },
      { asks: 'a page within bounds', how: { min: 1, offset: 1, limit: 2 }, found: ['b', 'ten'] },
      { asks: 'behind the end', how: { offset: 6 }, found: [] },
      { asks: 'all from 1 on, dropping the rest', how: { dropBelow: 1 }, found: ['a', 'b', 'ten', 'big'] },
    ] as const)('answers $asks', async ({ how, found }) => {
      const index = fresh('index')
      await store.batch(...members.map(([member, score]) => rank(index, member, score)))
      const ranked = await store.run(range(index, { limit: 9, ...how }))
      expect(ranked.map(({ member }) => member)).toEqual(found)
      expect(ranked.every(({ member, score }) => members.some(([m, s]) => m === member && s === score))).toBe(
        true,
      )
    })

    it('moves a member that is ranked again, and takes one out', async () => {
      const index = fresh('index')
      await store.batch(rank(index, 'a', 1), rank(index, 'b', 2), rank(index, 'a', 3), unrank(index, 'none'))
      expect(await store.run(range(index, { limit: 9 }))).toEqual([
        { member: 'b', score: 2 },
        { member: 'a', score: 3 },
      ])
      await store.run(unrank(index, 'a'))
      expect(await store.run(range(index, { limit: 9 }))).toEqual([{ member: 'b', score: 2 }])
    })

    it('forgets for good what it dropped, and keeps what is at the bound', async () => {
      const index = fresh('index')
      await store.batch(rank(index, 'old', 1), rank(index, 'bound', 2), rank(index, 'new', 3))
      await store.run(range(index, { limit: 1, dropBelow: 2 }))
      expect((await other.run(range(index, { limit: 9 }))).map(({ member }) => member)).toEqual([
        'bound',
        'new',
      ])
    })

    it('orders ties by the bytes of the member', async () => {
      const index = fresh('index')
      const ordered = ['', 'A', 'Z', 'a', 'ab', 'ä', '漢', '\uffee', '😀']
      await store.batch(...ordered.toReversed().map((member) => rank(index, member, 0)))
      expect((await store.run(range(index, { limit: 99 }))).map(({ member }) => member)).toEqual(ordered)
    })

    it('answers -0 as 0, and large and small scores exactly', async () => {
      const index = fresh('index')
      const scores = [-0, Number.MAX_SAFE_INTEGER, 0.1 + 0.2, 1e21, -1e-7]
      await store.batch(...scores.map((score, position) => rank(index, `${position}`, score)))
      const found = await store.run(range(index, { limit: 9 }))
      const byPosition = found
        .toSorted((a, b) => Number(a.member) - Number(b.member))
        .map(({ score }) => score)
      expect(byPosition).toEqual([0, Number.MAX_SAFE_INTEGER, 0.1 + 0.2, 1e21, -1e-7])
    })
  })

  describe('a batch', () => {
    it('answers every operation in its place, in order, in one request', async () => {
      const key = fresh()
      backend.observed.length = 0
      const answers = await store.batch(
        set(key, 'one'),
        get(key),
        swap(key, 'one', 'two'),
        get(key, { fresh: true }),
        add(`${key}:n`, { a: 1, b: 2 }, 1000),
        take(key),
        get(key),
      )
      expect(answers).toEqual([true, 'one', { done: true }, 'two', { a: 1, b: 2 }, 'two', null])
      expect(backend.observed).toEqual([
        { requests: 1, commands: 11, kinds: ['set', 'get', 'swap', 'get', 'add', 'take', 'get'] },
      ])
    })

    it('costs nothing when it is empty', async () => {
      backend.observed.length = 0
      expect(await store.batch()).toEqual([])
      expect(backend.observed).toEqual([])
    })

    it('is an outage when one of its operations fails, and the others still took place', async () => {
      const [record, counter] = [fresh(), fresh()]
      await store.run(add(counter, { n: 1 }))
      await expect(store.batch(set(record, 'x'), get(counter), get(record))).rejects.toThrow(StoreUnavailable)
      expect(await store.run(get(record))).toBe('x')
    })

    it('bills as many commands as the server runs', async () => {
      const key = fresh()
      const operations: Operation[] = [
        set(key, 'x', { ttlMs: 1000, ifAbsent: true }),
        get(key),
        get(key, { fresh: true }),
        get(key, { touchMs: 1000 }),
        swap(key, 'x', 'y'),
        swap(key, 'y', 'z', 1000),
        swap(key, 'z', null),
        take(key),
        del(key, `${key}2`),
        add(`${key}:n`, { a: 1, b: 1 }, 1000),
        sums(`${key}:n`),
        append(`${key}:l`, 'x', { keep: 1, ttlMs: 1000 }),
        append(`${key}:l`, 'x', { keep: 1, ttlMs: 1000, tell: 'nobody' }),
        append(`${key}:l`, 'x', { keep: 1, tell: 'nobody' }),
        read(`${key}:l`, { limit: 1 }),
        rank(`${key}:i`, 'x', 1, 1000),
        unrank(`${key}:i`, 'y'),
        range(`${key}:i`, { limit: 1, dropBelow: 1 }),
        publish('nobody', 'x'),
      ]
      const ran = await backend.commandsOf(() => store.batch(...operations))
      const billed = operations.reduce((sum, operation) => sum + billedCommands(operation), 0)
      expect(billed).toBe(37)
      expect(ran ?? billed).toBe(billed)
    })
  })

  describe('what no backend takes', () => {
    it.each([
      { fault: 'an over-long key', operation: get('k'.repeat(STORE_KEY_MAX_BYTES)) },
      { fault: 'a key that is over-long in bytes', operation: get('漢'.repeat(STORE_KEY_MAX_BYTES / 3)) },
      { fault: 'an over-long key among several', operation: del('a', 'k'.repeat(STORE_KEY_MAX_BYTES)) },
      { fault: 'an over-long log', operation: read('k'.repeat(STORE_KEY_MAX_BYTES), { limit: 1 }) },
      { fault: 'a lifetime of 0', operation: set('k', 'x', { ttlMs: 0 }) },
      { fault: 'half a millisecond', operation: get('k', { touchMs: 0.5 }) },
      { fault: 'no number as lifetime', operation: swap('k', 'a', 'b', Number.NaN) },
      { fault: 'half a count', operation: add('k', { n: 0.5 }) },
      { fault: 'keeping nothing', operation: append('k', 'x', { keep: 0 }) },
      { fault: 'an id that is none', operation: append('k', 'x', { keep: 1, id: 'next' }) },
      { fault: 'the id *', operation: append('k', 'x', { keep: 1, id: '*' }) },
      { fault: 'an id without sequence', operation: read('k', { after: '1', limit: 1 }) },
      { fault: 'an id with a bracket', operation: read('k', { before: '(1-0', limit: 1 }) },
      { fault: 'an id with a sign', operation: read('k', { after: '-1-0', limit: 1 }) },
      { fault: 'an id with a leading zero', operation: read('k', { after: '01-0', limit: 1 }) },
      { fault: 'an id that is too large', operation: read('k', { after: '1234567890123456-0', limit: 1 }) },
      { fault: 'a limit of 0', operation: read('k', { limit: 0 }) },
      { fault: 'a negative limit', operation: range('k', { limit: -1 }) },
      { fault: 'a negative offset', operation: range('k', { limit: 1, offset: -1 }) },
      { fault: 'a score that is no number', operation: rank('k', 'm', Number.NaN) },
      { fault: 'a bound that is no number', operation: range('k', { limit: 1, min: Number.NaN }) },
      {
        fault: 'telling a channel of two lines',
        operation: append('k', 'x', { keep: 1, tell: 'a\nb' }),
      },
      { fault: 'a message of two lines', operation: publish('channel', 'a\nb') },
    ])('refuses $fault before anything is sent', async ({ operation }) => {
      backend.observed.length = 0
      const rejected = expect(store.batch(set('before', 'x'), operation)).rejects
      await rejected.toThrow(RangeError)
      await rejected.not.toThrow(/kkk|漢/)
      expect(backend.observed).toEqual([])
    })

    it('takes a key of exactly the limit', async () => {
      const key = 'k'.repeat(STORE_KEY_MAX_BYTES - 'contract:'.length)
      await store.run(set(key, 'x'))
      expect(await store.run(take(key))).toBe('x')
    })
  })

  describe('wake-ups', () => {
    it('reach every listener of their channel, in order, until it stops', async () => {
      const channel = fresh('channel')
      const stop = new AbortController()
      const [one, two, elsewhere] = [inbox(), inbox(), inbox()]
      await store.subscribe(channel, one, stop.signal)
      await other.subscribe(channel, two, stop.signal)
      await other.subscribe(`${channel}:other`, elsewhere, stop.signal)
      await store.batch(publish(channel, 'a'), publish(channel, '{"b":1}'))
      await store.run(publish(channel, 'c, with a comma: ümläut'))
      await expect.poll(() => [one.messages.length, two.messages.length]).toEqual([3, 3])
      expect(one.messages).toEqual(['a', '{"b":1}', 'c, with a comma: ümläut'])
      expect(two.messages).toEqual(one.messages)
      expect(elsewhere.messages).toEqual([])

      stop.abort()
      await store.run(publish(channel, 'd'))
      await backend.passes(50)
      expect([...one.messages, ...two.messages]).not.toContain('d')
      expect([one.gaps(), two.gaps()]).toEqual([0, 0])
    })

    it('are lost on nobody when nobody listens', async () => {
      expect(await store.run(publish(fresh('channel'), 'x'))).toBeUndefined()
    })

    it('tell of an appended entry: its log, its id, the one before it and its data', async () => {
      const [channel, log] = [fresh('channel'), fresh('log "quoted"')]
      const stop = new AbortController()
      const [heard, elsewhere] = [inbox(), inbox()]
      await other.subscribe(channel, heard, stop.signal)
      await other.subscribe(`${channel}:other`, elsewhere, stop.signal)
      const texts = ['{"a":"ümläut 👩‍👩‍👧 / \\\\ \\n"}', '', 'line\nbreak\r\n \0 \u2028 \x7f', 'null']
      const how = { keep: 2, ttlMs: 60_000, tell: channel }
      const appended = await store.batch(...texts.map((text) => append(log, text, how)))
      const ids = appended.map((one) => ('id' in one ? one.id : 'stale'))
      await expect.poll(() => heard.messages.length).toBe(4)
      expect(heard.messages.map(readMessage)).toEqual(
        texts.map((data, at) => ({ log, id: ids[at], prev: ids[at - 1] ?? '0-0', data })),
      )
      expect(elsewhere.messages).toEqual([])
      expect((await other.run(read(log, { limit: 9 }))).map(({ data }) => data)).toEqual(texts.slice(2))
      stop.abort()
    })

    it('tell of nothing when the append was stale, which renews the lifetime all the same', async () => {
      const [channel, log] = [fresh('channel'), fresh('log')]
      const stop = new AbortController()
      const heard = inbox()
      await other.subscribe(channel, heard, stop.signal)
      await store.run(append(log, 'a', { id: '5-1', keep: 9, ttlMs: 150, tell: channel }))
      const stale = await store.run(append(log, 'b', { id: '5-1', keep: 9, ttlMs: 60_000, tell: channel }))
      expect(stale).toEqual({ stale: true })
      await backend.passes(200)
      expect(await store.run(append(log, 'c', { id: '6-0', keep: 9, tell: channel }))).toEqual({ id: '6-0' })
      await expect.poll(() => heard.messages.length).toBe(2)
      expect(heard.messages.map(readMessage)).toEqual([
        { log, id: '5-1', prev: '0-0', data: 'a' },
        { log, id: '6-0', prev: '5-1', data: 'c' },
      ])
      stop.abort()
    })

    it('tell of an entry without its data when it is longer than a message may be', async () => {
      const [channel, log] = [fresh('channel'), fresh('log')]
      const stop = new AbortController()
      const heard = inbox()
      await other.subscribe(channel, heard, stop.signal)
      const longest = '"'.repeat(TELL_DATA_MAX_LENGTH)
      await store.run(append(log, longest, { id: '1-0', keep: 9, tell: channel }))
      await store.run(append(log, `${longest}.`, { id: '2-0', keep: 9, tell: channel }))
      await expect.poll(() => heard.messages.length).toBe(2)
      expect(heard.messages.map(readMessage)).toEqual([
        { log, id: '1-0', prev: '0-0', data: longest },
        { log, id: '2-0', prev: '1-0' },
      ])
      stop.abort()
    })

    it('tell 50 parallel appends as one chain, in order', async () => {
      const [channel, log] = [fresh('channel'), fresh('log')]
      const stop = new AbortController()
      const heard = inbox()
      await store.subscribe(channel, heard, stop.signal)
      await Promise.all(
        WRITERS.map((writer) =>
          (writer % 2 ? store : other).run(append(log, `${writer}`, { keep: 100, tell: channel })),
        ),
      )
      await expect.poll(() => heard.messages.length).toBe(50)
      const told = heard.messages.map(readMessage)
      expect(told.map((one) => one?.prev)).toEqual(['0-0', ...told.slice(0, -1).map((one) => one?.id)])
      stop.abort()
    })

    it('refuse a channel that Upstash would split', async () => {
      const refused = store.subscribe('a,b', inbox(), new AbortController().signal)
      await expect(refused).rejects.toThrow(RangeError)
    })
  })
})

function inbox() {
  const messages: string[] = []
  let gaps = 0
  return {
    messages,
    gaps: () => gaps,
    onMessage: (message: string) => void messages.push(message),
    onGap: () => void gaps++,
  }
}
