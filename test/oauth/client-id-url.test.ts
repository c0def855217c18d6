import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { looksLikeClientIdUrl, readClientIdUrl } from '#lib/oauth/client-id-url'

describe('the address of a client id metadata document', () => {
  it.each([
    { url: 'https://app.example/client.json', host: 'app.example', origin: 'https://app.example' },
    { url: 'https://app.example/', host: 'app.example', origin: 'https://app.example' },
    { url: 'HTTPS://APP.example/C', host: 'app.example', origin: 'https://app.example' },
    { url: 'https://app.example:443/c', host: 'app.example', origin: 'https://app.example' },
    { url: 'https://app.example:8443/c', host: 'app.example', origin: 'https://app.example:8443' },
    { url: 'https://app.example/c?v=1', host: 'app.example', origin: 'https://app.example' },
    { url: 'https://app.example/c?up=../..', host: 'app.example', origin: 'https://app.example' },
    { url: 'https://app.example/a..b/...', host: 'app.example', origin: 'https://app.example' },
    {
      url: 'https://xn--bcher-kva.example/c',
      host: 'xn--bcher-kva.example',
      origin: 'https://xn--bcher-kva.example',
    },
    {
      url: `https://app.example/${'p'.repeat(492)}`,
      host: 'app.example',
      origin: 'https://app.example',
    },
  ])('is $url, kept as it is spelled', ({ url, host, origin }) => {
    expect(readClientIdUrl(url)).toEqual({ url, host, origin })
  })

  it.each([
    { attack: 'http', url: 'http://app.example/c' },
    { attack: 'another scheme', url: 'httpsx://app.example/c' },
    { attack: 'a scheme without slashes', url: 'https:app.example/c' },
    { attack: 'one slash', url: 'https:/app.example/c' },
    { attack: 'three slashes', url: 'https:///app.example/c' },
    { attack: 'no path', url: 'https://app.example' },
    { attack: 'no path but a query', url: 'https://app.example?c' },
    { attack: 'a fragment', url: 'https://app.example/c#a' },
    { attack: 'an empty fragment', url: 'https://app.example/c#' },
    { attack: 'user information', url: 'https://claude.ai@app.example/c' },
    { attack: 'empty user information', url: 'https://@app.example/c' },
    { attack: 'a password', url: 'https://a:b@app.example/c' },
    { attack: 'a leading space', url: ' https://app.example/c' },
    { attack: 'a trailing line feed', url: 'https://app.example/c\n' },
    { attack: 'a tab that parsers drop', url: 'https://app.ex\tample/c' },
    { attack: 'NUL', url: 'https://app.example/\0' },
    { attack: 'a backslash', url: 'https://app.example\\c' },
    { attack: 'a backslash before another host', url: 'https://claude.ai\\@app.example/c' },
    { attack: 'a dot segment', url: 'https://app.example/a/../c' },
    { attack: 'a dot segment at the end', url: 'https://app.example/a/..' },
    { attack: 'a single dot', url: 'https://app.example/./c' },
    { attack: 'an encoded dot segment', url: 'https://app.example/%2e%2e/c' },
    { attack: 'a half encoded dot segment', url: 'https://app.example/.%2E/c' },
    { attack: 'a broken escape', url: 'https://app.example/%zz' },
    { attack: 'a character beyond ASCII', url: 'https://app.example/ü' },
    { attack: 'full-width digits', url: 'https://１２７.0.0.1/c' },
    { attack: 'a Unicode host', url: 'https://bücher.example/c' },
    { attack: 'an escaped host', url: 'https://%61pp.example/c' },
    { attack: 'quotes', url: 'https://app.example/"c' },
    { attack: '513 characters', url: `https://app.example/${'p'.repeat(493)}` },
    { attack: 'an empty port', url: 'https://app.example:/c' },
    { attack: 'a port too high', url: 'https://app.example:65536/c' },
    { attack: 'loopback by address', url: 'https://127.0.0.1/c' },
    { attack: 'a public address', url: 'https://93.184.216.34/c' },
    { attack: 'a decimal address', url: 'https://2130706433/c' },
    { attack: 'a hexadecimal address', url: 'https://0x7f.0.0.0x1/c' },
    { attack: 'an octal address', url: 'https://0177.0.0.01/c' },
    { attack: 'a short address', url: 'https://127.1/c' },
    { attack: 'an IPv6 address', url: 'https://[::1]/c' },
    { attack: 'a mapped address', url: 'https://[::ffff:169.254.169.254]/c' },
    { attack: 'localhost', url: 'https://localhost/c' },
    { attack: 'a name under localhost', url: 'https://app.localhost/c' },
    { attack: 'localhost in capitals', url: 'https://LOCALHOST/c' },
    { attack: 'a single label', url: 'https://redis/c' },
    { attack: 'a trailing dot', url: 'https://app.example./c' },
    { attack: 'localhost with a dot', url: 'https://localhost./c' },
    { attack: 'two dots', url: 'https://app..example/c' },
    { attack: 'mDNS', url: 'https://printer.local/c' },
    { attack: 'an internal name', url: 'https://api.internal/c' },
    { attack: 'the metadata service', url: 'https://metadata.google.internal/computeMetadata/v1/' },
    { attack: 'a home network', url: 'https://router.home.arpa/c' },
    { attack: 'an underscore', url: 'https://a_b.example/c' },
    { attack: 'nothing', url: '' },
  ])('is none with $attack', ({ url }) => {
    expect(readClientIdUrl(url)).toBeUndefined()
  })

  it('is asked exactly where its text says, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.webUrl({ validSchemes: ['https'] }), fc.string(), fc.string({ unit: 'binary' })),
        (text) => {
          const url = `https://${text.replace(/^https:\/\//, '')}`
          const read = readClientIdUrl(url)
          if (!read) return
          const parsed = new URL(url)
          expect(read.url).toBe(url)
          expect(parsed.host.split(':')[0]).toBe(read.host)
          expect(url.toLowerCase().startsWith(`https://${read.host}`)).toBe(true)
          expect(parsed.username + parsed.password + parsed.hash).toBe('')
          expect(url.split('?')[0]?.endsWith(parsed.pathname)).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('is told from other client ids by its scheme alone', () => {
    expect(looksLikeClientIdUrl('https://app.example')).toBe(true)
    expect(looksLikeClientIdUrl('HTTPS://x')).toBe(true)
    expect(looksLikeClientIdUrl('dc1_https://x')).toBe(false)
    expect(looksLikeClientIdUrl('http://app.example/c')).toBe(false)
  })
})
