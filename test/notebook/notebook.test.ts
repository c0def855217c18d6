import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '#lib/core/result'
import { explain } from '#lib/notebook/faults'
import type { Note } from '#lib/notebook/note'
import { backends, claude, cursor, type Shared } from '#test/notebook/instances'

let accounts = 0
/** A notebook of its own for each test. */
const account = () => `account-${++accounts}`

function value<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`)
  return result.value
}

describe.each(backends)('over $name', ({ open }) => {
  let shared: Shared
  beforeAll(async () => {
    shared = await open()
  })
  afterAll(() => shared.stop())

  it('a note saved on one instance is found by the next search on another', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    value(await there.notebook.search('anything'))

    const saved = value(await here.notebook.save({ title: 'Boiler', text: 'Valve 7 leaks' }, claude))
    there.requests.length = 0
    const found = value(await there.notebook.search('valve'))

    expect(found.hits.map(({ note }) => note)).toEqual([saved])
  })

  it('learning a change made elsewhere costs no request beyond the one of the search', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    value(await here.notebook.save({ text: 'first' }, claude))
    value(await there.notebook.search('first'))

    const second = value(await here.notebook.save({ text: 'second' }, claude))
    value(await here.notebook.edit(second.id, { text: 'second thoughts' }, cursor))
    there.requests.length = 0

    expect(value(await there.notebook.search('thoughts')).hits).toHaveLength(1)
    expect(there.requests).toEqual([['read']])
  })

  it('a change that was believed is checked with the next request, at no request of its own', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    value(await here.notebook.save({ text: 'first' }, claude))
    value(await there.notebook.search('first'))
    value(await here.notebook.save({ text: 'second' }, claude))
    there.requests.length = 0

    for (let count = 0; count < 3; count++) value(await there.notebook.search('second'))

    expect(there.requests).toEqual([['read'], ['read', 'get'], ['read']])
  })

  it('saving and editing cost one request to catch up and one to write', async () => {
    const { notebook, requests } = shared.instance(account())
    const note = value(await notebook.save({ text: 'first' }, claude))
    requests.length = 0

    value(await notebook.save({ text: 'second' }, claude))
    value(await notebook.edit(note.id, { append: 'more' }, claude))
    value(await notebook.remove(note.id))

    const write = [['read'], ['append', 'swap']]
    expect(requests).toEqual([...write, ...write, ...write])
  })

  it('50 notes saved at once over two instances are all kept', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    const saved = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? here : there).notebook.save({ text: `note ${index}` }, claude),
      ),
    )
    const ids = saved.map((result) => value(result).id).sort()
    for (const { notebook } of [here, there, shared.instance(name)]) {
      const page = value(await notebook.list())
      expect(page.notes.map(({ id }) => id).sort()).toEqual(ids)
    }
  })

  it('20 instances saving at once keep every note', async () => {
    const name = account()
    const instances = Array.from({ length: 20 }, () => shared.instance(name))
    const saved = await Promise.all(
      instances.map(({ notebook }, index) => notebook.save({ text: `note ${index}` }, claude)),
    )
    expect(saved.every(({ ok }) => ok)).toBe(true)
    expect(value(await shared.instance(name).notebook.list()).total).toBe(20)
  })

  it('50 edits of one note at once over two instances are all kept', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    const { id } = value(await here.notebook.save({ text: 'start' }, claude))
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        value(await (index % 2 ? here : there).notebook.edit(id, { append: `line ${index}` }, claude)),
      ),
    )
    const { text, rev } = value(await there.notebook.read(id))
    expect(text.split('\n').sort()).toEqual(
      ['start', ...Array.from({ length: 50 }, (_, index) => `line ${index}`)].sort(),
    )
    expect(rev).toBe(51)
  })

  it('an instance that is further behind than the log reads everything again', async () => {
    const name = account()
    const [here, there] = [shared.instance(name), shared.instance(name)]
    value(await here.notebook.save({ text: 'first' }, claude))
    value(await there.notebook.search('first'))
    const { id } = value(await here.notebook.save({ text: 'counter' }, claude))
    for (let count = 0; count < 260; count++)
      value(await here.notebook.edit(id, { text: `at ${count}` }, claude))

    there.requests.length = 0
    expect(value(await there.notebook.read(id)).text).toBe('at 259')
    expect(there.requests.length).toBe(2)
    there.requests.length = 0
    value(await there.notebook.read(id))
    expect(there.requests).toEqual([['read']])
  })

  it('an instance that slept longer than the log lives reads everything again', async () => {
    const name = account()
    const { notebook, requests } = shared.instance(name)
    value(await notebook.save({ text: 'first' }, claude))
    shared.passes(13 * 60 * 60 * 1000)
    requests.length = 0
    value(await notebook.list())
    expect(requests[0]).toContain('get')
  })

  it('notes of another account do not exist', async () => {
    const mine = shared.instance(account()).notebook
    const theirs = shared.instance(account()).notebook
    const { id } = value(await mine.save({ title: 'Secret', text: 'plans', tags: ['private'] }, claude))

    expect(await theirs.read(id)).toMatchObject({ ok: false, error: { reason: 'unknown_note' } })
    expect(await theirs.edit(id, { text: 'x' }, claude)).toMatchObject({ ok: false })
    expect(await theirs.remove(id)).toMatchObject({ ok: false })
    expect(value(await theirs.search('secret plans')).hits).toEqual([])
    expect(value(await theirs.list()).notes).toEqual([])
    expect([...(await theirs.suggestIds('')), ...(await theirs.suggestTags(''))]).toEqual([])
    expect((await theirs.changesSince(undefined)).changed).toEqual([])
  })

  it('each note keeps who wrote it and who edited it last', async () => {
    const name = account()
    const { id } = value(await shared.instance(name).notebook.save({ text: 'x' }, claude))
    value(await shared.instance(name).notebook.edit(id, { text: 'y' }, cursor))

    const note: Note = value(await shared.instance(name).notebook.read(id))
    expect(note.created).toMatchObject({ clientKey: 'dcr:claude', clientName: 'Claude', verified: false })
    expect(note.edited).toMatchObject({ clientKey: cursor.key, clientName: 'Cursor', verified: true })
  })

  it('a note that outgrows its segment moves, and nothing is lost', async () => {
    const name = account()
    const { notebook } = shared.instance(name)
    const notes = []
    for (let count = 0; count < 12; count++) {
      notes.push(value(await notebook.save({ text: `${count} ${'a'.repeat(4000)}` }, claude)))
    }
    for (const { id } of notes)
      value(await notebook.edit(id, { text: `${id} ${'"'.repeat(60_000)}` }, claude))

    for (const reader of [notebook, shared.instance(name).notebook]) {
      const page = value(await reader.list())
      expect(page.notes.map(({ id }) => id).sort()).toEqual(notes.map(({ id }) => id).sort())
      expect(page.notes.every(({ id, text }) => text.startsWith(id))).toBe(true)
    }
    for (let segment = 0; segment < 12; segment++) {
      const stored = await shared.store.run({ kind: 'get', key: `n:${name}:s:${segment}`, fresh: true })
      expect(stored?.length ?? 0).toBeLessThanOrEqual(256 * 1024)
    }
  })

  it('the space of deleted notes is used again', async () => {
    const name = account()
    const { notebook } = shared.instance(name)
    for (let round = 0; round < 4; round++) {
      const imported = await notebook.importMany(
        Array.from({ length: 100 }, (_, index) => ({ text: `${index} ${'b'.repeat(1000)}` })),
        { client: claude },
      )
      expect(imported.saved).toHaveLength(100)
      for (const { note } of imported.saved) value(await notebook.remove(note.id))
    }
    const third = await shared.store.run({ kind: 'get', key: `n:${name}:s:3`, fresh: true })
    expect(third).toBeNull()
    expect(value(await notebook.list()).total).toBe(0)
  })

  it('an import reports progress, saves what is right and names what is not', async () => {
    const { notebook } = shared.instance(account())
    const progress: number[] = []
    const imported = await notebook.importMany(
      [
        { text: 'good' },
        { text: '  ' },
        { text: 'x'.repeat(70_000) },
        ...Array.from({ length: 300 }, (_, index) => ({ text: `${index} ${'c'.repeat(500)}` })),
      ],
      { client: claude, onProgress: async (done) => void progress.push(done) },
    )
    expect(imported.saved).toHaveLength(301)
    expect(imported.refused.map(({ index, fault }) => [index, fault.reason])).toEqual([
      [1, 'empty_note'],
      [2, 'too_long'],
    ])
    expect(progress).toEqual([...progress].sort((left, right) => left - right))
    expect(progress.at(-1)).toBe(303)
    expect(progress.length).toBeGreaterThan(2)
  })

  it('pages cover every note once, in the order of their last change', async () => {
    const { notebook } = shared.instance(account())
    await notebook.importMany(
      Array.from({ length: 25 }, (_, index) => ({ text: `n${index}` })),
      { client: claude },
    )
    const seen: string[] = []
    let next: string | undefined
    do {
      const page = value(await notebook.list({ cursor: next, limit: 10 }))
      seen.push(...page.notes.map(({ id }) => id))
      next = page.nextCursor
    } while (next)
    expect(new Set(seen).size).toBe(25)
    expect(seen).toHaveLength(25)
    expect(await notebook.list({ cursor: 'bogus' })).toEqual({
      ok: false,
      error: { reason: 'malformed_cursor' },
    })
  })

  it('tells which notes changed since a cursor', async () => {
    const { notebook } = shared.instance(account())
    const first = value(await notebook.save({ text: 'first' }, claude))
    const { cursor: place } = await notebook.changesSince(undefined)
    const second = value(await notebook.save({ text: 'second' }, claude))
    value(await notebook.remove(first.id))

    const changes = await notebook.changesSince(place)
    expect(changes).toMatchObject({ changed: [second.id, first.id], incomplete: false })
    expect((await notebook.changesSince(changes.cursor)).changed).toEqual([])
    expect((await notebook.changesSince('1-1')).incomplete).toBe(true)
  })
})

it.each([
  { what: 'a text over 64 KB', draft: { text: 'ä'.repeat(33_000) }, words: '66,000 bytes; at most 65,536' },
  { what: 'a long title', draft: { title: 't'.repeat(201), text: 'x' }, words: 'title has 201 characters' },
  { what: 'a long tag', draft: { text: 'x', tags: ['t'.repeat(41)] }, words: 'tag has 41 characters' },
  {
    what: 'too many tags',
    draft: { text: 'x', tags: Array.from({ length: 21 }, (_, index) => `t${index}`) },
    words: 'at most 20 tags; these are 21',
  },
  { what: 'nothing', draft: { text: ' \n ' }, words: 'needs a title or a text' },
])('refuses $what and says the limit', async ({ draft, words }) => {
  const shared = await backends[0]!.open()
  const result = await shared.instance().notebook.save(draft, claude)
  await shared.stop()
  expect(result.ok ? '' : explain(result.error)).toContain(words)
})
