import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '#lib/core/random'
import {
  type AuthorizationServer,
  ada,
  bob,
  CALLBACK,
  ISSUER,
  request,
  startAuthorizationServer,
} from '#test/support/authorization-server'

let server: AuthorizationServer
let clientId: string

beforeEach(async () => {
  server = await startAuthorizationServer()
  clientId = (await server.register()).client_id
})
afterEach(() => server.close())

const PAGE_HEADERS = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

function expectPage(response: Response, status: number) {
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  expect(response.headers.has('location')).toBe(false)
  expect(response.headers.has('access-control-allow-origin')).toBe(false)
  for (const [name, value] of Object.entries(PAGE_HEADERS)) expect(response.headers.get(name)).toBe(value)
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('form-action')
}

const fromMarkup = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'")
async function continueUrl(response: Response): Promise<URL> {
  const [, href = ''] = /<a id="oauth-continue"[^>]*href="([^"]*)"/.exec(await response.text()) ?? []
  return new URL(fromMarkup(href))
}

/** `undefined` leaves a parameter out; a string is the raw query. */
function queryOf(change: string | Readonly<Record<string, string | undefined>>): string {
  if (typeof change === 'string') return `${new URLSearchParams(request(clientId))}${change}`
  const merged = Object.entries({ ...request(clientId), ...change }).filter(
    ([, value]) => value !== undefined,
  )
  return new URLSearchParams(merged as [string, string][]).toString()
}
const visit = (query: string, session?: string) =>
  server.call('authorize', `/oauth/authorize?${query}`, session ? { headers: { 'x-session': session } } : {})

describe('an authorization request that only the person may hear of', () => {
  it.each([
    { attack: 'no client id', change: { client_id: undefined } },
    { attack: 'an empty client id', change: { client_id: '' } },
    { attack: 'a client id nobody issued', change: { client_id: 'dc1_nobody' } },
    { attack: 'a URL that cannot be a document', change: { client_id: 'https://app.example' } },
    { attack: 'two client ids', change: '&client_id=x' },
    { attack: 'two redirect URIs', change: `&redirect_uri=${encodeURIComponent(CALLBACK)}` },
    { attack: 'two states', change: '&state=x' },
    { attack: 'another host', change: { redirect_uri: 'https://evil.example/callback' } },
    { attack: 'a longer path', change: { redirect_uri: `${CALLBACK}/more` } },
    { attack: 'another case', change: { redirect_uri: CALLBACK.replace('app', 'APP') } },
    { attack: 'user information', change: { redirect_uri: CALLBACK.replace('//', '//a@') } },
    { attack: 'a query added', change: { redirect_uri: `${CALLBACK}?a=b` } },
    { attack: 'a fragment', change: { redirect_uri: `${CALLBACK}#` } },
    { attack: 'javascript', change: { redirect_uri: 'javascript:alert(1)' } },
    { attack: 'a line break', change: { state: 'a\r\nLocation: https://evil.example' } },
    { attack: 'NUL', change: { scope: 'notes:read\0' } },
    { attack: 'a state of more than 4 KiB', change: { state: 's'.repeat(4097) } },
    { attack: 'a URL of more than 6 KiB', change: { x: 'x'.repeat(6200) } },
    { attack: 'markup', change: { client_id: '"><script>alert(1)</script>' } },
  ])('is a page of ours for $attack, signed in or not', async ({ change }) => {
    for (const session of [undefined, ada.sessionHash]) {
      const response = await visit(queryOf(change), session)
      expectPage(response, 400)
      expect(await response.text()).not.toMatch(/<script>|evil|oauth-continue/)
    }
  })

  it('is a page of ours for prompt=none without a session', async () => {
    expectPage(await visit(queryOf({ prompt: 'none' })), 400)
  })

  it('is refused by method with Allow and no CORS', async () => {
    for (const method of ['POST', 'OPTIONS', 'HEAD', 'DELETE']) {
      const response = await server.call('authorize', `/oauth/authorize?${queryOf({})}`, { method })
      expectPage(response, 405)
      expect(response.headers.get('allow')).toBe('GET')
    }
  })
})

describe('an authorization request without a session', () => {
  it('goes to sign-in sealed, comes back as it was, and asks nothing of the store', async () => {
    const before = server.requests.length
    const sent = await visit(queryOf({ scope: 'nonsense', code_challenge: undefined }))
    expect(sent.status).toBe(303)
    const location = sent.headers.get('location') ?? ''
    expect(location).toMatch(/^\/sign-in\?rt=[A-Za-z0-9._-]+$/)
    expect(server.requests.length).toBe(before)
    const resumed = await visit(location.slice('/sign-in?'.length), ada.sessionHash)
    expect((await continueUrl(resumed)).searchParams.get('error')).toBe('invalid_request')
  })

  it('says who asks, for 10 minutes', async () => {
    const location = (await visit(queryOf({}))).headers.get('location') ?? ''
    const rt = new URL(location, ISSUER).searchParams.get('rt') ?? ''
    expect(await server.oauth.describeRequest(rt)).toEqual({ clientName: 'App' })
    expect(await server.oauth.describeRequest(`${rt}x`)).toBeUndefined()
    server.pass(600)
    expect(await server.oauth.describeRequest(rt)).toBeUndefined()
    expectPage(await visit(`rt=${rt}`, ada.sessionHash), 400)
  })

  it('carries a state of 4 KiB and a client id of 1,024 characters through sign-in', async () => {
    const redirect = `https://app.example/${'p'.repeat(470)}`
    const { client_id: long } = await server.register({
      redirect_uris: [redirect],
      client_name: 'n'.repeat(190),
    })
    expect(long.length).toBeGreaterThan(900)
    const query = queryOf({ client_id: long, redirect_uri: undefined, state: 's'.repeat(4096) })
    const location = (await visit(query)).headers.get('location') ?? ''
    const asked = await visit(location.slice('/sign-in?'.length), ada.sessionHash)
    expect(asked.headers.get('location')).toMatch(/^\/oauth\/consent\?tx=/)
  })

  it('is limited in memory: a flood is told to come back', async () => {
    const answers = new Set<number>()
    for (let count = 0; count < 3100; count++) {
      const { status } = await server.call('register', '/oauth/register', { method: 'POST', body: '' })
      answers.add(status)
    }
    const limited = await visit(queryOf({}))
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('1')
    expect([...answers]).toEqual([415, 429])
    expect(server.requests).toEqual([])
    server.pass(1)
    expect((await visit(queryOf({}))).status).toBe(303)
  })
})

describe('an authorization request that the client hears of', () => {
  it.each([
    { wrong: 'no response type', change: { response_type: undefined }, error: 'invalid_request' },
    { wrong: 'the implicit flow', change: { response_type: 'token' }, error: 'unsupported_response_type' },
    { wrong: 'no challenge', change: { code_challenge: undefined }, error: 'invalid_request' },
    { wrong: 'no method', change: { code_challenge_method: undefined }, error: 'invalid_request' },
    { wrong: 'the plain method', change: { code_challenge_method: 'plain' }, error: 'invalid_request' },
    { wrong: 'a short challenge', change: { code_challenge: 'x'.repeat(42) }, error: 'invalid_request' },
    {
      wrong: 'a padded challenge',
      change: { code_challenge: `${'x'.repeat(43)}=` },
      error: 'invalid_request',
    },
    { wrong: 'a fragment answer', change: { response_mode: 'fragment' }, error: 'invalid_request' },
    { wrong: 'unknown scopes only', change: { scope: 'admin root' }, error: 'invalid_scope' },
    { wrong: 'malformed scopes', change: { scope: 'a"b' }, error: 'invalid_scope' },
    { wrong: 'another resource', change: { resource: 'https://other.example' }, error: 'invalid_target' },
    { wrong: 'two resources', change: `&resource=${ISSUER}&resource=${ISSUER}`, error: 'invalid_target' },
    { wrong: 'a repeated parameter', change: '&scope=a&scope=b', error: 'invalid_request' },
    { wrong: 'a repeated unknown parameter', change: '&x=1&x=2', error: 'invalid_request' },
    { wrong: 'a request object', change: { request: 'ey' }, error: 'request_not_supported' },
    { wrong: 'a request URI', change: { request_uri: 'urn:x' }, error: 'request_uri_not_supported' },
    { wrong: 'prompt=none', change: { prompt: 'none' }, error: 'interaction_required' },
  ])('is told $error for $wrong, by a click', async ({ change, error }) => {
    const response = await visit(queryOf(change), ada.sessionHash)
    expectPage(response, 200)
    const url = await continueUrl(response)
    expect(url.origin + url.pathname).toBe(CALLBACK)
    expect([...url.searchParams.entries()].toSorted()).toEqual([
      ['error', error],
      ['iss', ISSUER],
      ['state', 'a state'],
    ])
  })

  it('ignores what it does not know and treats empty parameters as omitted', async () => {
    const change = { foo: 'bar', scope: '', resource: '', response_mode: '', prompt: '', login_hint: 'x' }
    const response = await visit(queryOf(change), ada.sessionHash)
    expect(response.headers.get('location')).toMatch(/^\/oauth\/consent/)
  })
})

describe('the consent page', () => {
  it('shows who asks, for what, as whom and where the answer goes; loading it again is harmless', async () => {
    const { location, markup } = await server.consentForm(request(clientId))
    for (const text of [
      'App',
      'app.example',
      'Read your notes',
      'Change your notes',
      'Ada',
      'unverified',
      clientId,
    ]) {
      expect(markup).toContain(text)
    }
    expect(markup).not.toContain('Empty your notebook')
    expect(markup.match(/<form/g)).toHaveLength(1)
    const again = await server.call('consent', location, { headers: { 'x-session': ada.sessionHash } })
    expectPage(again, 200)
  })

  it.each([
    { redirect: 'http://127.0.0.1:9/cb', says: 'localhost only' },
    { redirect: 'cursor://anysphere.cursor-mcp/oauth/callback', says: 'opens an app on this device' },
  ])('warns of $redirect and puts Deny first', async ({ redirect, says }) => {
    const { client_id } = await server.register({ redirect_uris: [redirect] })
    const { markup } = await server.consentForm({ ...request(client_id), redirect_uri: redirect })
    expect(markup).toContain(says)
    expect(markup.indexOf('value="deny"')).toBeLessThan(markup.indexOf('value="allow"'))
  })

  it('escapes the name and drops what would turn it', async () => {
    const { client_id } = await server.register({ client_name: '<img src=x onerror=alert(1)>\u202Eevil\0' })
    const { markup } = await server.consentForm(request(client_id))
    expect(markup).toContain('&lt;img src=x onerror=alert(1)&gt; evil')
    expect(markup).not.toMatch(/<img|\u202e/i)
  })

  it('is nobody else’s', async () => {
    const { location, tx, csrf } = await server.consentForm(request(clientId))
    const shown = await server.call('consent', location, { headers: { 'x-session': bob.sessionHash } })
    expectPage(shown, 400)
    expectPage(await server.decide({ tx, csrf, decision: 'allow' }, { user: bob }), 403)
    expect((await server.call('consent', location)).headers.get('location')).toBe('/sign-in')
  })

  it('lets somebody else go on with the same request', async () => {
    const { location } = await server.consentForm(request(clientId))
    const page = await server.call('consent', `${location}&switch=account`, {
      headers: { 'x-session': ada.sessionHash },
    })
    const markup = await page.text()
    expect(markup).toContain('action="/sign-out"')
    expect(markup).toContain('name="csrf" value="of the sign-out form"')
    const rt = /name="rt" value="([^"]*)"/.exec(markup)?.[1] ?? ''
    expect((await visit(`rt=${rt}`, bob.sessionHash)).headers.get('location')).toMatch(/^\/oauth\/consent/)
  })
})

describe('answering', () => {
  it('sends the code, the state byte for byte and the issuer with 303', async () => {
    const rawState = "%7E~+%2B'%C3%A9%FF=%26"
    const query = queryOf({ state: undefined })
    const asked = await visit(`${query}&state=${rawState}`, ada.sessionHash)
    const page = await server.call('consent', asked.headers.get('location') ?? '', {
      headers: { 'x-session': ada.sessionHash },
    })
    const markup = await page.text()
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(markup)?.[1] ?? ''
    const answer = await server.decide({ tx: field('tx'), csrf: field('csrf'), decision: 'allow' })
    expect(answer.status).toBe(303)
    const location = answer.headers.get('location') ?? ''
    expect(location).toContain(`&state=${rawState.replace("'", '%27')}&`)
    expect(new URL(location).searchParams.get('iss')).toBe(ISSUER)
    expect(new URL(location).searchParams.get('code')).toMatch(/^[\w-]{22}\.[\w-]{43}$/)
  })

  it('says no with access_denied', async () => {
    const { tx, csrf } = await server.consentForm(request(clientId))
    const answer = await server.decide({ tx, csrf, decision: 'deny' })
    expect(answer.status).toBe(303)
    expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied')
    expect(await server.oauth.listGrants('ada')).toEqual([])
  })

  it('opens an app of the device by a click', async () => {
    const redirect = 'cursor://anysphere.cursor-mcp/oauth/callback'
    const { client_id } = await server.register({ redirect_uris: [redirect] })
    const { tx, csrf } = await server.consentForm({ ...request(client_id), redirect_uri: redirect })
    const answer = await server.decide({ tx, csrf, decision: 'allow' })
    expectPage(answer, 200)
    expect((await continueUrl(answer)).href).toMatch(
      /^cursor:\/\/anysphere.cursor-mcp\/oauth\/callback\?code=/,
    )
  })

  it('takes one answer: a second gets a page, and 10 at once give one code', async () => {
    const { tx, csrf } = await server.consentForm(request(clientId))
    const form = { tx, csrf, decision: 'allow' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.decide(form)))
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    const late = await server.decide(form)
    expectPage(late, 400)
    expect(await late.text()).toContain('already used')
  })

  it('gives what stays ticked, never what was not asked', async () => {
    const { tx, csrf } = await server.consentForm(request(clientId))
    const form = [
      ['tx', tx],
      ['csrf', csrf],
      ['decision', 'allow'],
      ['listed', 'scopes'],
      ['scope', 'notes:read'],
      ['scope', 'notes:purge'],
    ]
    const answer = await server.decide(form)
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    expect(await (await server.redeem(clientId, code)).json()).toMatchObject({ scope: 'notes:read' })
  })

  it('asks again when nothing is ticked, and keeps the request', async () => {
    const { tx, csrf } = await server.consentForm(request(clientId))
    const again = await server.decide({ tx, csrf, decision: 'allow', listed: 'scopes' })
    expectPage(again, 400)
    expect(await again.text()).toContain('Choose at least one permission')
    expect((await server.decide({ tx, csrf, decision: 'deny' })).status).toBe(303)
  })

  it.each([
    { attack: 'another origin', headers: { origin: 'https://evil.example' }, status: 403 },
    { attack: 'the null origin', headers: { origin: 'null' }, status: 403 },
    { attack: 'another media type', headers: { 'content-type': 'text/plain' }, status: 415 },
    { attack: 'JSON', headers: { 'content-type': 'application/json' }, status: 415 },
    { attack: 'no session', user: null, status: 403 },
    { attack: 'a token of another form', form: { csrf: 'AAAAAAAA.AAAA' }, status: 403 },
    { attack: 'no token', form: { csrf: '' }, status: 403 },
    { attack: 'another transaction', form: { tx: systemRandom(24) }, status: 403 },
    { attack: 'no decision', form: { decision: '' }, status: 400 },
    { attack: 'another decision', form: { decision: 'ALLOW' }, status: 400 },
  ])(
    'refuses $attack with $status and gives no code',
    async ({ headers = {}, user = ada, form = {}, status }) => {
      const { tx, csrf } = await server.consentForm(request(clientId))
      expectPage(await server.decide({ tx, csrf, decision: 'allow', ...form }, { user, headers }), status)
      expect((await server.decide({ tx, csrf, decision: 'allow' })).status).toBe(303)
    },
  )

  it('accepts a browser that sends no Origin only with Sec-Fetch-Site', async () => {
    const { tx, csrf } = await server.consentForm(request(clientId))
    const send = (site: Record<string, string>) =>
      server.call('consent', '/oauth/consent', {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-session': ada.sessionHash,
          ...site,
        },
        body: new URLSearchParams({ tx, csrf, decision: 'deny' }).toString(),
      })
    expectPage(await send({}), 403)
    expectPage(await send({ 'sec-fetch-site': 'same-site' }), 403)
    expect((await send({ 'sec-fetch-site': 'same-origin' })).status).toBe(303)
  })

  it('keeps 50 connections of one client and drops the least recently used', async () => {
    for (let count = 0; count < 52; count++) {
      await server.redeem(clientId, await server.code(clientId))
      server.pass(1)
    }
    const grants = await server.oauth.listGrants('ada')
    expect(grants).toHaveLength(50)
    expect(server.audited.filter(({ why }) => why === 'too_many')).toHaveLength(2)
  })
})
