import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMetadataDocument, toDocumentClient } from '#lib/oauth/client-id-metadata'

const CLIENT = 'https://app.example/client.json'
const policy = { scopes: ['notes:read', 'notes:write'] }
const good = { client_id: CLIENT, client_name: 'App', redirect_uris: ['https://app.example/cb'] }
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'a' }

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (
  document: unknown,
  {
    contentType = 'application/json',
    strictRedirects = false,
  }: { contentType?: string | null; strictRedirects?: boolean } = {},
) =>
  readMetadataDocument(
    CLIENT,
    {
      contentType,
      body: document instanceof Uint8Array ? document : bytes(JSON.stringify(document)),
    },
    { ...policy, strictRedirects },
  )

describe('a client id metadata document', () => {
  it('describes a public client when it says nothing else', () => {
    expect(read(good)).toEqual({
      ok: true,
      value: {
        clientId: CLIENT,
        name: 'App',
        redirectUris: ['https://app.example/cb'],
        grantTypes: ['authorization_code'],
        authMethods: ['none'],
        keys: undefined,
        scopes: undefined,
      },
    })
  })

  it('makes a client whose key is its address and whose name its domain vouches for', async () => {
    const document = read({ ...good, scope: 'notes:read other' })
    if (!document.ok) throw new Error(document.error)
    const client = await toDocumentClient(document.value)
    expect(client).toMatchObject({
      kind: 'metadata_document',
      id: CLIENT,
      key: CLIENT,
      host: 'app.example',
      verified: true,
      scopeCeiling: ['notes:read'],
    })
  })

  it.each([
    { change: 'another name', document: { ...good, client_name: 'Other' } },
    { change: 'another redirect URI', document: { ...good, redirect_uris: ['https://app.example/x'] } },
    {
      change: 'one more redirect URI',
      document: { ...good, redirect_uris: [...good.redirect_uris, 'http://localhost/cb'] },
    },
    {
      change: 'other grant types',
      document: { ...good, grant_types: ['authorization_code', 'refresh_token'] },
    },
  ])('has another digest with $change', async ({ document }) => {
    const [left, right] = [read(good), read(document)]
    if (!left.ok || !right.ok) throw new Error('refused')
    expect((await toDocumentClient(left.value)).digest).not.toBe((await toDocumentClient(right.value)).digest)
  })

  it('has the same digest in another order and with other members', async () => {
    const redirects = ['https://app.example/a', 'https://app.example/b']
    const left = read({ ...good, redirect_uris: redirects })
    const right = read({ logo_uri: 'https://x.example/', ...good, redirect_uris: redirects.toReversed() })
    if (!left.ok || !right.ok) throw new Error('refused')
    expect((await toDocumentClient(left.value)).digest).toBe((await toDocumentClient(right.value)).digest)
  })

  it('keeps what we can give of what it asks: Claude declares a grant type that we do not have', () => {
    const grants = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
    expect(read({ ...good, grant_types: grants })).toMatchObject({
      value: { grantTypes: ['authorization_code', 'refresh_token'] },
    })
  })

  it('keeps the good redirect URIs of a mixed list', () => {
    const redirects = ['javascript:alert(1)', 'https://app.example/cb', 'http://app.example/cb', 7]
    expect(read({ ...good, redirect_uris: redirects })).toMatchObject({
      value: { redirectUris: ['https://app.example/cb'] },
    })
  })

  it.each([
    { contentType: 'application/json' },
    { contentType: 'application/json; charset=utf-8' },
    { contentType: 'Application/JSON' },
    { contentType: 'application/client-metadata+json' },
  ])('may come as $contentType', ({ contentType }) => {
    expect(read(good, { contentType }).ok).toBe(true)
  })

  it.each([
    { methods: ['none'], document: { token_endpoint_auth_method: 'none' } },
    {
      methods: ['none', 'private_key_jwt'],
      document: {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        jwks_uri: 'https://app.example/jwks.json',
      },
    },
    {
      methods: ['none'],
      document: {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none'],
      },
    },
    {
      methods: ['private_key_jwt'],
      document: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] } },
    },
    {
      methods: ['none'],
      document: {
        token_endpoint_auth_method: 'tls_client_auth',
        token_endpoint_auth_methods_supported: ['tls_client_auth', 'none'],
      },
    },
  ])('may authenticate with $methods when it says $document', ({ methods, document }) => {
    expect(read({ ...good, ...document })).toMatchObject({ value: { authMethods: methods } })
  })

  it.each([
    { attack: 'another client’s id', document: { ...good, client_id: 'https://app.example/other' } },
    { attack: 'its id in other case', document: { ...good, client_id: 'https://APP.example/client.json' } },
    { attack: 'its id with a slash', document: { ...good, client_id: `${CLIENT}/` } },
    { attack: 'no id', document: { ...good, client_id: undefined } },
    { attack: 'its id in a list', document: { ...good, client_id: [CLIENT] } },
    { attack: 'a list', document: [good] },
    { attack: 'null', document: null },
    { attack: 'a text', document: 'client' },
    { attack: 'a page', document: bytes('<!doctype html>') },
    { attack: 'nothing', document: bytes('') },
    { attack: 'two objects', document: bytes(`${JSON.stringify(good)}{}`) },
    {
      attack: 'bytes that are not UTF-8',
      document: Uint8Array.from([...bytes(JSON.stringify(good)).slice(0, -1), 0x2c, 0x22, 0xff, 0x22, 0x7d]),
    },
    { attack: 'UTF-16', document: Uint8Array.from(Buffer.from(JSON.stringify(good), 'utf16le')) },
  ])('is not there in $attack', ({ document }) => {
    expect(read(document)).toEqual({ ok: false, error: 'not_the_document' })
  })

  it.each([
    'text/html',
    'text/json',
    'application/javascript',
    'application/jsonp',
    '',
    null,
    'application/+json',
  ])('is not there as %s', (contentType) => {
    expect(read(good, { contentType })).toEqual({ ok: false, error: 'not_the_document' })
  })

  it.each([
    { attack: 'no name', document: { client_name: undefined }, error: 'name_missing' },
    { attack: 'an empty name', document: { client_name: '' }, error: 'name_missing' },
    { attack: 'an invisible name', document: { client_name: '\u200b\u202e' }, error: 'name_missing' },
    { attack: 'a name of 201 characters', document: { client_name: 'n'.repeat(201) }, error: 'name_missing' },
    { attack: 'a name that is a number', document: { client_name: 7 }, error: 'name_missing' },
    { attack: 'no redirect URI', document: { redirect_uris: [] }, error: 'redirect_uris_unacceptable' },
    {
      attack: 'redirect URIs left out',
      document: { redirect_uris: undefined },
      error: 'redirect_uris_unacceptable',
    },
    {
      attack: 'only forbidden redirect URIs',
      document: { redirect_uris: ['javascript:alert(1)', 'http://app.example/', 'https://a@app.example/'] },
      error: 'redirect_uris_unacceptable',
    },
    {
      attack: 'eleven redirect URIs',
      document: { redirect_uris: Array.from({ length: 11 }, (_, at) => `https://app.example/${at}`) },
      error: 'redirect_uris_unacceptable',
    },
    {
      attack: 'a loopback redirect of a web application',
      document: { application_type: 'web', redirect_uris: ['http://localhost/cb'] },
      error: 'redirect_uris_unacceptable',
    },
    { attack: 'a secret', document: { client_secret: 's' }, error: 'secret_present' },
    { attack: 'an empty secret', document: { client_secret: '' }, error: 'secret_present' },
    { attack: 'the end of a secret', document: { client_secret_expires_at: 0 }, error: 'secret_present' },
    {
      attack: 'a shared secret as its method',
      document: { token_endpoint_auth_method: 'client_secret_basic' },
      error: 'auth_method_unsupported',
    },
    {
      attack: 'a shared secret beside none',
      document: {
        token_endpoint_auth_method: 'client_secret_jwt',
        token_endpoint_auth_methods_supported: ['none'],
      },
      error: 'auth_method_unsupported',
    },
    {
      attack: 'signatures without keys',
      document: { token_endpoint_auth_method: 'private_key_jwt' },
      error: 'auth_method_unsupported',
    },
    {
      attack: 'a method that we do not have',
      document: { token_endpoint_auth_method: 'tls_client_auth' },
      error: 'auth_method_unsupported',
    },
    {
      attack: 'the private half of a key',
      document: { jwks: { keys: [{ ...publicKey, d: 'd' }] } },
      error: 'member_malformed',
    },
    {
      attack: 'a symmetric key',
      document: { jwks: { keys: [{ kty: 'oct', k: 'k' }] } },
      error: 'member_malformed',
    },
    {
      attack: 'keys in two places',
      document: { jwks: { keys: [publicKey] }, jwks_uri: 'https://app.example/jwks' },
      error: 'member_malformed',
    },
    {
      attack: 'keys at a private address',
      document: { jwks_uri: 'https://169.254.169.254/latest' },
      error: 'member_malformed',
    },
    { attack: 'keys over http', document: { jwks_uri: 'http://app.example/j' }, error: 'member_malformed' },
    { attack: 'keys in a file', document: { jwks_uri: 'file:///etc/passwd' }, error: 'member_malformed' },
    { attack: 'a list as scope', document: { scope: ['a'] }, error: 'member_malformed' },
    { attack: 'a malformed scope', document: { scope: 'a"b' }, error: 'member_malformed' },
    {
      attack: 'no code',
      document: { grant_types: ['client_credentials'] },
      error: 'grant_types_unsupported',
    },
    { attack: 'tokens as answer', document: { response_types: ['token'] }, error: 'grant_types_unsupported' },
  ])('is refused with $attack', ({ document, error }) => {
    expect(read({ ...good, ...document })).toEqual({ ok: false, error })
  })

  it('is refused with only private-use redirects where the operator is strict', () => {
    const document = { ...good, redirect_uris: ['cursor://x/cb'] }
    expect(read(document).ok).toBe(true)
    expect(read(document, { strictRedirects: true }).ok).toBe(false)
  })

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.jsonValue(), (noise, value) => {
        read(noise)
        read({ ...good, jwks: value, scope: value, redirect_uris: value, grant_types: value })
      }),
    )
  })
})
