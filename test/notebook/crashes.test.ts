import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import type { Operation } from '#lib/store/port'
import { StoreUnavailable } from '#lib/store/port'
import { backends, claude, type Instance, type Shared } from '#test/notebook/instances'

const isWrite = (operations: readonly Operation[]) => operations.some(({ kind }) => kind === 'append')

describe.each(backends)('over $name', ({ open }) => {
  let shared: Shared
  let accounts = 0
  let name: string
  let writer: Instance
  let reader: Instance

  beforeAll(async () => {
    shared = await open()
  })
  afterAll(() => shared.stop())
  beforeEach(async () => {
    name = `crash-${++accounts}`
    writer = shared.instance(name)
    reader = shared.instance(name)
    await writer.notebook.save({ text: 'base' }, claude)
    await reader.notebook.list()
  })

  const texts = async ({ notebook }: Instance) => {
    const page = await notebook.list()
    return page.ok ? page.value.notes.map(({ text }) => text).sort() : []
  }

  /** The writer dies after announcing a change and before making it. */
  async function announceOnly(text: string) {
    writer.intercept = (operations) => (isWrite(operations) ? operations.slice(0, 1) : operations)
    writer.answered = (operations) => {
      if (isWrite(operations)) throw new StoreUnavailable('the process died')
    }
    await expect(writer.notebook.save({ text }, claude)).rejects.toThrow(StoreUnavailable)
    writer.intercept = undefined
    writer.answered = undefined
  }

  it('a change that was announced and never made is gone with the second look, everywhere', async () => {
    await announceOnly('ghost')
    const late = shared.instance(name)
    await texts(reader)
    expect(await texts(reader)).toEqual(['base'])
    expect(await texts(late)).toEqual(['base'])
    expect(await texts(writer)).toSatisfy((seen: string[]) => seen.includes('base'))
    expect(await texts(writer)).toEqual(['base'])
  })

  it('the doubt about it ends, and looking is one plain request again', async () => {
    await announceOnly('ghost')
    await texts(reader)
    shared.passes(11_000)
    await texts(reader)
    reader.requests.length = 0
    await texts(reader)
    expect(reader.requests).toEqual([['read']])
  })

  it('writing goes on upon a change that was never made', async () => {
    await announceOnly('ghost')
    await texts(reader)
    expect((await reader.notebook.save({ text: 'after' }, claude)).ok).toBe(true)
    for (const instance of [reader, writer, shared.instance(name)]) {
      await texts(instance)
      expect(await texts(instance)).toEqual(['after', 'base'])
    }
  })

  it('a first segment that was announced and never made leaves an empty notebook that works', async () => {
    name = `${name}-new`
    writer = shared.instance(name)
    reader = shared.instance(name)
    await reader.notebook.list()
    await announceOnly('ghost')
    expect(await texts(reader)).toEqual([])
    expect((await reader.notebook.save({ text: 'real' }, claude)).ok).toBe(true)
    expect(await texts(writer)).toEqual(['real'])
    expect(await texts(shared.instance(name))).toEqual(['real'])
  })

  it('a change made between an instance’s two looks at log and segments is not missed', async () => {
    const slow = shared.instance(name)
    // Announced before the newcomer reads the log, made after it has read the segments.
    writer.intercept = async (operations) => {
      if (!isWrite(operations)) return operations
      await shared.store.batch(...operations.slice(0, 1))
      expect(await texts(slow)).toEqual(['base'])
      writer.intercept = undefined
      return operations.slice(1)
    }
    await writer.notebook.save({ text: 'late' }, claude).catch(() => undefined)
    expect(await texts(slow)).toEqual(['base', 'late'])
  })

  it('a reply lost after the change was made, and the change sent again, saves one note', async () => {
    writer.intercept = async (operations) => {
      if (isWrite(operations)) await shared.store.batch(...operations)
      return operations
    }
    expect((await writer.notebook.save({ text: 'once' }, claude)).ok).toBe(true)
    writer.intercept = undefined
    for (const instance of [writer, reader, shared.instance(name)]) {
      expect(await texts(instance)).toEqual(['base', 'once'])
      expect(await texts(instance)).toEqual(['base', 'once'])
    }
  })

  it('the same with another writer in between', async () => {
    writer.intercept = async (operations) => {
      if (!isWrite(operations)) return operations
      writer.intercept = undefined
      await shared.store.batch(...operations)
      await reader.notebook.save({ text: 'between' }, claude)
      return operations
    }
    expect((await writer.notebook.save({ text: 'once' }, claude)).ok).toBe(true)
    for (const instance of [writer, reader, shared.instance(name)]) {
      await texts(instance)
      expect(await texts(instance)).toEqual(['base', 'between', 'once'])
    }
  })

  it('a death between the two steps of a move leaves one note, and deleting it deletes both copies', async () => {
    const filler = Array.from({ length: 50 }, () => ({ text: 'f'.repeat(1000) }))
    await writer.notebook.importMany(filler, { client: claude })
    const page = await writer.notebook.list()
    const ids = page.ok ? page.value.notes.slice(0, 4).map(({ id }) => id) : []
    for (const id of ids.slice(0, 3)) await writer.notebook.edit(id, { text: '"'.repeat(40_000) }, claude)
    let writes = 0
    writer.intercept = (operations) => {
      if (isWrite(operations) && ++writes === 2) throw new StoreUnavailable('the process died')
      return operations
    }
    const [moved = ''] = ids.slice(3)
    await expect(writer.notebook.edit(moved, { text: `new ${'"'.repeat(60_000)}` }, claude)).rejects.toThrow()
    expect(writes).toBe(2)

    const late = shared.instance(name)
    const read = await late.notebook.read(moved)
    expect(read.ok && read.value.text.startsWith('new ')).toBe(true)
    const all = await late.notebook.list()
    expect(all.ok && all.value.total).toBe(51)
    expect((await late.notebook.remove(moved)).ok).toBe(true)
    for (const instance of [late, reader, shared.instance(name)]) {
      expect((await instance.notebook.read(moved)).ok).toBe(false)
    }
  })

  it('an entry of a later release is no obstacle', async () => {
    await shared.store.run({
      kind: 'append',
      log: keys.noteChanges(name),
      data: JSON.stringify({ v: 2, something: 'else' }),
      keep: 256,
    })
    expect(await texts(reader)).toEqual(['base'])
    expect(await texts(shared.instance(name))).toEqual(['base'])
  })

  it('members that this release does not know survive an edit', async () => {
    const key = keys.noteSegment(name, 0)
    const stored = JSON.parse((await shared.store.run({ kind: 'get', key, fresh: true })) ?? '')
    const later = { v: 1, color: 'of later', ...stored, notes: [{ mood: 'new', ...stored.notes[0] }] }
    await shared.store.run({ kind: 'set', key, value: JSON.stringify(later), ifAbsent: false })

    const { notebook } = shared.instance(name)
    await notebook.edit(stored.notes[0].id, { text: 'changed' }, claude)
    const after = JSON.parse((await shared.store.run({ kind: 'get', key, fresh: true })) ?? '')
    expect(after).toMatchObject({ color: 'of later', notes: [{ mood: 'new', text: 'changed' }] })
  })
})
