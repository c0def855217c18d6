import { describe, expect, it } from 'vitest'
import { memberName } from '#lib/identity/member-name'

const foldedOf = (text: string) => {
  const name = memberName(text)
  return name.ok ? name.value.folded : undefined
}

describe('memberName', () => {
  it.each([
    { what: 'case', one: 'Anna', other: 'aNNA' },
    { what: 'blanks around and between', one: '  Anna   Karina ', other: 'Anna Karina' },
    { what: 'full width letters', one: 'Ａｎｎａ', other: 'Anna' },
    { what: 'a composed and a decomposed letter', one: 'Zo\u00eb', other: 'Zoe\u0308' },
    { what: 'sharp s', one: 'Strauß', other: 'STRAUSS' },
    { what: 'a ligature', one: 'ﬁona', other: 'Fiona' },
    { what: 'the final sigma', one: 'Οδυσσεύς', other: 'ΟΔΥΣΣΕΎΣ' },
  ])('finds one person whatever the $what', ({ one, other }) => {
    expect(foldedOf(one)).toBeDefined()
    expect(foldedOf(one)).toBe(foldedOf(other))
  })

  it('keeps the name as it was written for pages', () => {
    expect(memberName('  Anna   McKay ')).toMatchObject({ ok: true, value: { shown: 'Anna McKay' } })
  })

  it('tells two people apart', () => {
    expect(foldedOf('Anna')).not.toBe(foldedOf('Anne'))
  })

  it.each([
    { what: 'nothing', name: '', error: 'empty' },
    { what: 'blanks', name: ' \t ', error: 'empty' },
    { what: 'a line break', name: 'An\nna', error: 'invisible_characters' },
    { what: 'NUL', name: 'An\0na', error: 'invisible_characters' },
    { what: 'a change of direction', name: 'An\u202ena', error: 'invisible_characters' },
    { what: 'a zero-width blank', name: 'An\u200bna', error: 'invisible_characters' },
    { what: 'a Hangul filler', name: '\u3164', error: 'invisible_characters' },
    { what: 'half a surrogate pair', name: 'An\ud800na', error: 'invisible_characters' },
    { what: '65 characters', name: 'x'.repeat(65), error: 'too_long' },
  ])('refuses $what', ({ name, error }) => {
    expect(memberName(name)).toEqual({ ok: false, error })
  })

  it.each([{ name: 'x'.repeat(64) }, { name: '🦊'.repeat(64) }])('accepts 64 characters', ({ name }) => {
    expect(memberName(name).ok).toBe(true)
  })
})
