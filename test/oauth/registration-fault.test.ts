import { describe, expect, it } from 'vitest'
import { parseClientMetadata } from '#lib/oauth/client-metadata'
import { registrationFault } from '#lib/oauth/registration-fault'

const policy = { scopes: ['notes:read'], strictRedirects: false }
const https = 'https://app.example/cb'

function describeRefusal(body: unknown, strictRedirects = false): string {
  const parsed = parseClientMetadata(body, { ...policy, strictRedirects })
  if (parsed.ok) throw new Error('it was registered')
  return registrationFault(body, parsed.error, { ...policy, strictRedirects })
}

describe('the description of a refused registration', () => {
  it.each([
    { sent: { client_name: 5 }, says: 'client_name must be text' },
    { sent: { client_name: 'n'.repeat(201) }, says: 'client_name must be text of at most 200' },
    {
      sent: { grant_types: ['client_credentials'] },
      says: 'grant_types must be a list with authorization_code',
    },
    { sent: { response_types: ['token'] }, says: 'response_types must be a list with code' },
    { sent: { token_endpoint_auth_method: 'x' }, says: 'token_endpoint_auth_method must be none, ' },
    { sent: { application_type: 'x' }, says: 'application_type must be web or native' },
    { sent: { scope: 'a\nb' }, says: 'scope must be names of scopes' },
    { sent: { logo_uri: 'javascript:alert(1)' }, says: 'logo_uri must be an http or https address' },
    { sent: { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, says: 'jwks must be a key set without private' },
    {
      sent: { scope: 5, client_uri: 5 },
      says: 'scope must be names of scopes with one space between; client_uri',
    },
  ])('names member and rule: $says', ({ sent, says }) => {
    expect(describeRefusal({ redirect_uris: [https], ...sent })).toContain(says)
  })

  it.each([
    { uris: undefined, says: 'redirect_uris must be a list of at least one' },
    { uris: [], says: 'redirect_uris must be a list of at least one' },
    {
      uris: Array.from({ length: 11 }, () => https),
      says: 'redirect_uris must not have more than 10 members',
    },
    { uris: [5], says: 'redirect_uris[0] must be a string' },
    { uris: [`${https}#x`], says: 'redirect_uris[0] must not have a fragment' },
    { uris: [`${https}/${'p'.repeat(512)}`], says: 'redirect_uris[0] must not exceed 512 characters' },
    { uris: ['https://app.example\\@evil.example/'], says: 'redirect_uris[0] must be visible ASCII' },
    { uris: ['/callback'], says: 'redirect_uris[0] must be an absolute URI' },
    { uris: ['https://a@app.example/'], says: 'redirect_uris[0] must not hold user information' },
    { uris: ['http://app.example/'], says: 'redirect_uris[0] may be http only for' },
    { uris: ['https://0x7f.1/'], says: 'redirect_uris[0] must spell its host as browsers do' },
    {
      uris: ['javascript:alert(1)', 'myapp:/cb'],
      says: 'redirect_uris[1] must be https, http to the loopback',
    },
  ])('tells of each redirect URI by its place: $says', ({ uris, says }) => {
    expect(describeRefusal({ redirect_uris: uris })).toContain(says)
  })

  it('names the setting that refuses, and the member', () => {
    expect(describeRefusal({ redirect_uris: ['cursor://x/cb'] }, true)).toBe(
      'redirect_uris[0] has a private-use scheme, which STRICT_REDIRECTS refuses here',
    )
    expect(describeRefusal({ redirect_uris: ['http://localhost/'], application_type: 'web' })).toBe(
      'redirect_uris[0] must be https because application_type is web',
    )
  })

  it.each([null, [], 'text', 5])('says of %o that it is no object', (body) => {
    expect(describeRefusal(body)).toBe('The body must be a JSON object')
  })

  it('never repeats what was sent', () => {
    for (const sent of [
      { client_name: ['<script>'] },
      { redirect_uris: ['<script>:alert(1)', 'evil"quote'] },
      { '<script>': 1, jwks: { keys: [{ '<script>': 1, k: '<script>' }] } },
    ]) {
      const said = describeRefusal({ redirect_uris: [https], ...sent })
      expect(said).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
      expect(said).not.toContain('script')
    }
  })
})
