import { describe, expect, it } from 'vitest'
import { readPersonalTokenRequest } from '#lib/oauth/personal-token-request'

const offered = { scopes: [{ name: 'notes:read' }, { name: 'notes:write' }], days: [7, 30] }
const good = { name: 'Backup', scopes: ['notes:read'], days: 30 }
const read = (changed: Partial<typeof good>) => readPersonalTokenRequest({ ...good, ...changed }, offered)

describe('a request for a personal access token', () => {
  it.each([
    { name: '  Backup   script ', shown: 'Backup script' },
    { name: 'Ａ', shown: 'Ａ' },
    { name: 'e\u0301', shown: 'é' },
    { name: '😀'.repeat(64), shown: '😀'.repeat(64) },
  ])('shows the name $name as $shown', ({ name, shown }) => {
    expect(read({ name })).toMatchObject({ ok: true, value: { name: shown } })
  })

  it.each([
    { what: 'no name', name: '' },
    { what: 'a name of spaces', name: ' \t ' },
    { what: 'a name of 65 characters', name: 'x'.repeat(65) },
    { what: 'a control character', name: 'a\u0000b' },
    { what: 'a direction mark', name: 'a\u202eb' },
    { what: 'an invisible character', name: 'a\u200bb' },
  ])('is refused with $what', ({ name }) => {
    expect(read({ name })).toEqual({ ok: false, error: 'name_invalid' })
  })

  it('keeps scopes once each, in the order of the server', () => {
    expect(read({ scopes: ['notes:write', 'notes:read', 'notes:write'] })).toMatchObject({
      value: { scopes: ['notes:read', 'notes:write'] },
    })
  })

  it.each([
    { scopes: [] },
    { scopes: ['notes:purge'] },
    { scopes: ['notes:read', 'offline_access'] },
    { scopes: [''] },
  ])('is refused with the scopes $scopes', ({ scopes }) => {
    expect(read({ scopes })).toEqual({ ok: false, error: 'scopes_invalid' })
  })

  it.each([
    { days: 0 },
    { days: -7 },
    { days: 8 },
    { days: 365 },
    { days: Number.NaN },
    { days: Number.POSITIVE_INFINITY },
  ])('is refused for $days days', ({ days }) => {
    expect(read({ days })).toEqual({ ok: false, error: 'expiry_invalid' })
  })
})
