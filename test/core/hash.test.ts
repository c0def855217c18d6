import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalInConstantTime, hmacSha256, sha256 } from '#lib/core/hash'

describe('sha256', () => {
  it('is what Node computes, in base64url', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        expect(await sha256(text)).toBe(createHash('sha256').update(text).digest('base64url'))
      }),
    )
  })

  it('makes the PKCE challenge of RFC 7636 appendix B', async () => {
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    expect(await sha256(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })
})

describe('hmacSha256', () => {
  it('is what Node computes, in base64url', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.string(), async (key, text) => {
        expect(await hmacSha256(key, text)).toBe(createHmac('sha256', key).update(text).digest('base64url'))
      }),
    )
  })
})

describe('equalInConstantTime', () => {
  it('agrees with ===', () => {
    const close = fc
      .tuple(fc.string(), fc.string())
      .chain(([left, right]) =>
        fc.constantFrom([left, right], [left, left], [left, `${left}${right}`], [`${left}\0`, left]),
      )
    fc.assert(
      fc.property(close, ([left = '', right = '']) => {
        expect(equalInConstantTime(left, right)).toBe(left === right)
      }),
    )
  })

  it.each([
    { left: '', right: '\0' },
    { left: 'a', right: 'a\0' },
    { left: 'a\0', right: 'a' },
    { left: 'a', right: '' },
  ])('tells a missing character from NUL ($left, $right)', ({ left, right }) => {
    expect(equalInConstantTime(left, right)).toBe(false)
  })
})
