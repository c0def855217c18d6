import { describe, expect, it } from 'vitest'
import { bearerToken } from '#lib/oauth/bearer'

const read = (authorization?: string) =>
  bearerToken(
    new Request('https://gate.example/api/mcp?access_token=q', {
      headers: authorization ? { authorization } : {},
    }),
  )

describe('the bearer token of a request', () => {
  it.each([
    { header: undefined, kind: 'missing' },
    { header: 'Basic YTpi', kind: 'missing' },
    { header: 'Bearer', kind: 'missing' },
    { header: 'Bearerabc', kind: 'missing' },
    { header: 'DPoP abc', kind: 'missing' },
    { header: 'Bearer a b', kind: 'invalid_request' },
    { header: 'Bearer a, Bearer b', kind: 'invalid_request' },
    { header: 'Bearer "abc"', kind: 'invalid_token' },
    { header: 'Bearer ä', kind: 'invalid_token' },
    { header: `Bearer ${'a'.repeat(4097)}`, kind: 'invalid_token' },
  ])('in $header is $kind', ({ header, kind }) => {
    expect(read(header)).toEqual({ ok: false, error: { kind } })
  })

  it.each(['Bearer abc', 'bearer abc', 'BEARER   abc', 'Bearer abc '])('is read from %s', (header) => {
    expect(read(header)).toEqual({ ok: true, value: 'abc' })
  })
})
