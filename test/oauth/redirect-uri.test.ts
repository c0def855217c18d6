import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchRedirectUri, redirectHost, redirectKind, redirectPlace } from '#lib/oauth/redirect-uri'

describe('the kind of a redirect URI', () => {
  it.each([
    ['https://claude.ai/api/mcp/auth_callback', 'https'],
    ['https://app.example:8443/cb?keep=1', 'https'],
    ['http://localhost:3118/callback', 'loopback'],
    ['http://127.0.0.1', 'loopback'],
    ['http://[::1]:1/cb', 'loopback'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'private-use'],
    ['com.example.app:/cb', 'private-use'],
    ['http://localhost.evil.example/cb', undefined],
    ['http://127.0.0.2/cb', undefined],
    ['http://LOCALHOST/cb', undefined],
    ['http://app.example/cb', undefined],
    ['https://app.example/cb#', undefined],
    ['https://user@app.example/cb', undefined],
    ['https://:secret@app.example/cb', undefined],
    ['https://app.example\\@evil.example/', undefined],
    ['https://ex%61mple.com/', undefined],
    ['https://0x7f.1/', undefined],
    ['https://*.example.com/', undefined],
    ['https:app.example/cb', undefined],
    ['https:///app.example/cb', undefined],
    ['https://app.example/a b', undefined],
    ['https://app.example/\n', undefined],
    ['https://äpp.example/', undefined],
    ['/callback', undefined],
    ['', undefined],
    ['localhost:3000/cb', undefined],
    ['unknown://cb', undefined],
    ['ms-settings:cb', undefined],
    ...'javascript data vbscript file blob about filesystem view-source mailto tel ftp ws wss intent'
      .split(' ')
      .map((scheme) => [`${scheme}:x`, undefined] as const),
    ['JavaScript:alert(1)', undefined],
    [`https://app.example/${'p'.repeat(492)}`, 'https'],
    [`https://app.example/${'p'.repeat(493)}`, undefined],
  ] as const)('of %s is %s', (uri, kind) => {
    expect(redirectKind(uri)).toBe(kind)
  })
})

describe('matching a redirect URI', () => {
  it.each([
    { registered: ['http://localhost/cb'], requested: 'http://localhost:49152/cb', matches: true },
    { registered: ['http://127.0.0.1:33418/'], requested: 'http://127.0.0.1:5/', matches: true },
    { registered: ['http://[::1]/cb'], requested: 'http://[::1]:5/cb', matches: true },
    { registered: ['http://localhost/cb'], requested: 'http://127.0.0.1/cb', matches: false },
    { registered: ['http://localhost/cb'], requested: 'http://localhost:1/cb/', matches: false },
    { registered: ['http://localhost/cb'], requested: 'http://localhost:1/cb?x=1', matches: false },
    { registered: ['http://localhost/cb'], requested: 'https://localhost:1/cb', matches: false },
    { registered: ['http://localhost/cb'], requested: 'http://localhost:1@evil.example/cb', matches: false },
    { registered: ['http://localhost/cb'], requested: 'http://localhost:99999/cb', matches: false },
    { registered: ['http://localhost/cb'], requested: 'http://localhost:/cb', matches: false },
    { registered: ['https://a.example:1/cb'], requested: 'https://a.example:2/cb', matches: false },
    { registered: ['https://a.example/cb'], requested: 'https://a.example/CB', matches: false },
    { registered: ['https://a.example/cb'], requested: 'https://a.example/x/../cb', matches: false },
    { registered: ['https://a.example/cb'], requested: 'https://a.example/%63b', matches: false },
    { registered: ['https://a.example/cb'], requested: 'https://a.example:443/cb', matches: false },
  ])('finds $requested among $registered: $matches', ({ registered, requested, matches }) => {
    expect(matchRedirectUri(registered, requested)).toBe(matches ? requested : undefined)
  })

  it('means the only one when none is sent, and none of several', () => {
    expect(matchRedirectUri(['https://a.example/'], undefined)).toBe('https://a.example/')
    expect(matchRedirectUri(['https://a.example/', 'https://b.example/'], undefined)).toBeUndefined()
  })

  it('never leads off the machine or to another https address than the registered one', () => {
    const registered = ['https://a.example/cb', 'http://localhost/cb']
    const pieces = fc.constantFrom(
      'http',
      's',
      '://',
      'localhost',
      ':80',
      '@',
      'evil.example',
      '/cb',
      '/',
      '#',
      '?',
      'a.example',
      '\\',
      '%2f',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const matched = matchRedirectUri(registered, parts.join(''))
        if (matched === undefined || matched === registered[0]) return true
        const { hostname, pathname, search } = new URL(matched)
        return hostname === 'localhost' && pathname === '/cb' && search === ''
      }),
      { numRuns: 3000 },
    )
  })
})

describe('where an answer goes', () => {
  it.each([
    { uri: 'https://a.example:8443/cb', host: 'a.example:8443', place: 'https://a.example:8443' },
    { uri: 'http://localhost:5/cb', host: 'localhost:5', place: 'http://localhost' },
    { uri: 'cursor://x/y', host: 'cursor:', place: 'cursor:' },
  ])('$uri is $host for people and $place for the client key', ({ uri, host, place }) => {
    expect(redirectHost(uri)).toBe(host)
    expect(redirectPlace(uri)).toBe(place)
  })
})
