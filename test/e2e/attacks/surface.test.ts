import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectPageHeaders, raw, startTarget, type Target } from '#test/e2e/attacks/target'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.dispose())

const documents = [
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/api/mcp',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/jwks.json',
]

describe.each(documents)('the document %s', (path) => {
  it('may be read by any page, without credentials, for a while', async () => {
    const response = await fetch(target.origin + path, { headers: { origin: 'https://inspector.example' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.has('access-control-allow-credentials')).toBe(false)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    expect(await response.text()).not.toMatch(/null|\[\]/)
  })

  it('takes no name from the request', async () => {
    const headers = {
      host: new URL(target.origin).host,
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-port': '1',
      forwarded: 'host=evil.example;proto=gopher',
      'x-original-url': '/evil',
    }
    const { status, body } = await raw(target.origin, path, headers)
    expect(status).toBe(200)
    expect(body).not.toMatch(/evil|gopher/)
    const foreign = await raw(target.origin, path, { host: 'evil.example' })
    expect(foreign.body).not.toContain('evil')
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('refuses %s with Allow', async (method) => {
    const response = await fetch(target.origin + path, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })

  it('answers HEAD like GET and a preflight', async () => {
    const head = await fetch(target.origin + path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const preflight = await fetch(target.origin + path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://inspector.example',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/mcp-protocol-version/i)
  })
})

describe('an address that is not one of them', () => {
  it.each([
    '/.well-known/oauth-protected-resource/evil',
    '/.well-known/oauth-protected-resource/api',
    '/.well-known/oauth-protected-resource/api/mcp/evil',
    '/.well-known/oauth-authorization-server/api/mcp',
    '/.well-known/openid-configuration/api/mcp',
    '/api/mcp/.well-known/openid-configuration',
    '/.well-known/evil',
    '/.well-known/jwks.json/evil',
  ])('%s is a JSON 404 with CORS, and its path is not repeated', async (path) => {
    const response = await fetch(target.origin + path)
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.text()).not.toMatch(/evil|resource"|issuer/)
  })
})

describe('a registration', () => {
  it.each<{ attack: string; metadata: Record<string, unknown>; error: string }>([
    ...[
      'javascript:evil()',
      'data:text/html,evil',
      'vbscript:evil',
      'file:///etc/passwd',
      'blob:https://app.example/x',
      'about:blank',
      'filesystem:https://app.example/x',
      'view-source:https://app.example/',
      'mailto:evil@evil.example',
      'tel:+1',
      'ftp://app.example/',
      'ws://app.example/',
      'wss://app.example/',
      'intent://evil#Intent;end',
      'ms-word:ofe|u|https://evil.example',
      'ms-settings:evil',
      'unknownapp://evil',
      'http://app.example/callback',
      'http://127.0.0.1.evil.example/',
      'http://localhost.evil.example/',
      'http://10.0.0.1/',
      'https://app.example/#',
      'https://app.example/#evil',
      'https://user@app.example/',
      'https://user:evil@app.example/',
      'https://app.example\\@evil.example/',
      'https://app.example/a b',
      'https://\u0430pp.example/',
      `https://app.example/${'e'.repeat(512)}`,
      'https://',
      '//app.example/',
      '/callback',
      '',
      'JaVaScRiPt:evil()',
      ' javascript:evil()',
    ].map((uri) => ({ attack: uri, metadata: { redirect_uris: [uri] }, error: 'invalid_redirect_uri' })),
    { attack: 'no list', metadata: { redirect_uris: 'https://app.example/' }, error: 'invalid_redirect_uri' },
    { attack: 'an empty list', metadata: { redirect_uris: [] }, error: 'invalid_redirect_uri' },
    {
      attack: 'eleven addresses',
      metadata: { redirect_uris: Array.from({ length: 11 }, (_, n) => `https://app.example/${n}`) },
      error: 'invalid_redirect_uri',
    },
    {
      attack: 'a name of 300 letters',
      metadata: { client_name: 'e'.repeat(300) },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'a name that is a list',
      metadata: { client_name: ['evil'] },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'a private key',
      metadata: { jwks: { keys: [{ kty: 'EC', d: 'evil' }] } },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'a script as logo',
      metadata: { logo_uri: 'javascript:evil()' },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'an unknown method',
      metadata: { token_endpoint_auth_method: 'evil' },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'no grant of ours',
      metadata: { grant_types: ['client_credentials'] },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'the implicit answer',
      metadata: { response_types: ['token'] },
      error: 'invalid_client_metadata',
    },
    {
      attack: 'more than an id holds',
      metadata: { redirect_uris: [1, 2, 3].map((n) => `https://app.example/${n}${'e'.repeat(400)}`) },
      error: 'invalid_client_metadata',
    },
  ])('of $attack is refused by name, and not repeated', async ({ metadata, error }) => {
    const response = await target.register(metadata)
    expect(response.status).toBe(400)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const said = (await response.json()) as { error: string; error_description: string }
    expect(said.error).toBe(error)
    expect(said.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/)
    expect(said.error_description).not.toContain('evil')
    expect(said).not.toHaveProperty('client_id')
  })

  it('cannot choose its id, its verdict or another’s', async () => {
    const body = await (
      await target.register({
        client_id: 'evil',
        client_secret: 'evil',
        verified: true,
        skip_consent: true,
        software_statement: 'evil',
        registration_access_token: 'evil',
        __proto__: { kind: 'static' },
      })
    ).json()
    expect(JSON.stringify(body)).not.toMatch(/evil|skip_consent|verified|registration_/)
  })
})

describe('pages', () => {
  it.each(['/sign-in', '/sign-in/link', '/oauth/authorize', '/oauth/consent?tx=x', '/sign-in?rt=x'])(
    '%s has the headers of every page',
    async (path) => {
      expectPageHeaders(await fetch(target.origin + path))
    },
  )

  it('and the form of consent cannot be framed, sniffed or kept', async () => {
    expectPageHeaders((await target.consentForm()).page)
  })

  it('send people only to pages of ours', async () => {
    for (const path of [
      '/sign-in?rt=https://evil.example',
      '/sign-in?next=https://evil.example',
      '//evil.example/',
      '/sign-in/link?next=//evil.example',
      '/oauth/authorize?rt=//evil.example',
    ]) {
      const { headers } = await raw(target.origin, path, { host: new URL(target.origin).host })
      expect(headers.get('location') ?? '/').not.toMatch(/^(?:https?:)?\/\/evil/)
    }
  })
})

const signIn = (token: string, headers: Record<string, string> = {}) =>
  fetch(`${target.origin}/sign-in/link`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: target.origin, ...headers },
    body: new URLSearchParams({ token }).toString(),
  })

describe('the cookie of a browser session', () => {
  it('is new at each sign-in, HttpOnly, Lax, for the whole site and for no other host', async () => {
    const planted = `gatehouse-session=${'A'.repeat(43)}`
    const token = new URL(await target.linkFor('Cora')).hash.slice(1)
    const response = await signIn(token, { cookie: planted })
    expect(response.status).toBe(303)
    const [cookie = '', ...more] = response.headers.getSetCookie()
    expect(more).toEqual([])
    expect(cookie).toMatch(/^gatehouse-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/)
    expect(cookie).not.toContain(planted)
    // The link is spent, for a browser that has no session.
    const again = await signIn(token)
    expect([again.status, again.headers.getSetCookie()]).toEqual([400, []])
  })

  it.each([
    'gatehouse-session=',
    'gatehouse-session=../s:x',
    'gatehouse-session=%00',
    `gatehouse-session=${'A'.repeat(43)}; gatehouse-session=${'B'.repeat(43)}`,
  ])('as %s signs nobody in', async (cookie) => {
    const response = await fetch(target.authorizationUrl(), { headers: { cookie }, redirect: 'manual' })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toMatch(/^\/sign-in\?rt=/)
  })
})

describe('a sign-in', () => {
  it.each(['', 'evil', 'AAAAAAAA.AAAA', `${'A'.repeat(200)}`])(
    'with the token "%s" sets no cookie',
    async (token) => {
      const response = await signIn(token)
      expect(response.status).toBe(400)
      expect(response.headers.getSetCookie()).toEqual([])
      expectPageHeaders(response)
    },
  )

  it('from another page is 403 whatever the token', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
      expect((await signIn('evil', headers)).status).toBe(403)
    }
  })
})

it('nothing of all that is in the log: no code, token, state or cookie', async () => {
  const { access_token: access, refresh_token: refresh } = await target.connect({
    state: 'a-state-to-look-for',
  })
  await fetch(`${target.origin}/api/mcp?access_token=${access}`, {
    headers: { authorization: `Bearer ${access}` },
  })
  const log = target
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .join('\n')
  expect(log.length).toBeGreaterThan(1000)
  for (const secret of [
    access,
    refresh,
    'a-state-to-look-for',
    target.clientId,
    'code_verifier',
    'gatehouse-session',
  ]) {
    expect(log).not.toContain(secret)
  }
})
