import { describe, expect, it } from 'vitest'
import { sha256 } from '#lib/core/hash'
import {
  isStaticClientId,
  isStaticClientSecret,
  readStaticClient,
  type StaticClientRecord,
  type StaticClientRequest,
  toStaticClient,
  withSecret,
} from '#lib/oauth/static-client'

const policy = { scopes: ['notes:read', 'notes:write'], strictRedirects: false }
const good: StaticClientRequest = { name: 'App', redirectUris: ['https://app.example/cb'], auth: 'secret' }
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }

describe('registering a static client', () => {
  it.each([
    { auth: 'secret', methods: ['client_secret_basic', 'client_secret_post'] },
    { auth: 'basic', methods: ['client_secret_basic'] },
    { auth: 'post', methods: ['client_secret_post'] },
    { auth: 'none', methods: ['none'] },
  ] as const)('with --auth $auth accepts $methods', ({ auth, methods }) => {
    const read = readStaticClient({ ...good, auth }, policy)
    expect(read.ok && read.value.authMethods).toEqual(methods)
  })

  it.each([
    { with: 'its keys', more: { jwks: { keys: [publicKey] } }, keys: { jwks: { keys: [publicKey] } } },
    {
      with: 'the address of its keys',
      more: { jwksUri: 'https://app.example/jwks' },
      keys: { jwksUri: 'https://app.example/jwks' },
    },
  ])('with private_key_jwt keeps $with', ({ more, keys }) => {
    const read = readStaticClient({ ...good, auth: 'private_key_jwt', ...more }, policy)
    expect(read.ok && read.value.keys).toEqual(keys)
  })

  it.each([
    { fault: 'name_missing', asked: { name: ' \u202e ' } },
    { fault: 'name_missing', asked: { name: 'x'.repeat(201) } },
    { fault: 'redirect_uri_refused', asked: { redirectUris: [] } },
    { fault: 'redirect_uri_refused', asked: { redirectUris: ['http://app.example/cb'] } },
    { fault: 'redirect_uri_refused', asked: { redirectUris: ['javascript:alert(1)'] } },
    { fault: 'redirect_uri_refused', asked: { redirectUris: ['https://app.example/cb#x'] } },
    {
      fault: 'redirect_uri_refused',
      asked: { redirectUris: ['https://app.example/cb', 'http://app.example/cb'] },
    },
    { fault: 'scope_unknown', asked: { scope: 'notes:read notes:raed' } },
    { fault: 'scope_unknown', asked: { scope: '' } },
    { fault: 'jwks_missing', asked: { auth: 'private_key_jwt' as const } },
    { fault: 'jwks_refused', asked: { auth: 'private_key_jwt' as const, jwks: { keys: [] } } },
    {
      fault: 'jwks_refused',
      asked: { auth: 'private_key_jwt' as const, jwks: { keys: [{ ...publicKey, d: 'secret' }] } },
    },
    {
      fault: 'jwks_refused',
      asked: { auth: 'private_key_jwt' as const, jwksUri: 'http://app.example/jwks' },
    },
    { fault: 'jwks_without_use', asked: { jwks: { keys: [publicKey] } } },
  ])('refuses $asked as $fault', ({ fault, asked }) => {
    expect(readStaticClient({ ...good, ...asked }, policy)).toEqual({ ok: false, error: fault })
  })

  it('refuses private schemes where the operator does', () => {
    const asked = { ...good, redirectUris: ['cursor://cb'] }
    expect(readStaticClient(asked, policy).ok).toBe(true)
    expect(readStaticClient(asked, { ...policy, strictRedirects: true }).ok).toBe(false)
  })
})

describe('the secrets of a static client', () => {
  const record = async (...secrets: string[]): Promise<StaticClientRecord> => ({
    v: 1,
    id: 'sc_id',
    name: 'App',
    redirectUris: ['https://app.example/cb'],
    authMethods: ['client_secret_basic'],
    secrets: await Promise.all(secrets.map(async (secret) => ({ hash: await sha256(secret), createdAt: 0 }))),
    createdAt: 0,
  })

  it.each([
    { secret: 'new', good: true },
    { secret: 'old', good: true },
    { secret: 'older', good: false },
    { secret: '', good: false },
  ])('accept "$secret" after two rotations: $good', async ({ secret, good: accepted }) => {
    let client = await record('older')
    for (const made of ['old', 'new']) {
      client = withSecret(client, { hash: await sha256(made), createdAt: 0 }, { dropOld: false })
    }
    expect(await isStaticClientSecret(secret, toStaticClient(client))).toBe(accepted)
  })

  it('accept the new one alone after a rotation that drops the old', async () => {
    const next = withSecret(
      await record('old'),
      { hash: await sha256('new'), createdAt: 0 },
      { dropOld: true },
    )
    expect(next.secrets).toHaveLength(1)
    expect(await isStaticClientSecret('old', toStaticClient(next))).toBe(false)
  })

  it('are no hash: what the store has opens nothing', async () => {
    const client = toStaticClient(await record('secret'))
    expect(await isStaticClientSecret(await sha256('secret'), client)).toBe(false)
  })

  it('vouch for the name', async () => {
    expect(toStaticClient(await record())).toMatchObject({ verified: true, key: 'sc_id', kind: 'static' })
  })
})

it.each([
  { id: `sc_${'a'.repeat(22)}`, is: true },
  { id: `sc_${'a'.repeat(21)}`, is: false },
  { id: `sc_${'a'.repeat(22)}\n`, is: false },
  { id: `sc_${'a'.repeat(21)}:`, is: false },
  { id: `dc1_${'a'.repeat(22)}`, is: false },
])('an id like $id may be looked up: $is', ({ id, is }) => {
  expect(isStaticClientId(id)).toBe(is)
})
