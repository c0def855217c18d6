import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '#lib/core/hash'
import { createPinnedFetch } from '#lib/node/pinned-fetch'
import type { OAuthSettings } from '#lib/oauth/endpoints/deps'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import {
  type AuthorizationServer,
  ada,
  bob,
  ISSUER,
  request,
  startAuthorizationServer,
  type Tokens,
} from '#test/support/authorization-server'
import { startDocumentHost } from '#test/support/document-host'
import {
  CHATGPT,
  CHATGPT_KEYS,
  CHATGPT_REDIRECT,
  CLAUDE_CODE,
  chatgpt,
  claudeCode,
  createDocumentHosts,
} from '#test/support/documents'

const APP = 'https://app.example/client.json'
const app = {
  client_id: APP,
  client_name: 'Doc App',
  redirect_uris: ['https://app.example/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
}

let hosts: ReturnType<typeof createDocumentHosts>
let server: AuthorizationServer

async function start(settings: Partial<OAuthSettings> = {}) {
  server = await startAuthorizationServer({ settings, fetchDocument: hosts.fetchDocument })
}

beforeEach(async () => {
  hosts = createDocumentHosts({ [APP]: app, [CHATGPT]: chatgpt, [CLAUDE_CODE]: claudeCode })
  await start()
})
afterEach(() => server.close())

const asked = (clientId: string, redirectUri = 'https://app.example/callback') => ({
  ...request(clientId),
  redirect_uri: redirectUri,
})
const cached = async (url: string) => server.store.run(get(keys.clientDocument(await sha256(url))))
const errorOf = async (response: Response) =>
  `${response.status} ${((await response.json()) as { error: string }).error}`

async function expectRefused(response: Response, rule: string, host?: string) {
  expect(response.status).toBe(400)
  expect(response.headers.has('location')).toBe(false)
  const markup = await response.text()
  expect(markup).toContain(rule)
  if (host) expect(markup).toContain(host)
}

describe('before sign-in', () => {
  it('nothing is fetched, read or written, whatever the address', async () => {
    const before = server.requests.length
    for (const clientId of [APP, CHATGPT, 'https://nobody.example/c']) {
      const sent = await server.authorize(asked(clientId))
      expect(sent.status).toBe(303)
      expect(sent.headers.get('location')).toMatch(/^\/sign-in\?rt=/)
    }
    expect(hosts.fetched).toEqual([])
    expect(server.requests.length).toBe(before)
  })

  it('the person is told the host, and after sign-in the request goes on', async () => {
    const location = (await server.authorize(asked(APP))).headers.get('location') ?? ''
    const rt = new URL(location, ISSUER).searchParams.get('rt') ?? ''
    expect(await server.oauth.describeRequest(rt)).toEqual({ clientName: 'app.example' })
    const resumed = await server.authorize({ rt }, ada)
    expect(resumed.headers.get('location')).toMatch(/^\/oauth\/consent/)
    expect(hosts.fetched).toEqual([APP])
  })

  it.each([
    { attack: 'no path', id: 'https://app.example' },
    { attack: 'a dot segment', id: 'https://app.example/a/%2e%2e/c' },
    { attack: 'an internal address', id: 'https://169.254.169.254/latest/meta-data' },
    { attack: 'a decimal address', id: 'https://2852039166/latest' },
    { attack: 'localhost', id: 'https://localhost/c' },
    { attack: 'user information', id: 'https://app.example@evil.example/c' },
    { attack: 'a fragment', id: `${APP}#x` },
  ])('an address with $attack is refused on a page, signed in or not', async ({ id }) => {
    for (const user of [undefined, ada]) {
      await expectRefused(await server.authorize(asked(id), user), 'client_id_malformed')
    }
    expect(hosts.fetched).toEqual([])
  })

  it('a redirect URI that nobody may have is refused on a page', async () => {
    await expectRefused(await server.authorize(asked(APP, 'javascript:alert(1)')), 'redirect_uri_forbidden')
    expect(hosts.fetched).toEqual([])
  })
})

describe('a client named by an address', () => {
  it('connects, calls and refreshes with no further look at its document', async () => {
    const { markup } = await server.consentForm(asked(APP))
    for (const text of ['Doc App', 'app.example', 'verified by its domain', APP]) {
      expect(markup).toContain(text)
    }
    expect(markup).not.toContain('unverified')
    const code = await server.code(APP, { redirect_uri: 'https://app.example/callback' })
    hosts.put(APP, 'unreachable')
    const tokens = (await (await server.redeem(APP, code)).json()) as Tokens
    server.pass(30 * 86_400 - 60)
    const refreshed = (await (await server.refresh(APP, tokens.refresh_token)).json()) as Tokens
    expect(await server.admit(refreshed.access_token)).toMatchObject({
      value: { client: { key: APP, name: 'Doc App', verified: true } },
    })
    expect(hosts.fetched).toEqual([APP])
    expect(await server.oauth.listGrants('ada')).toMatchObject([
      { client: { id: APP, kind: 'metadata_document', key: APP } },
    ])
  })

  it('of Claude Code’s shape comes back to any port of the loopback interface', async () => {
    const redirect = 'http://localhost:53124/callback'
    const { markup } = await server.consentForm(asked(CLAUDE_CODE, redirect))
    expect(markup).toContain('localhost only')
    expect(markup.indexOf('value="deny"')).toBeLessThan(markup.indexOf('value="allow"'))
    const code = await server.code(CLAUDE_CODE, { redirect_uri: redirect })
    const more = { redirect_uri: redirect }
    expect((await server.redeem(CLAUDE_CODE, code, more)).status).toBe(200)
  })

  it.each([
    { attack: 'another host', redirect: 'https://evil.example/callback' },
    { attack: 'a longer path', redirect: 'https://app.example/callback/x' },
    { attack: 'loopback that it did not register', redirect: 'http://localhost/callback' },
  ])('is not answered at $attack', async ({ redirect }) => {
    await expectRefused(await server.authorize(asked(APP, redirect), ada), 'redirect_uri_unregistered')
  })

  it('is fetched, for real, from the host that its address names', async () => {
    const host = await startDocumentHost(['app.example'])
    host.answerWith((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(app)),
    )
    const real = await startAuthorizationServer({
      fetchDocument: createPinnedFetch({
        ca: host.ca,
        port: host.port,
        lookup: async () => [{ address: '127.0.0.1', family: 4 }],
        isAllowedAddress: (address) => address === '127.0.0.1',
      }),
    })
    const code = await real.code(APP)
    await host.close()
    const tokens = (await (await real.redeem(APP, code)).json()) as Tokens
    expect((await real.admit(tokens.access_token)).ok).toBe(true)
    expect((await real.consentForm(asked(APP))).markup).toContain('Doc App')
    expect(host.requests).toHaveLength(1)
    await real.close()
  })

  it('in another spelling is another client', async () => {
    for (const id of [
      'https://APP.example/client.json',
      'https://app.example:443/client.json',
      'https://app.example/client.json/',
    ]) {
      hosts.put(id, { body: app })
      await expectRefused(await server.authorize(asked(id), ada), 'client_document_invalid', 'app.example')
    }
  })

  it('cannot redeem the code or refresh the token of another', async () => {
    const other = 'https://other.example/c'
    hosts.put(other, { body: { ...app, client_id: other } })
    const code = await server.code(APP)
    expect(await errorOf(await server.redeem(other, code))).toBe('400 invalid_grant')
    const { client_id: registered } = await server.register()
    expect(await errorOf(await server.redeem(registered, code))).toBe('400 invalid_grant')
    const tokens = (await (await server.redeem(APP, code)).json()) as Tokens
    expect(await errorOf(await server.refresh(other, tokens.refresh_token))).toBe('400 invalid_grant')
    expect((await server.refresh(APP, tokens.refresh_token)).status).toBe(200)
  })

  it.each([
    { what: 'a code nobody issued', form: { code: 'x' }, error: '400 invalid_grant' },
    { what: 'a malformed address', form: { client_id: 'https://app.example' }, error: '401 invalid_client' },
    { what: 'an internal address', form: { client_id: 'https://127.0.0.1/c' }, error: '401 invalid_client' },
    { what: 'a secret', form: { client_secret: 's' }, error: '401 invalid_client' },
    { what: 'no code', form: { code: '' }, error: '400 invalid_request' },
  ])('is told $error for $what, and nothing is fetched', async ({ form, error }) => {
    expect(await errorOf(await server.redeem(APP, 'x', form))).toBe(error)
    expect(hosts.fetched).toEqual([])
  })

  it('ends its connection by revocation', async () => {
    const code = await server.code(APP)
    const tokens = (await (await server.redeem(APP, code)).json()) as Tokens
    const revoke = (clientId: string) =>
      server.oauth.revoke(
        new Request(`${ISSUER}/oauth/revoke`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ token: tokens.refresh_token, client_id: clientId }),
        }),
        server.exchange(),
      )
    expect((await revoke('https://other.example/c')).status).toBe(200)
    expect((await server.admit(tokens.access_token)).ok).toBe(true)
    expect((await revoke(APP)).status).toBe(200)
    expect((await server.admit(tokens.access_token)).ok).toBe(false)
  })
})

describe('the document', () => {
  it('is fetched once while it is fresh, by whoever connects', async () => {
    await server.authorize(asked(APP), ada)
    await server.authorize(asked(APP), bob)
    server.pass(3599)
    await server.authorize(asked(APP), ada)
    expect(hosts.fetched).toHaveLength(1)
    server.pass(1)
    await server.authorize(asked(APP), ada)
    expect(hosts.fetched).toHaveLength(2)
  })

  it('is fetched once for 20 people at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.authorize(asked(APP), ada)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 303))
    expect(hosts.fetched).toEqual([APP])
  })

  it.each(['no-store', 'private', 'no-cache'])('is not kept when it says %s', async (cacheControl) => {
    hosts.put(APP, { body: app, cacheControl })
    expect((await server.authorize(asked(APP), ada)).status).toBe(303)
    expect(await cached(APP)).toBeNull()
    server.pass(1)
    await server.authorize(asked(APP), ada)
    expect(hosts.fetched).toHaveLength(2)
  })

  it('bridges an outage of its host for a week after it was fresh, and then no longer', async () => {
    await server.authorize(asked(APP), ada)
    for (const fault of ['unreachable', 'timed_out', 'status_unexpected', 'address_not_public'] as const) {
      hosts.put(APP, fault)
      server.pass(86_400)
      expect((await server.authorize(asked(APP), ada)).status).toBe(303)
    }
    hosts.put(APP, { body: '<h1>Maintenance</h1>', contentType: 'text/html' })
    server.pass(86_400)
    expect((await server.authorize(asked(APP), ada)).status).toBe(303)
    hosts.put(APP, 'unreachable')
    server.pass(3 * 86_400)
    await expectRefused(await server.authorize(asked(APP), ada), 'client_document_unavailable', 'app.example')
  })

  it.each([
    { said: 'that there is none', answer: 'not_found', rule: 'client_document_unavailable' },
    {
      said: 'something that is refused',
      answer: { body: { ...app, client_secret: 's' } },
      rule: 'client_document_invalid',
    },
  ] as const)('is forgotten when its host said $said', async ({ answer, rule }) => {
    await server.authorize(asked(APP), ada)
    hosts.put(APP, answer)
    server.pass(3601)
    await expectRefused(await server.authorize(asked(APP), ada), rule, 'app.example')
    expect(await cached(APP)).toBeNull()
  })

  it.each([
    { wrong: 'an outage', answer: 'unreachable' },
    { wrong: 'no document', answer: 'not_found' },
    { wrong: 'a private address', answer: 'address_not_public' },
    { wrong: 'a page', answer: { body: '<html>', contentType: 'text/html' } },
    { wrong: 'another client', answer: { body: { ...app, client_id: CHATGPT } } },
    { wrong: 'a secret', answer: { body: { ...app, client_secret: 's' } } },
    { wrong: 'more than 5 KiB', answer: { body: { ...app, pad: 'x'.repeat(5200) } } },
  ] as const)('is never remembered as $wrong: the next try asks again', async ({ answer }) => {
    hosts.put(APP, answer)
    const refused = await server.authorize(asked(APP), ada)
    expect(refused.status).toBe(400)
    expect(await refused.text()).not.toMatch(/unreachable|not_found|address_not_public|too_large/)
    expect(await cached(APP)).toBeNull()
    hosts.put(APP, { body: app })
    server.pass(1)
    expect((await server.authorize(asked(APP), ada)).status).toBe(303)
  })

  it('of a known host stands in when it cannot be fetched, and not when the host took it away', async () => {
    hosts.put(CLAUDE_CODE, 'status_unexpected')
    const redirect = 'http://127.0.0.1:9000/callback'
    const { markup } = await server.consentForm(asked(CLAUDE_CODE, redirect))
    expect(markup).toContain('Claude Code')
    hosts.put(CLAUDE_CODE, 'not_found')
    server.pass(1)
    await expectRefused(
      await server.authorize(asked(CLAUDE_CODE, redirect), ada),
      'client_document_unavailable',
    )
  })

  it('that changes between the page and the answer makes the answer void', async () => {
    const { tx, csrf } = await server.consentForm(asked(APP))
    hosts.put(APP, { body: { ...app, client_name: 'Your Bank' } })
    server.pass(599)
    await server.store.run({ kind: 'del', keys: [keys.clientDocument(await sha256(APP))] })
    await server.authorize(asked(APP), bob)
    await expectRefused(await server.decide({ tx, csrf, decision: 'allow' }), 'client_changed')
    expect(await server.oauth.listGrants('ada')).toEqual([])
    const denied = await server.decide({ tx, csrf, decision: 'deny' })
    expect(new URL(denied.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied')
  })
})

describe('the pace of fetching', () => {
  it('is one a second for an address', async () => {
    hosts.put(APP, 'unreachable')
    for (let turn = 0; turn < 5; turn++) await server.authorize(asked(APP), ada)
    expect(hosts.fetched).toHaveLength(1)
    server.pass(1)
    await server.authorize(asked(APP), ada)
    expect(hosts.fetched).toHaveLength(2)
  })

  it('is 10 a minute for an origin, whatever the path', async () => {
    for (let at = 0; at < 30; at++) await server.authorize(asked(`https://victim.example/${at}`), ada)
    expect(hosts.fetched).toHaveLength(10)
    server.pass(60)
    await server.authorize(asked('https://victim.example/more'), ada)
    expect(hosts.fetched).toHaveLength(11)
  })

  it('is 60 a minute altogether, whatever the host', async () => {
    for (let at = 0; at < 100; at++) await server.authorize(asked(`https://h${at}.example/c`), ada)
    expect(hosts.fetched).toHaveLength(60)
  })
})

describe('the lists of the operator', () => {
  it.each([
    { list: 'an allow list without it', settings: { cimdAllow: ['claude.ai'] } },
    { list: 'an allow list of the names below it', settings: { cimdAllow: ['*.app.example'] } },
    { list: 'a block list with it', settings: { cimdBlock: ['app.example'] } },
    { list: 'both lists', settings: { cimdAllow: ['app.example'], cimdBlock: ['*'] } },
  ])('refuse a host by $list before anything is fetched', async ({ settings }) => {
    await server.close()
    await start(settings)
    for (const user of [undefined, ada]) {
      const refused = await server.authorize(asked(APP), user)
      await expectRefused(refused, 'client_host_blocked', 'app.example')
    }
    expect(hosts.fetched).toEqual([])
  })

  it('let an allowed host in', async () => {
    await server.close()
    await start({ cimdAllow: ['*.other.example', 'app.example'] })
    expect((await server.authorize(asked(APP), ada)).status).toBe(303)
  })

  it('that block every host turn the advertisement off', async () => {
    await server.close()
    await start({ cimdBlock: ['*'] })
    const response = await server.oauth.authorizationServerMetadata(
      new Request(`${ISSUER}/.well-known/oauth-authorization-server`),
      server.exchange(),
    )
    expect(await response.json()).not.toHaveProperty('client_id_metadata_document_supported')
  })

  it('that block a host end the refreshing of what it has', async () => {
    const code = await server.code(APP)
    const tokens = (await (await server.redeem(APP, code)).json()) as Tokens
    const { deps } = server
    Object.assign(deps.settings.cimdBlock, ['app.example'])
    expect(await errorOf(await server.refresh(APP, tokens.refresh_token))).toBe('401 invalid_client')
  })
})

describe('a client that signs (private_key_jwt)', () => {
  const signing = { ...chatgpt, token_endpoint_auth_methods_supported: undefined }
  let privateKey: CryptoKey
  let jwk: Record<string, unknown>
  let turn = 0

  beforeEach(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true })
    privateKey = pair.privateKey
    jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', use: 'sig', alg: 'RS256' }
    hosts.put(CHATGPT, { body: signing })
    hosts.put(CHATGPT_KEYS, { body: { keys: [jwk] } })
  })

  async function assertion(claims: Record<string, unknown> = {}, { key = privateKey, kid = 'one' } = {}) {
    const now = Math.floor(server.now() / 1000)
    turn += 1
    const payload = { iss: CHATGPT, sub: CHATGPT, aud: ISSUER, jti: `jti-${turn}`, iat: now, exp: now + 60 }
    const jwt = await new SignJWT({ ...payload, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(key)
    return {
      client_assertion: jwt,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }
  }
  const newCode = () => server.code(CHATGPT, { redirect_uri: CHATGPT_REDIRECT })

  it('connects and refreshes, its keys fetched once', async () => {
    const code = await newCode()
    const redeemed = await server.redeem(CHATGPT, code, await assertion())
    expect(redeemed.status).toBe(200)
    const { refresh_token: token } = (await redeemed.json()) as Tokens
    const refreshed = await server.token({
      grant_type: 'refresh_token',
      refresh_token: token,
      ...(await assertion({ aud: `${ISSUER}/oauth/token` })),
    })
    expect(refreshed.status).toBe(200)
    expect(hosts.fetched).toEqual([CHATGPT, CHATGPT_KEYS])
  })

  it('must sign, unless its document offers not to', async () => {
    const code = await newCode()
    expect(await errorOf(await server.redeem(CHATGPT, code))).toBe('401 invalid_client')
    expect((await server.redeem(CHATGPT, code, await assertion())).status).toBe(200)

    hosts.put(CHATGPT, { body: chatgpt })
    server.pass(3601)
    const open = await newCode()
    expect((await server.redeem(CHATGPT, open)).status).toBe(200)
    expect((await server.redeem(CHATGPT, await newCode(), await assertion())).status).toBe(200)
  })

  it('whose code is spent with an assertion that proves nobody still has its code', async () => {
    const code = await newCode()
    const stranger = (await generateKeyPair('RS256')).privateKey
    const forged = [
      await assertion({}, { key: stranger }),
      await assertion({ aud: 'https://other.example' }),
      await assertion({ exp: Math.floor(server.now() / 1000) + 400 }),
      await assertion({ exp: Math.floor(server.now() / 1000) - 60 }),
      { ...(await assertion()), client_assertion_type: 'urn:x' },
      { ...(await assertion()), client_id: APP },
    ]
    for (const form of forged) {
      expect(await errorOf(await server.redeem(CHATGPT, code, form))).toBe('401 invalid_client')
    }
    const both = { ...(await assertion()), client_secret: 's' }
    expect(await errorOf(await server.redeem(CHATGPT, code, both))).toBe('400 invalid_request')
    expect((await server.redeem(CHATGPT, code, await assertion())).status).toBe(200)
  })

  it('may use an assertion once, also with 10 at the same moment', async () => {
    const once = await assertion()
    const { refresh_token: token } = (await (
      await server.redeem(CHATGPT, await newCode(), await assertion())
    ).json()) as Tokens
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.refresh(CHATGPT, token, once)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9)
  })

  it('may replace its keys: a new one is found, an old one ends with the cache', async () => {
    await server.redeem(CHATGPT, await newCode(), await assertion())
    const pair = await generateKeyPair('RS256', { extractable: true })
    const next = { ...(await exportJWK(pair.publicKey)), kid: 'two' }
    hosts.put(CHATGPT_KEYS, { body: { keys: [next] } })
    server.pass(1)
    const signed = await assertion({}, { key: pair.privateKey, kid: 'two' })
    expect((await server.redeem(CHATGPT, await newCode(), signed)).status).toBe(200)
    const old = await server.redeem(CHATGPT, await newCode(), await assertion())
    expect(await errorOf(old)).toBe('401 invalid_client')
  })

  it('whose keys cannot be had is not told that it is unknown', async () => {
    hosts.put(CHATGPT_KEYS, 'timed_out')
    const code = await newCode()
    await expect(server.redeem(CHATGPT, code, await assertion())).rejects.toThrow('keys of a client')
    hosts.put(CHATGPT_KEYS, { body: { keys: [jwk] } })
    server.pass(1)
    expect((await server.redeem(CHATGPT, code, await assertion())).status).toBe(200)
  })

  it('keeps its keys in its document, and they stay good for the connection', async () => {
    hosts.put(CHATGPT, { body: { ...signing, jwks_uri: undefined, jwks: { keys: [jwk] } } })
    const code = await newCode()
    expect((await server.redeem(CHATGPT, code, await assertion())).status).toBe(200)
    expect(hosts.fetched).toEqual([CHATGPT])
  })

  it('is told invalid_grant for what was never its own', async () => {
    expect(await errorOf(await server.redeem(CHATGPT, 'x', await assertion()))).toBe('400 invalid_grant')
    const code = await server.code(APP)
    expect(await errorOf(await server.redeem(CHATGPT, code, await assertion()))).toBe('400 invalid_grant')
  })

  it('may also be one that the operator registered', async () => {
    const created = await server.oauth.staticClients.create({
      name: 'Robot',
      redirectUris: ['https://robot.example/cb'],
      auth: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    if (!created.ok) throw new Error(created.error)
    const { id } = created.value
    const code = await server.code(id, { redirect_uri: 'https://robot.example/cb' })
    expect(await errorOf(await server.redeem(id, code))).toBe('401 invalid_client')
    expect(await errorOf(await server.redeem(id, code, await assertion()))).toBe('401 invalid_client')
    const own = await assertion({ iss: id, sub: id })
    expect((await server.redeem(id, code, own)).status).toBe(200)
  })
})
