import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { SWAP_ATTEMPTS } from '#lib/config/limits'
import { get, set } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { editRecord, readRecord, UnreadableRecord } from '#lib/store/record'
import { type Backend, localBackend } from '#test/store/backends'

const Count = z.looseObject({ v: z.literal(1), n: z.number() })
let backend: Backend
let store: Store

beforeAll(async () => {
  backend = await localBackend()
  store = backend.stores[0]
})
afterAll(() => backend.stop())

const increment = (key: string) =>
  editRecord(store, { key, schema: Count }, (current) =>
    current ? { write: { ...current, n: current.n + 1 }, answer: current.n + 1 } : { leave: true, answer: 0 },
  )

it('keeps members that this release does not know', async () => {
  await store.run(set('known', '{"v":1,"later":{"a":1},"n":1}'))
  expect(await increment('known')).toBe(2)
  expect(JSON.parse((await store.run(get('known'))) ?? '')).toEqual({ v: 1, later: { a: 1 }, n: 2 })
})

it('loses no edit of several at the same time, and answers each its own', async () => {
  await store.run(set('many', '{"v":1,"n":0}'))
  const answers = await Promise.all(Array.from({ length: SWAP_ATTEMPTS }, () => increment('many')))
  expect(answers.sort((a, b) => a - b)).toEqual(
    Array.from({ length: SWAP_ATTEMPTS }, (_, index) => index + 1),
  )
})

it('gives up as an outage when others are always faster', async () => {
  await store.run(set('busy', '{"v":1,"n":0}'))
  let looks = 0
  const edit = editRecord(store, { key: 'busy', schema: Count }, (current) => {
    // The other writer commits between the look and the swap.
    void store.run(set('busy', JSON.stringify({ v: 1, n: ++looks })))
    return { write: { ...current, v: 1 as const, n: -1 }, answer: 'done' }
  })
  await expect(edit).rejects.toThrow(StoreUnavailable)
  expect(looks).toBe(SWAP_ATTEMPTS)
})

it('leaves an absent record absent', async () => {
  expect(await increment('absent')).toBe(0)
  const made = editRecord(store, { key: 'absent', schema: Count }, () => ({
    write: { v: 1 as const, n: 1 },
    answer: 1,
  }))
  await expect(made).rejects.toThrow('not there')
  expect(await readRecord(store, 'absent', Count)).toBeUndefined()
})

it('deletes with null, and gives a lifetime where told', async () => {
  await store.run(set('short', '{"v":1,"n":0}'))
  await editRecord(store, { key: 'short', schema: Count }, () => ({
    write: { v: 1 as const, n: 1 },
    ttlMs: 1000,
    answer: undefined,
  }))
  await backend.passes(1001)
  expect(await readRecord(store, 'short', Count)).toBeUndefined()
  await store.run(set('gone', '{"v":1,"n":0}'))
  await editRecord(store, { key: 'gone', schema: Count }, () => ({ write: null, answer: undefined }))
  expect(await readRecord(store, 'gone', Count)).toBeUndefined()
})

it.each([
  { text: 'no JSON', stored: '{' },
  { text: 'another shape', stored: '{"v":1,"n":"secret"}' },
  { text: 'another version', stored: '{"v":2,"n":1}' },
])('throws for a record that is $text, leaves it alone and does not quote it', async ({ stored }) => {
  await store.run(set('odd', stored))
  const error = await readRecord(store, 'odd', Count).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UnreadableRecord)
  expect(String(error)).not.toContain('secret')
  await expect(increment('odd')).rejects.toThrow(UnreadableRecord)
  expect(await store.run(get('odd'))).toBe(stored)
})
