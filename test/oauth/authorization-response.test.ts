import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorizationResponse } from '#lib/oauth/authorization-response'
import type { RegisteredRedirectUri } from '#lib/oauth/redirect-uri'

const ISSUER = 'https://gate.example'
const answer = (redirectUri: string, rawState?: string) =>
  authorizationResponse(
    { redirectUri: redirectUri as RegisteredRedirectUri, rawState },
    { code: 'g.c' },
    ISSUER,
  )
const TAIL = 'code=g.c&state=s&iss=https%3A%2F%2Fgate.example'

describe('an authorization response', () => {
  it.each([
    { uri: 'https://a.example/cb', url: `https://a.example/cb?${TAIL}` },
    { uri: 'https://a.example/cb?', url: `https://a.example/cb?${TAIL}` },
    { uri: 'https://a.example/cb?keep=%2F+1', url: `https://a.example/cb?keep=%2F+1&${TAIL}` },
    { uri: 'https://a.example/cb?a=1?b', url: `https://a.example/cb?a=1?b&${TAIL}` },
    {
      uri: 'https://a.example/cb?code=evil&st%61te=x&a=1&iss=x&error=y',
      url: `https://a.example/cb?a=1&${TAIL}`,
    },
    { uri: 'https://a.example/cb?&&a', url: `https://a.example/cb?a&${TAIL}` },
    { uri: 'cursor://x/cb', url: `cursor://x/cb?${TAIL}` },
    { uri: 'com.example.app:/cb', url: `com.example.app:/cb?${TAIL}` },
  ])('to $uri keeps the registered query and replaces its own parameters', ({ uri, url }) => {
    expect(answer(uri, 's')).toBe(url)
  })

  it('has no state when none was sent', () => {
    expect(answer('https://a.example/cb')).not.toContain('state')
  })

  it('gives the client back exactly the state it sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (state) => {
        const url = new URL(answer('https://a.example/cb?a=1', encodeURIComponent(state)))
        expect(url.searchParams.getAll('state')).toEqual([state])
        expect(url.searchParams.getAll('code')).toEqual(['g.c'])
        expect(url.searchParams.getAll('iss')).toEqual([ISSUER])
        expect(url.origin).toBe('https://a.example')
      }),
    )
  })
})
