import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CALLBACK,
  CHALLENGE,
  type Change,
  continueUrl,
  expectLocal,
  expectPageHeaders,
  LOOPBACK,
  startTarget,
  type Target,
} from '#test/e2e/attacks/target'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.dispose())

const stranger = (change: Change | string) => fetch(target.authorizationUrl(change), { redirect: 'manual' })

describe('an attack on the parameters stays a page of ours', () => {
  it.each<{ attack: string; change: Change | string }>([
    { attack: 'two client ids', change: '&client_id=evil' },
    { attack: 'two equal redirect URIs', change: `&redirect_uri=${encodeURIComponent(CALLBACK)}` },
    { attack: 'a second, empty redirect URI', change: '&redirect_uri=' },
    { attack: 'two states', change: '&state=evil' },
    { attack: 'a second state in another spelling of its name', change: '&%73tate=evil' },
    { attack: 'NUL in the state', change: { state: 'a\0evil' } },
    { attack: 'a header in the state', change: { state: 'a\r\nLocation: https://evil.example' } },
    { attack: 'a line feed in the scope', change: { scope: 'notes:read\nevil' } },
    { attack: 'a carriage return in an unknown parameter', change: { ui: 'a\revil' } },
    { attack: 'NUL in the name of a parameter', change: '&a%00=evil' },
    { attack: 'a state of 4,097 bytes', change: { state: 's'.repeat(4097) } },
    { attack: 'a state of 4,097 bytes in two-byte letters', change: { state: `${'ä'.repeat(2048)}s` } },
    { attack: 'a URL of more than 6 KiB', change: { ui_locales: 'e'.repeat(6200) } },
    { attack: 'no client id', change: { client_id: undefined } },
    { attack: 'an empty client id', change: { client_id: '' } },
    { attack: 'a client id nobody issued', change: { client_id: 'evil' } },
    { attack: 'the prefix of our ids alone', change: { client_id: 'dc1_' } },
    { attack: 'an id of ours with a forged MAC', change: { client_id: `dc1_${'A'.repeat(80)}` } },
    { attack: 'the name of an object member', change: { client_id: '__proto__' } },
    { attack: 'a client id of 100 kB', change: { client_id: `dc1_${'A'.repeat(5000)}` } },
    { attack: 'a client id by http', change: { client_id: 'http://evil.example/client.json' } },
    { attack: 'a client id on this machine', change: { client_id: 'https://127.0.0.1/client.json' } },
    { attack: 'a client id on localhost', change: { client_id: 'https://localhost/client.json' } },
    { attack: 'the address of a cloud’s metadata', change: { client_id: 'https://169.254.169.254/latest/' } },
    { attack: 'a client id with user information', change: { client_id: 'https://a@evil.example/c.json' } },
    { attack: 'a client id with dot segments', change: { client_id: 'https://evil.example/a/../c.json' } },
    { attack: 'a client id with a fragment', change: { client_id: 'https://evil.example/c.json#x' } },
    { attack: 'markup as client id', change: { client_id: '"><script>evil()</script>' } },
  ])('$attack', async ({ change }) => {
    await expectLocal(await stranger(change))
    await expectLocal(await target.owner.go(target.authorizationUrl(change)))
  })

  it('every byte of a client id counts', async () => {
    const { clientId } = target
    const places = [4, 12, 60, clientId.length - 1]
    for (const place of places) {
      const other = clientId[place] === 'A' ? 'B' : 'A'
      const flipped = clientId.slice(0, place) + other + clientId.slice(place + 1)
      await expectLocal(await stranger({ client_id: flipped }))
    }
    await expectLocal(await stranger({ client_id: clientId.slice(0, -3) }))
  })

  it('prompt=none sends no stranger anywhere', async () => {
    await expectLocal(await stranger({ prompt: 'none' }))
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('the method %s', async (method) => {
    const response = await fetch(target.authorizationUrl(), { method, redirect: 'manual' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toContain('GET')
    expect(response.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('a sealed request that was changed, cut or made up', async () => {
    const sent = await stranger({})
    const rt = new URL(sent.headers.get('location') ?? '', target.origin).searchParams.get('rt') ?? ''
    for (const bad of [`${rt}x`, rt.slice(0, -2), 'e30', '']) {
      await expectLocal(await target.owner.go(`/oauth/authorize?rt=${encodeURIComponent(bad)}`))
    }
  })
})

describe('a redirect URI that was not registered, byte for byte, gets nothing', () => {
  it.each([
    { attack: 'a prefix', uri: 'https://app.example/call' },
    { attack: 'a longer path', uri: `${CALLBACK}/x` },
    { attack: 'a trailing slash', uri: `${CALLBACK}/` },
    { attack: 'a query', uri: `${CALLBACK}?x=evil` },
    { attack: 'an empty query', uri: `${CALLBACK}?` },
    { attack: 'a fragment', uri: `${CALLBACK}#evil` },
    { attack: 'an empty fragment', uri: `${CALLBACK}#` },
    { attack: 'path traversal', uri: `${CALLBACK}/../callback` },
    { attack: 'a dot segment', uri: 'https://app.example/./callback' },
    { attack: 'an encoded letter', uri: 'https://app.example/%63allback' },
    { attack: '%2f', uri: 'https://app.example%2fcallback' },
    { attack: 'an encoded line break', uri: `${CALLBACK}%0d%0aevil` },
    { attack: 'two slashes', uri: 'https://app.example//callback' },
    { attack: 'a parameter of the path', uri: `${CALLBACK};evil` },
    { attack: 'user information', uri: 'https://evil@app.example/callback' },
    { attack: 'our host as user information', uri: 'https://app.example@evil.example/callback' },
    { attack: 'a backslash before the host', uri: 'https://evil.example\\@app.example/callback' },
    { attack: 'a longer host', uri: 'https://app.example.evil.example/callback' },
    { attack: 'a host that ends alike', uri: 'https://evilapp.example/callback' },
    { attack: 'a subdomain', uri: 'https://x.app.example/callback' },
    { attack: 'a dot after the host', uri: 'https://app.example./callback' },
    { attack: 'another case of the host', uri: 'https://APP.example/callback' },
    { attack: 'another case of the scheme', uri: 'HTTPS://app.example/callback' },
    { attack: 'another case of the path', uri: 'https://app.example/Callback' },
    { attack: 'a Cyrillic letter in the host', uri: 'https://\u0430pp.example/callback' },
    { attack: 'an ideographic full stop in the host', uri: 'https://app\u3002example/callback' },
    { attack: 'a full-width host', uri: 'https://\uff41pp.example/callback' },
    { attack: 'the default port', uri: 'https://app.example:443/callback' },
    { attack: 'another port on https', uri: 'https://app.example:8443/callback' },
    { attack: 'http in place of https', uri: 'http://app.example/callback' },
    { attack: 'no scheme', uri: '//app.example/callback' },
    { attack: 'a path alone', uri: '/callback' },
    { attack: 'three slashes', uri: 'https:///app.example/callback' },
    { attack: 'a space before', uri: ` ${CALLBACK}` },
    { attack: 'a space after', uri: `${CALLBACK} ` },
    { attack: 'a tab inside', uri: 'https://app.example/call\tback' },
    { attack: 'another spelling of the loopback host', uri: 'http://localhost/callback' },
    { attack: 'the other loopback family', uri: 'http://[::1]/callback' },
    { attack: 'another loopback address', uri: 'http://127.0.0.2/callback' },
    { attack: 'the short spelling of loopback', uri: 'http://127.1/callback' },
    { attack: 'loopback as a number', uri: 'http://2130706433/callback' },
    { attack: 'loopback in v6', uri: 'http://[::ffff:127.0.0.1]/callback' },
    { attack: 'all interfaces', uri: 'http://0.0.0.0/callback' },
    { attack: 'a host that begins like loopback', uri: 'http://127.0.0.1.evil.example/callback' },
    { attack: 'loopback as user information', uri: 'http://127.0.0.1:80@evil.example/callback' },
    { attack: 'loopback by https', uri: 'https://127.0.0.1/callback' },
    { attack: 'a loopback port that is none', uri: 'http://127.0.0.1:99999/callback' },
    { attack: 'an empty loopback port', uri: 'http://127.0.0.1:/callback' },
    { attack: 'another path on loopback', uri: 'http://127.0.0.1:8080/evil' },
    { attack: 'a query on loopback', uri: 'http://127.0.0.1:8080/callback?evil' },
    { attack: 'javascript', uri: 'javascript:evil()' },
    { attack: 'data', uri: 'data:text/html,<script>evil()</script>' },
    { attack: 'a private-use scheme', uri: 'cursor://evil' },
    { attack: 'out of band', uri: 'urn:ietf:wg:oauth:2.0:oob' },
  ])('$attack', async ({ uri }) => {
    await expectLocal(await stranger({ redirect_uri: uri }))
    await expectLocal(await target.owner.go(target.authorizationUrl({ redirect_uri: uri })))
  })

  it('none of several registered ones is guessed', async () => {
    await expectLocal(await target.owner.go(target.authorizationUrl({ redirect_uri: undefined })))
  })

  it.each([CALLBACK, LOOPBACK, 'http://127.0.0.1:51234/callback'])('but %s is asked about', async (uri) => {
    const page = await target.owner.go(target.authorizationUrl({ redirect_uri: uri }))
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('name="decision"')
  })
})

describe('another fault is told to the client, by a click of the person', () => {
  it.each<{ attack: string; change: Change | string; error: string }>([
    { attack: 'no response type', change: { response_type: undefined }, error: 'invalid_request' },
    { attack: 'the implicit grant', change: { response_type: 'token' }, error: 'unsupported_response_type' },
    { attack: 'a hybrid', change: { response_type: 'code id_token' }, error: 'unsupported_response_type' },
    { attack: 'another case of code', change: { response_type: 'CODE' }, error: 'unsupported_response_type' },
    { attack: 'two response types', change: '&response_type=code', error: 'invalid_request' },
    { attack: 'an answer in the fragment', change: { response_mode: 'fragment' }, error: 'invalid_request' },
    { attack: 'an answer by form', change: { response_mode: 'form_post' }, error: 'invalid_request' },
    { attack: 'a request object', change: { request: 'e30.e30.' }, error: 'request_not_supported' },
    {
      attack: 'a request by reference',
      change: { request_uri: 'https://evil.example/r' },
      error: 'request_uri_not_supported',
    },
    {
      attack: 'no PKCE',
      change: { code_challenge: undefined, code_challenge_method: undefined },
      error: 'invalid_request',
    },
    { attack: 'an empty challenge', change: { code_challenge: '' }, error: 'invalid_request' },
    { attack: 'plain PKCE', change: { code_challenge_method: 'plain' }, error: 'invalid_request' },
    {
      attack: 'PKCE without a method',
      change: { code_challenge_method: undefined },
      error: 'invalid_request',
    },
    { attack: 's256 in small letters', change: { code_challenge_method: 's256' }, error: 'invalid_request' },
    {
      attack: 'a challenge of 42 characters',
      change: { code_challenge: 'c'.repeat(42) },
      error: 'invalid_request',
    },
    {
      attack: 'a challenge of 44 characters',
      change: { code_challenge: 'c'.repeat(44) },
      error: 'invalid_request',
    },
    {
      attack: 'a challenge of 128 characters',
      change: { code_challenge: 'c'.repeat(128) },
      error: 'invalid_request',
    },
    {
      attack: 'a challenge with padding',
      change: { code_challenge: `${CHALLENGE.slice(0, 42)}=` },
      error: 'invalid_request',
    },
    {
      attack: 'a challenge in base64',
      change: { code_challenge: `${CHALLENGE.slice(0, 42)}+` },
      error: 'invalid_request',
    },
    { attack: 'two challenges', change: `&code_challenge=${CHALLENGE}`, error: 'invalid_request' },
    { attack: 'a scope nobody knows', change: { scope: 'root' }, error: 'invalid_scope' },
    { attack: 'a scope with a quote', change: { scope: 'notes:read"' }, error: 'invalid_scope' },
    { attack: 'two scopes', change: '&scope=notes:read&scope=notes:write', error: 'invalid_request' },
    {
      attack: 'another resource',
      change: { resource: 'https://evil.example/api/mcp' },
      error: 'invalid_target',
    },
    { attack: 'a resource that is no URL', change: { resource: 'evil' }, error: 'invalid_target' },
    { attack: 'prompt=none', change: { prompt: 'none' }, error: 'interaction_required' },
    { attack: 'prompt=none among others', change: { prompt: 'consent none' }, error: 'interaction_required' },
  ])('$attack is $error', async ({ change, error }) => {
    const response = await target.owner.go(target.authorizationUrl(change))
    expect(response.status).toBe(200)
    expectPageHeaders(response)
    const { origin, pathname, searchParams } = await continueUrl(response)
    expect(origin + pathname).toBe(CALLBACK)
    expect(searchParams.getAll('error')).toEqual([error])
    expect(searchParams.getAll('state')).toEqual(['a state'])
    expect(searchParams.getAll('iss')).toEqual([target.origin])
    expect(searchParams.has('code')).toBe(false)
    // A stranger learns nothing of it: first they sign in.
    const sent = await stranger(change)
    const told = sent.status === 303 ? sent.headers.get('location') : undefined
    if (told !== undefined) expect(told).toMatch(/^\/sign-in\?rt=/)
    else await expectLocal(sent)
  })

  it.each([
    { what: 'the origin', resource: (origin: string) => origin },
    { what: 'the origin with a slash', resource: (origin: string) => `${origin}/` },
    { what: 'the resource', resource: (origin: string) => `${origin}/api/mcp` },
    { what: 'the resource with a slash', resource: (origin: string) => `${origin}/api/mcp/` },
  ])('$what is a spelling of our resource', async ({ resource }) => {
    const page = await target.owner.go(target.authorizationUrl({ resource: resource(target.origin) }))
    expect(await page.text()).toContain('name="decision"')
  })

  it.each([
    { what: 'a path beside it', of: (origin: string) => `${origin}/api` },
    { what: 'a longer path', of: (origin: string) => `${origin}/api/mcp/x` },
    { what: 'dot segments', of: (origin: string) => `${origin}/api/../api/mcp` },
    { what: 'a fragment', of: (origin: string) => `${origin}/api/mcp#` },
    { what: 'a query', of: (origin: string) => `${origin}/api/mcp?x` },
    { what: 'user information', of: (origin: string) => origin.replace('//', '//evil@') },
    { what: 'another port', of: (origin: string) => `${origin}1` },
  ])('a resource with $what is another', async ({ of }) => {
    const response = await target.owner.go(target.authorizationUrl({ resource: of(target.origin) }))
    expect((await continueUrl(response)).searchParams.get('error')).toBe('invalid_target')
  })
})

describe('an answer holds each of its members once', () => {
  const allow = async (change: Change) => {
    const { tx, csrf } = await target.consentForm(target.owner, change)
    const fields = [
      ['tx', tx],
      ['csrf', csrf],
      ['decision', 'allow'],
    ] as const
    return (await target.decide(fields)).headers.get('location') ?? ''
  }

  it.each(['a b', 'ä/+%&=', '"><script>', '&code=evil&iss=evil', '#code=evil', '%00'])(
    'with the state %s byte for byte',
    async (state) => {
      const sent = new URLSearchParams({ state }).toString()
      const answer = await allow({ state })
      expect(answer).toContain(`&${sent}&`)
      const { searchParams } = new URL(answer)
      expect(searchParams.getAll('state')).toEqual([state])
      expect(searchParams.getAll('code')).toHaveLength(1)
      expect(searchParams.getAll('iss')).toEqual([target.origin])
    },
  )

  it('although the registered address brings members of its own', async () => {
    const uri = `${CALLBACK}?code=evil&state=evil&iss=evil&error=evil&keep=1`
    const id = await target.idOf(await target.register({ redirect_uris: [uri] }))
    const { searchParams } = new URL(await allow({ client_id: id, redirect_uri: uri }))
    expect(searchParams.get('keep')).toBe('1')
    expect([...searchParams.values()].join()).not.toContain('evil')
    expect([...searchParams.keys()].toSorted()).toEqual(['code', 'iss', 'keep', 'state'])
  })
})
