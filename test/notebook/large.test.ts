import { afterAll, beforeAll, expect, it } from 'vitest'
import { NOTES_MAX } from '#lib/config/limits'
import { backends, claude, type Instance, type Shared } from '#test/notebook/instances'

let shared: Shared
let full: Instance
const vocabulary = Array.from({ length: 5000 }, (_, index) => `word${(index * 7919) % 5000}`)

beforeAll(async () => {
  shared = await backends[0]!.open()
  full = shared.instance()
  const drafts = Array.from({ length: NOTES_MAX }, (_, index) => ({
    title: `Note ${index} on ${vocabulary[index % 5000]}`,
    text: Array.from({ length: 60 }, (_, place) => vocabulary[(index * 31 + place * 97) % 5000]).join(' '),
    tags: [`tag${index % 50}`],
  }))
  const imported = await full.notebook.importMany(drafts, { client: claude })
  expect(imported.saved).toHaveLength(NOTES_MAX)
}, 120_000)
afterAll(() => shared.stop())

it('a warm search at 10,000 notes is one store request', async () => {
  await full.notebook.search('word42')
  full.requests.length = 0
  const startedAt = performance.now()
  for (let count = 0; count < 50; count++)
    await full.notebook.search(`word${count * 13} word${count * 13 + 97}`)
  const ms = (performance.now() - startedAt) / 50
  expect(full.requests).toEqual(Array.from({ length: 50 }, () => ['read']))
  expect(ms).toBeLessThan(200)
})

it('a cold search reads 32 segments a request and finds the same', async () => {
  const cold = shared.instance()
  const found = await cold.notebook.search('word4242')
  const warm = await full.notebook.search('word4242')
  expect(found).toEqual(warm)
  expect(cold.requests.length).toBeLessThanOrEqual(9)
})

it('one note more is refused with the limit, and deleting one makes room', async () => {
  expect(await full.notebook.save({ text: 'one more' }, claude)).toEqual({
    ok: false,
    error: { reason: 'too_many_notes', limit: NOTES_MAX },
  })
  const more = await full.notebook.importMany([{ text: 'one more' }], { client: claude })
  expect(more.refused).toMatchObject([{ index: 0, fault: { reason: 'too_many_notes' } }])

  const page = await full.notebook.list({ limit: 1 })
  await full.notebook.remove(page.ok ? (page.value.notes[0]?.id ?? '') : '')
  expect((await full.notebook.save({ text: 'one more' }, claude)).ok).toBe(true)
})

it('a notebook whose notes take too many bytes is full, and says so', async () => {
  const { notebook } = shared.instance('heavy')
  const drafts = Array.from({ length: 300 }, (_, index) => ({ text: `${index} ${'h'.repeat(60_000)}` }))
  const imported = await notebook.importMany(drafts, { client: claude })
  expect(imported.saved.length).toBeGreaterThan(180)
  expect(imported.saved.length + imported.refused.length).toBe(300)
  expect(imported.refused.every(({ fault }) => fault.reason === 'notebook_full')).toBe(true)
})
