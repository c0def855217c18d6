import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText, fromBase64url, toBase64url } from '#lib/core/base64url'

describe('base64url', () => {
  it('gives back any bytes, and spells them as Node does', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = toBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(text)).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeText(encodeText(text))).toBe(text)
      }),
    )
  })

  it('has one spelling for each value: whatever is read is written alike', () => {
    fc.assert(
      fc.property(fc.base64String(), fc.string(), (base64, noise) => {
        for (const text of [base64, noise]) {
          const bytes = fromBase64url(text)
          if (bytes) expect(toBase64url(bytes)).toBe(text)
        }
      }),
    )
  })

  it.each([
    { what: 'padding', text: 'QQ==' },
    { what: 'the other alphabet', text: '+/+/' },
    { what: 'a blank', text: 'QU JD' },
    { what: 'a line break at the end', text: 'QUJD\n' },
    { what: 'a single character', text: 'A' },
    { what: 'unused bits that are set', text: 'QR' },
  ])('refuses $what', ({ text }) => {
    expect(fromBase64url(text)).toBeUndefined()
    expect(decodeText(text)).toBeUndefined()
  })

  it('keeps a byte order mark and refuses bytes that are no UTF-8', () => {
    expect(decodeText(encodeText('\ufeffa'))).toBe('\ufeffa')
    expect(decodeText(toBase64url(new Uint8Array([0xff, 0xfe])))).toBeUndefined()
  })
})
