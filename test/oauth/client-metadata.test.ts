import { describe, expect, it } from 'vitest'
import { parseClientMetadata } from '#lib/oauth/client-metadata'

const policy = { scopes: ['notes:read', 'notes:write'], strictRedirects: false }
const https = 'https://app.example/cb'
const parse = (more: Readonly<Record<string, unknown>>, strictRedirects = false) =>
  parseClientMetadata({ redirect_uris: [https], ...more }, { ...policy, strictRedirects })

describe('a registration', () => {
  it('gets the defaults of RFC 7591', () => {
    expect(parse({})).toEqual({
      ok: true,
      value: {
        redirectUris: [https],
        name: undefined,
        grantTypes: ['authorization_code'],
        authMethod: undefined,
        scopes: undefined,
        applicationType: undefined,
      },
    })
  })

  it('keeps the good ones of the three addresses that Cursor sends, in every mode', () => {
    const redirect_uris = [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      https,
      'http://localhost:8787/callback',
    ]
    expect(parse({ redirect_uris })).toMatchObject({ value: { redirectUris: redirect_uris } })
    expect(parse({ redirect_uris }, true)).toMatchObject({ value: { redirectUris: redirect_uris.slice(1) } })
    expect(parse({ redirect_uris, application_type: 'web' })).toMatchObject({
      value: { redirectUris: [https] },
    })
    expect(parse({ redirect_uris: [https, https, 'data:x', 5] })).toMatchObject({
      value: { redirectUris: [https] },
    })
  })

  it.each([
    { redirect_uris: undefined },
    { redirect_uris: [] },
    { redirect_uris: https },
    { redirect_uris: ['javascript:alert(1)'] },
    { redirect_uris: [null] },
    { redirect_uris: ['http://localhost/cb'], application_type: 'web' },
    { redirect_uris: Array.from({ length: 11 }, (_, n) => `${https}/${n}`) },
  ])('is refused for its addresses: %o', (sent) => {
    expect(parse(sent)).toEqual({ ok: false, error: 'invalid_redirect_uri' })
  })

  it.each([
    { client_name: 5 },
    { client_name: 'n'.repeat(201) },
    { grant_types: 'authorization_code' },
    { grant_types: ['client_credentials'] },
    { grant_types: ['refresh_token'] },
    { response_types: ['token'] },
    { token_endpoint_auth_method: 'private_key_jwt' },
    { token_endpoint_auth_method: 'tls_client_auth' },
    { application_type: 'service' },
    { scope: 'a"b' },
    { scope: ['notes:read'] },
    { client_uri: 'javascript:alert(1)' },
    { logo_uri: 'data:image/png;base64,AA' },
    { tos_uri: 'file:///etc/passwd' },
    { policy_uri: '/policy' },
    { jwks_uri: 'ftp://a.example' },
    { jwks: { keys: [{ kty: 'EC', d: 'private' }] } },
    { jwks: { keys: [{ kty: 'oct', k: 'secret' }] } },
    { jwks: [] },
  ])('is refused for its metadata: %o', (sent) => {
    expect(parse(sent)).toEqual({ ok: false, error: 'invalid_client_metadata' })
  })

  it.each([
    {
      sent: { grant_types: ['implicit', 'refresh_token', 'authorization_code'] },
      kept: { grantTypes: ['authorization_code', 'refresh_token'] },
    },
    { sent: { response_types: ['code', 'token'] }, kept: { grantTypes: ['authorization_code'] } },
    { sent: { scope: 'notes:write admin' }, kept: { scopes: ['notes:write'] } },
    { sent: { scope: 'openid profile' }, kept: { scopes: undefined } },
    { sent: { scope: '' }, kept: { scopes: undefined } },
    { sent: { client_name: '  Claude\u202E\n Code \uD800' }, kept: { name: 'Claude Code' } },
    { sent: { client_name: '\u200B' }, kept: { name: undefined } },
    { sent: { client_name: null, scope: null, jwks: null }, kept: { name: undefined } },
    { sent: { code_challenge_method: 'S256', software_statement: 'ey' }, kept: {} },
  ])('is kept as $kept of $sent', ({ sent, kept }) => {
    expect(parse(sent)).toMatchObject({ ok: true, value: kept })
  })

  it.each([null, [], 'text', 5, undefined])('is refused when it is %s', (body) => {
    expect(parseClientMetadata(body, policy)).toEqual({ ok: false, error: 'invalid_client_metadata' })
  })
})
