import { describe, expect, it } from 'vitest'
import { cookie, cookieName, readCookie } from '#lib/http/cookies'

const read = (header: string, name: string) =>
  readCookie(new Request('https://a.example/', { headers: { Cookie: header } }), name)

describe('readCookie', () => {
  it.each([
    { what: 'the only one', header: 'id=abc', value: 'abc' },
    { what: 'one among others', header: 'a=1; id=abc; b=2', value: 'abc' },
    { what: 'one without blanks around it', header: 'a=1;id=abc;b=2', value: 'abc' },
    { what: 'a value with equals signs', header: 'id=a=b=', value: 'a=b=' },
    { what: 'an empty value', header: 'id=', value: '' },
    { what: 'the same value twice', header: 'id=abc; id=abc', value: 'abc' },
    { what: 'two values, of which one was planted', header: 'id=abc; id=evil', value: undefined },
    { what: 'a name that only ends alike', header: 'xid=abc', value: undefined },
    { what: 'a name that only begins alike', header: 'id2=abc', value: undefined },
    { what: 'a name in other case', header: 'ID=abc', value: undefined },
    { what: 'a name without a value', header: 'id', value: undefined },
  ])('reads $what', ({ header, value }) => {
    expect(read(header, 'id')).toBe(value)
  })

  it('reads nothing without a header', () => {
    expect(readCookie(new Request('https://a.example/'), 'id')).toBeUndefined()
  })
})

describe('cookie', () => {
  it.each([
    {
      secure: true,
      line: '__Host-gatehouse-session=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure',
    },
    { secure: false, line: 'gatehouse-session=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60' },
  ])('keeps the rules of its prefix with secure=$secure and names no domain', ({ secure, line }) => {
    expect(cookie(cookieName('session', secure), 'v', { maxAgeSeconds: 60, secure })).toBe(line)
  })
})
