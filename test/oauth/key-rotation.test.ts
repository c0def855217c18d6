import { beforeAll, describe, expect, it } from 'vitest'
import { METADATA_MAX_AGE_SECONDS, SIGNING_KEY_MARGIN_MS, SIGNING_KEY_MAX_AGE_MS } from '#lib/config/limits'
import { advanceKeys, signsFrom, stepDueAt, withNextKey } from '#lib/oauth/key-rotation'
import { createSigningKeys, type SigningKeysRecord } from '#lib/oauth/signing-keys'

const START = Date.UTC(2026, 10, 22)
const PUBLISHED_MS = METADATA_MAX_AGE_SECONDS * 1000
const rules = { accessTokenSeconds: 3600 }
const KEPT_MS = rules.accessTokenSeconds * 1000 + SIGNING_KEY_MARGIN_MS

let first: SigningKeysRecord
let published: SigningKeysRecord
let promoted: SigningKeysRecord
beforeAll(async () => {
  first = await createSigningKeys(START)
  published = (await withNextKey(first, START)) ?? first
  promoted = (await advanceKeys(published, { ...rules, now: START + PUBLISHED_MS })) ?? published
})

const states = (record: SigningKeysRecord | undefined) => record?.keys.map(({ state }) => state).join(' ')
const advance = (record: SigningKeysRecord, now: number) => advanceKeys(record, { ...rules, now })

describe('the rotation of signing keys', () => {
  it('changes nothing before something is due', async () => {
    expect(await advance(first, START + SIGNING_KEY_MAX_AGE_MS - 1)).toBeUndefined()
    expect(await advance(published, START + PUBLISHED_MS - 1)).toBeUndefined()
    expect(await advance(promoted, START + PUBLISHED_MS + KEPT_MS - 1)).toBeUndefined()
  })

  it.each([
    {
      step: 'publishes a key when the current one is old',
      from: () => first,
      after: SIGNING_KEY_MAX_AGE_MS,
      to: 'current next',
    },
    {
      step: 'signs with it once old documents are gone',
      from: () => published,
      after: PUBLISHED_MS,
      to: 'retired current',
    },
    {
      step: 'drops the old one after its last token',
      from: () => promoted,
      after: PUBLISHED_MS + KEPT_MS,
      to: 'current',
    },
  ])('$step', async ({ from, after, to }) => {
    expect(stepDueAt(from())).toBe(START + after)
    expect(states(await advance(from(), START + after))).toBe(to)
  })

  it('keeps every key that may have signed a living token', async () => {
    const [old] = first.keys
    for (const record of [published, promoted]) expect(record.keys.map(({ kid }) => kid)).toContain(old?.kid)
    expect(promoted.keys[1]?.kid).toBe(published.keys[1]?.kid)
  })

  it('counts the age of a key from the moment it signs', async () => {
    const old = START + PUBLISHED_MS + SIGNING_KEY_MAX_AGE_MS
    const single = await advance(promoted, START + PUBLISHED_MS + KEPT_MS)
    expect(single && stepDueAt(single)).toBe(old)
  })

  it('publishes one key at a time, however often it is asked to', async () => {
    expect(await withNextKey(published, START + 1)).toBeUndefined()
    expect(signsFrom(published)).toBe(START + PUBLISHED_MS)
    expect(signsFrom(promoted)).toBeUndefined()
  })

  it('goes through a whole rotation that nobody noticed for months, step by step', async () => {
    const now = START + 2 * SIGNING_KEY_MAX_AGE_MS
    const next = await advance(published, now)
    expect(states(next)).toBe('retired current')
    expect(next?.keys[0]?.verifyUntil).toBe(now + KEPT_MS)
  })

  it('keeps members of a later release', async () => {
    const later = { ...published, note: 'later' }
    expect(await advance(later, START + PUBLISHED_MS)).toMatchObject({ note: 'later' })
  })
})
