import { describe, expect, it } from 'vitest'
import { cacheLifetimeMs } from '#lib/oauth/cache-lifetime'

const NOW = Date.UTC(2100, 0, 1)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const lifetime = (cacheControl: string | null, more: { expires?: string; age?: string } = {}) =>
  cacheLifetimeMs(
    { cacheControl, expires: more.expires ?? null, age: more.age ?? null },
    { now: NOW, minMs: MINUTE, maxMs: DAY },
  )

describe('how long an answer may be used again (RFC 9111 §4.2.1)', () => {
  it.each([
    { says: 'nothing', cacheControl: null, ms: MINUTE },
    { says: 'max-age', cacheControl: 'public, max-age=3600', ms: 3_600_000 },
    { says: 's-maxage before max-age', cacheControl: 'max-age=60, s-maxage=7200', ms: 7_200_000 },
    { says: 'less than a minute', cacheControl: 'max-age=0', ms: MINUTE },
    { says: 'exactly a minute', cacheControl: 'max-age=60', ms: MINUTE },
    { says: 'a second more', cacheControl: 'max-age=61', ms: 61_000 },
    { says: 'a year', cacheControl: 'max-age=31536000, immutable', ms: DAY },
    { says: 'capitals and quotes', cacheControl: 'Max-Age="300"', ms: 300_000 },
    { says: 'a negative age', cacheControl: 'max-age=-5', ms: MINUTE },
    { says: 'nonsense', cacheControl: 'max-age=soon', ms: MINUTE },
    { says: 'a fraction of a millisecond', cacheControl: 'max-age=99.0005', ms: 99_000 },
    { says: 'two ages', cacheControl: 'max-age=120, max-age=9000', ms: 120_000 },
  ])('is $ms ms for $says', ({ cacheControl, ms }) => {
    expect(lifetime(cacheControl)).toBe(ms)
  })

  it('takes off what it spent in caches on the way', () => {
    expect(lifetime('max-age=600', { age: '300' })).toBe(300_000)
  })

  it('reads Expires where no age is given, and not where one is', () => {
    const expires = new Date(NOW + 2 * 3_600_000).toUTCString()
    expect(lifetime(null, { expires })).toBe(7_200_000)
    expect(lifetime('max-age=300', { expires })).toBe(300_000)
    expect(lifetime(null, { expires: '0' })).toBe(MINUTE)
  })

  it.each(['no-store', 'no-cache', 'private', 'max-age=600, private', 'NO-STORE', 'no-cache="x", max-age=5'])(
    'is nothing for %s',
    (cacheControl) => {
      expect(lifetime(cacheControl)).toBeUndefined()
    },
  )
})
