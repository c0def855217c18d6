import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERIFIER } from '#test/e2e/attacks/target'
import { gatehouse } from '#test/support/command-line'
import { type Deployment, startLocal } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import { authorizationUrl, type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

const CALLBACK = 'https://portal.example/callback'
const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

type Form = Readonly<Record<string, string>>

let folder: string
let product: Deployment
let person: FetchPerson
let clientId: string
let jwk: Record<string, unknown>
let ownKey: CryptoKey
let turn = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-signing-'))
  const data = join(folder, 'data')
  product = await startLocal({ env: { DATA_DIR: data } })
  person = personByFetch(product.origin)
  await person.signIn(product.ownerLink)

  const pair = await generateKeyPair('ES256', { extractable: true })
  ownKey = pair.privateKey
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one' }
  const file = join(folder, 'jwks.json')
  await writeFile(file, JSON.stringify({ keys: [jwk] }))
  const made = await gatehouse(
    ['client', 'create', '--name', 'Portal', '--redirect', CALLBACK].concat([
      '--scope',
      'notes:read',
      '--auth',
      'private_key_jwt',
      '--jwks',
      file,
    ]),
    { DATA_DIR: data, PORT: String(product.instances[0]?.port) },
  )
  clientId = /^Client id: (sc_\S+)$/m.exec(made.said)?.[1] ?? ''
})
afterAll(async () => {
  await product.dispose()
  await rm(folder, { recursive: true, force: true })
})

interface Signing {
  readonly claims?: JWTPayload
  readonly key?: CryptoKey | Uint8Array
  readonly header?: { readonly alg: string; readonly kid?: string; readonly jwk?: object }
}

/** What proves the client: good for a minute, once, but for what is changed. */
async function assertion({ claims, key = ownKey, header }: Signing = {}): Promise<Form> {
  const now = Math.floor(Date.now() / 1000)
  const good = {
    iss: clientId,
    sub: clientId,
    aud: product.origin,
    jti: `${++turn}`,
    iat: now,
    exp: now + 60,
  }
  const jwt = await new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
    .sign(key)
  return { client_assertion: jwt, client_assertion_type: TYPE }
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = () => Math.floor(Date.now() / 1000)

const post = (path: '/oauth/token' | '/oauth/revoke', form: Form) =>
  fetch(product.origin + path, { method: 'POST', body: new URLSearchParams(form) })

async function errorOf(response: Response): Promise<string> {
  expect(response.headers.get('cache-control')).toBe('no-store')
  const text = await response.text()
  return `${response.status} ${text === '' ? '' : (JSON.parse(text) as { error: string }).error}`
}

async function newCode(): Promise<Form> {
  const app = { clientId, redirectUri: CALLBACK, verifier: VERIFIER }
  const answer = await person.allow(authorizationUrl(product.origin, app))
  const code = answer.searchParams.get('code') ?? ''
  return { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: CALLBACK }
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}
const tokensOf = async (response: Response) => (await response.json()) as Tokens
const connect = async () =>
  tokensOf(await post('/oauth/token', { ...(await newCode()), ...(await assertion()) }))
const renewal = ({ refresh_token }: Tokens) => ({ grant_type: 'refresh_token', refresh_token })

/** Everything that a client proves itself for: the request without its proof. */
const requests = {
  'a redemption': async () => ({ path: '/oauth/token', form: await newCode() }),
  'a refresh': async () => ({ path: '/oauth/token', form: renewal(await connect()) }),
  'a revocation': async () => ({ path: '/oauth/revoke', form: { token: (await connect()).refresh_token } }),
} as const satisfies Record<string, () => Promise<{ path: '/oauth/token' | '/oauth/revoke'; form: Form }>>

const stranger = async () => (await generateKeyPair('ES256')).privateKey
/** Proofs that prove nobody. All are `401 invalid_client` unless another answer stands beside. */
const attacks: readonly { attack: string; forge(): Promise<Form>; gives?: string }[] = [
  { attack: 'the key of somebody else', forge: async () => assertion({ key: await stranger() }) },
  {
    attack: 'a key that it brings along',
    async forge() {
      const own = await generateKeyPair('ES256', { extractable: true })
      const header = { alg: 'ES256', kid: 'other', jwk: await exportJWK(own.publicKey) }
      return assertion({ key: own.privateKey, header })
    },
  },
  {
    attack: 'the public key as a shared secret',
    forge: () => assertion({ key: new TextEncoder().encode(JSON.stringify(jwk)), header: { alg: 'HS256' } }),
  },
  {
    attack: 'no signature (alg none)',
    async forge() {
      const good = await assertion()
      const [, payload] = good['client_assertion']?.split('.') ?? []
      return { ...good, client_assertion: `${part({ alg: 'none', kid: 'one' })}.${payload}.` }
    },
  },
  {
    attack: 'an assertion that was used',
    async forge() {
      const used = await assertion()
      expect((await post('/oauth/revoke', { token: 'nothing', ...used })).status).toBe(200)
      return used
    },
  },
  { attack: 'another audience', forge: () => assertion({ claims: { aud: 'https://other.example' } }) },
  {
    attack: 'the resource as audience',
    forge: () => assertion({ claims: { aud: `${product.origin}/api/mcp` } }),
  },
  {
    attack: 'two audiences',
    forge: () => assertion({ claims: { aud: [product.origin, 'https://other.example'] } }),
  },
  { attack: 'an expired assertion', forge: () => assertion({ claims: { exp: seconds() - 60 } }) },
  { attack: 'one that is good for an hour', forge: () => assertion({ claims: { exp: seconds() + 3600 } }) },
  { attack: 'one that is of tomorrow', forge: () => assertion({ claims: { nbf: seconds() + 3600 } }) },
  { attack: 'no jti', forge: () => assertion({ claims: { jti: undefined } as unknown as JWTPayload }) },
  { attack: 'the subject of another client', forge: () => assertion({ claims: { sub: 'sc_other' } }) },
  {
    attack: 'the client id of another client beside it',
    forge: async () => ({ ...(await assertion()), client_id: `sc_${'x'.repeat(22)}` }),
  },
  { attack: 'its id alone', forge: async () => ({ client_id: clientId }) },
  {
    attack: 'a secret instead',
    forge: async () => ({ client_id: clientId, client_secret: JSON.stringify(jwk) }),
  },
  {
    attack: 'a secret besides',
    forge: async () => ({ ...(await assertion()), client_secret: 's' }),
    gives: '400 invalid_request',
  },
  { attack: 'no proof at all', forge: async () => ({}), gives: '400 invalid_request' },
]

describe('a client that the operator made for its keys', () => {
  it('connects, calls, refreshes and revokes, with an assertion each time', async () => {
    expect(clientId).toMatch(/^sc_/)
    const first = await connect()
    expect(first.scope).toBe('notes:read')
    expect((await listNotes(product.origin, first.access_token)).status).toBe(200)

    const form = {
      ...renewal(first),
      ...(await assertion({ claims: { aud: `${product.origin}/oauth/token` } })),
    }
    const second = await tokensOf(await post('/oauth/token', form))
    expect((await listNotes(product.origin, second.access_token)).status).toBe(200)

    const revoked = await post('/oauth/revoke', { token: second.access_token, ...(await assertion()) })
    expect([revoked.status, await revoked.text()]).toEqual([200, ''])
    expect((await listNotes(product.origin, second.access_token)).status).toBe(401)
  })

  it('may say fractions of a second, as RFC 7519 lets it', async () => {
    const claims = { iat: Date.now() / 1000, exp: Date.now() / 1000 + 60.1234 }
    const form = { ...(await newCode()), ...(await assertion({ claims })) }
    expect((await post('/oauth/token', form)).status).toBe(200)
  })

  it('spends an assertion at one endpoint for the others too', async () => {
    const once = await assertion()
    expect((await post('/oauth/token', { ...(await newCode()), ...once })).status).toBe(200)
    expect(await errorOf(await post('/oauth/revoke', { token: 'x', ...once }))).toBe('401 invalid_client')
  })
})

describe.each(Object.entries(requests))('%s', (_, prepare) => {
  it('is refused with each proof that proves nobody, and none of them spends anything', async () => {
    const { path, form } = await prepare()
    for (const { attack, forge, gives = '401 invalid_client' } of attacks) {
      const answer = await post(path, { ...form, ...(await forge()) })
      expect({ attack, challenge: answer.headers.get('www-authenticate') }).toEqual({
        attack,
        challenge: null,
      })
      expect({ attack, answer: await errorOf(answer) }).toEqual({ attack, answer: gives })
    }
    expect((await post(path, { ...form, ...(await assertion()) })).status).toBe(200)
  })
})

it('a revocation that proves nobody ends nothing', async () => {
  const tokens = await connect()
  const forged = await assertion({ key: await stranger() })
  expect((await post('/oauth/revoke', { token: tokens.refresh_token, ...forged })).status).toBe(401)
  expect((await listNotes(product.origin, tokens.access_token)).status).toBe(200)
})
