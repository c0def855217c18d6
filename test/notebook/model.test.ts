import { array, assert, asyncProperty, constantFrom, nat, oneof, record, string } from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { backends, claude, type Instance, type Shared } from '#test/notebook/instances'

let shared: Shared
let accounts = 0
beforeAll(async () => {
  shared = await backends[0]!.open()
})
afterAll(() => shared.stop())

const text = oneof(
  string({ minLength: 1 }).map((some) => `n${some}`),
  nat(3).map((size) => 'x'.repeat(1 + size * 20_000)),
)
const step = record({
  kind: constantFrom('save', 'edit', 'remove', 'append', 'import', 'read', 'restart', 'sleep'),
  /** Which of the two instances acts. */
  on: nat(1),
  /** Which of the notes, counted round. */
  which: nat(20),
  text,
})

it('any sequence of operations over two instances shows what a plain list of notes would', async () => {
  await assert(
    asyncProperty(array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const name = `model-${++accounts}`
      const instances: [Instance, Instance] = [shared.instance(name), shared.instance(name)]
      const model = new Map<string, string>()
      for (const { kind, on, which, text: given } of steps) {
        const { notebook } = instances[on === 0 ? 0 : 1]
        const written = given.replace(/(?![\n\t])\p{Cc}/gu, '').normalize('NFC')
        const id = [...model.keys()][which % Math.max(model.size, 1)] ?? 'none'
        const known = model.has(id)
        if (kind === 'save') {
          const saved = await notebook.save({ title: 'T', text: written }, claude)
          if (saved.ok) model.set(saved.value.id, written)
        } else if (kind === 'edit') {
          expect((await notebook.edit(id, { text: written }, claude)).ok).toBe(known)
          if (known) model.set(id, written)
        } else if (kind === 'append') {
          const next = `${model.get(id)}\n${written}`
          const fits = next.length <= 64 * 1024
          expect((await notebook.edit(id, { append: written }, claude)).ok).toBe(known && fits)
          if (known && fits) model.set(id, next.normalize('NFC'))
        } else if (kind === 'remove') {
          expect((await notebook.remove(id)).ok).toBe(known)
          model.delete(id)
        } else if (kind === 'import') {
          const drafts = [
            { title: 'I', text: written },
            { title: 'J', text: 'j' },
          ]
          for (const { note } of (await notebook.importMany(drafts, { client: claude })).saved) {
            model.set(note.id, note.text)
          }
        } else if (kind === 'read') {
          const read = await notebook.read(id)
          expect(read.ok ? read.value.text : undefined).toBe(model.get(id))
        } else if (kind === 'restart') {
          instances[on === 0 ? 0 : 1] = shared.instance(name)
        } else {
          shared.passes(11_000)
        }
      }
      for (const { notebook } of [...instances, shared.instance(name)]) {
        const page = await notebook.list()
        const seen = page.ok ? page.value.notes.map((note) => [note.id, note.text] as const) : []
        expect(new Map(seen)).toEqual(model)
        expect(seen).toHaveLength(model.size)
      }
    }),
    { numRuns: 60, seed: 20_261_122 },
  )
}, 60_000)
