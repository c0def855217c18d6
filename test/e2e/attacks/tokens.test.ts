import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALLBACK, startTarget, type Target, VERIFIER } from '#test/e2e/attacks/target'
import { listNotes } from '#test/support/mcp-request'

let target: Target
beforeAll(async () => {
  target = await startTarget({ REFRESH_GRACE_SECONDS: '0' })
})
afterAll(() => target.dispose())

type Form = Readonly<Record<string, string>>

/** What the token endpoint says, with what stands on each of its answers. */
async function said(response: Response): Promise<string> {
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.has('access-control-allow-credentials')).toBe(false)
  const body = (await response.json()) as { error?: string; access_token?: string }
  if (response.status !== 200) expect(body).not.toHaveProperty('access_token')
  return `${response.status} ${body.error ?? 'tokens'}`
}

describe('a redemption that fails spends nothing', () => {
  it.each<{ attack: string; form: (code: string) => Form | string; gives: string }>([
    {
      attack: 'no verifier',
      form: (code) => ({ ...target.redemption(code), code_verifier: '' }),
      gives: '400 invalid_request',
    },
    {
      attack: 'a wrong verifier',
      form: (code) => target.redemption(code, { code_verifier: 'x'.repeat(43) }),
      gives: '400 invalid_grant',
    },
    {
      attack: 'the challenge as verifier',
      form: (code) => target.redemption(code, { code_verifier: `${VERIFIER}x` }),
      gives: '400 invalid_grant',
    },
    {
      attack: 'a verifier of 42 characters',
      form: (code) => target.redemption(code, { code_verifier: 'x'.repeat(42) }),
      gives: '400 invalid_request',
    },
    {
      attack: 'a verifier of 128 characters',
      form: (code) => target.redemption(code, { code_verifier: 'x'.repeat(128) }),
      gives: '400 invalid_grant',
    },
    {
      attack: 'a verifier of 129 characters',
      form: (code) => target.redemption(code, { code_verifier: 'x'.repeat(129) }),
      gives: '400 invalid_request',
    },
    {
      attack: 'a verifier with a space',
      form: (code) => target.redemption(code, { code_verifier: `${'x'.repeat(42)} x` }),
      gives: '400 invalid_request',
    },
    {
      attack: 'another redirect URI',
      form: (code) => target.redemption(code, { redirect_uri: `${CALLBACK}/x` }),
      gives: '400 invalid_grant',
    },
    {
      attack: 'another registered redirect URI',
      form: (code) => target.redemption(code, { redirect_uri: 'http://127.0.0.1/callback' }),
      gives: '400 invalid_grant',
    },
    {
      attack: 'another resource',
      form: (code) => target.redemption(code, { resource: 'https://evil.example' }),
      gives: '400 invalid_target',
    },
    {
      attack: 'an unknown client',
      form: (code) => target.redemption(code, { client_id: 'evil' }),
      gives: '401 invalid_client',
    },
    {
      attack: 'no client',
      form: (code) => ({ ...target.redemption(code), client_id: '' }),
      gives: '400 invalid_request',
    },
    {
      attack: 'a secret of a public client',
      form: (code) => target.redemption(code, { client_secret: 'evil' }),
      gives: '401 invalid_client',
    },
    {
      attack: 'an assertion nobody registered',
      form: (code) =>
        target.redemption(code, {
          client_assertion: 'e30.e30.x',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        }),
      gives: '401 invalid_client',
    },
    {
      attack: 'a secret and an assertion',
      form: (code) => target.redemption(code, { client_secret: 'x', client_assertion: 'x' }),
      gives: '400 invalid_request',
    },
    {
      attack: 'no grant type',
      form: (code) => ({ ...target.redemption(code), grant_type: '' }),
      gives: '400 invalid_request',
    },
    {
      attack: 'two codes',
      form: (code) => `${new URLSearchParams(target.redemption(code))}&code=x`,
      gives: '400 invalid_request',
    },
    {
      attack: 'two grant types',
      form: (code) => `${new URLSearchParams(target.redemption(code))}&grant_type=refresh_token`,
      gives: '400 invalid_request',
    },
    {
      attack: 'two verifiers',
      form: (code) => `${new URLSearchParams(target.redemption(code))}&code_verifier=${VERIFIER}`,
      gives: '400 invalid_request',
    },
    {
      attack: 'two clients',
      form: (code) => `${new URLSearchParams(target.redemption(code))}&client_id=x`,
      gives: '400 invalid_request',
    },
    {
      attack: 'the code as a refresh token',
      form: (code) => ({ grant_type: 'refresh_token', client_id: target.clientId, refresh_token: code }),
      gives: '400 invalid_grant',
    },
    ...[
      'client_credentials',
      'password',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'AUTHORIZATION_CODE',
      '__proto__',
    ].map((grant_type) => ({
      attack: `the grant ${grant_type}`,
      form: (code: string) => target.redemption(code, { grant_type }),
      gives: '400 unsupported_grant_type',
    })),
  ])('$attack is $gives', async ({ form, gives }) => {
    const code = await target.code()
    expect(await said(await target.token(form(code)))).toBe(gives)
    expect(await said(await target.token(target.redemption(code)))).toBe('200 tokens')
  })

  it('a code cut, lengthened or made up', async () => {
    const code = await target.code()
    const [grant = ''] = code.split('.')
    for (const bad of [
      code.slice(0, -1),
      `${code}x`,
      `${grant}.${'A'.repeat(43)}`,
      grant,
      '.',
      `x.${code}`,
    ]) {
      expect(await said(await target.token(target.redemption(bad)))).toBe('400 invalid_grant')
    }
    expect(await said(await target.token(target.redemption(code)))).toBe('200 tokens')
  })

  it('a code in the hands of another registered app', async () => {
    const other = await target.idOf(await target.register({ client_name: 'Other' }))
    const code = await target.code()
    expect(await said(await target.token(target.redemption(code, { client_id: other })))).toBe(
      '400 invalid_grant',
    )
    expect(await said(await target.token(target.redemption(code)))).toBe('200 tokens')
  })

  it('but a code spent twice ends its connection', async () => {
    const code = await target.code()
    const first = (await (await target.token(target.redemption(code))).json()) as {
      access_token: string
      refresh_token: string
    }
    expect((await listNotes(target.origin, first.access_token)).status).toBe(200)
    expect(await said(await target.token(target.redemption(code, { code_verifier: 'x'.repeat(43) })))).toBe(
      '400 invalid_grant',
    )
    expect((await listNotes(target.origin, first.access_token)).status).toBe(200)
    expect(await said(await target.token(target.redemption(code)))).toBe('400 invalid_grant')
    expect((await listNotes(target.origin, first.access_token)).status).toBe(401)
    expect(await said(await target.refresh(first.refresh_token))).toBe('400 invalid_grant')
  })
})

describe('the form of a token request', () => {
  it.each<{ attack: string; headers?: Form; body?: string; status: number }>([
    {
      attack: 'JSON',
      headers: { 'content-type': 'application/json' },
      body: '{"grant_type":"refresh_token"}',
      status: 400,
    },
    { attack: 'plain text', headers: { 'content-type': 'text/plain' }, status: 400 },
    { attack: 'multipart', headers: { 'content-type': 'multipart/form-data; boundary=x' }, status: 400 },
    {
      attack: 'a type that begins alike',
      headers: { 'content-type': 'application/x-www-form-urlencodedx' },
      status: 400,
    },
    { attack: 'nothing', body: '', status: 400 },
    { attack: 'more than 16 KiB', body: `x=${'x'.repeat(17_000)}`, status: 413 },
  ])('as $attack is $status', async ({ headers = {}, body = 'grant_type=refresh_token', status }) => {
    expect(await said(await target.token(body, headers))).toBe(`${status} invalid_request`)
  })

  it('with a charset is read', async () => {
    const code = await target.code()
    const headers = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' }
    expect(await said(await target.token(target.redemption(code), headers))).toBe('200 tokens')
  })

  it.each(['GET', 'PUT', 'DELETE'])(
    'by %s is 405, and in the query it counts for nothing',
    async (method) => {
      const response = await target.token('', {}, method)
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST, OPTIONS')
      const query = new URLSearchParams(target.redemption(await target.code()))
      const posted = await fetch(`${target.origin}/oauth/token?${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'x=y',
      })
      expect(await said(posted)).toBe('400 invalid_request')
    },
  )
})

describe('the authentication of a confidential app', () => {
  const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
  async function confidential(method?: string) {
    const response = await target.register({ token_endpoint_auth_method: method })
    return (await response.json()) as { client_id: string; client_secret: string }
  }
  const redemption = async (id: string) =>
    target.redemption(await target.code({ client_id: id }), { client_id: id })

  it.each(['client_secret_basic', 'client_secret_post'])(
    'that chose %s is taken by that alone',
    async (method) => {
      const { client_id: id, client_secret: secret } = await confidential(method)
      const byHeader = method === 'client_secret_basic'
      const form = await redemption(id)
      const { client_id: _, ...anonymous } = form
      const inForm = () => target.token({ ...form, client_secret: secret })
      const inHeader = () => target.token(anonymous, basic(id, secret))
      expect(await said(await target.token(form))).toBe('401 invalid_client')
      expect(await said(await target.token({ ...form, client_secret: secret }, basic(id, secret)))).toBe(
        '400 invalid_request',
      )
      expect(await said(await (byHeader ? inForm : inHeader)())).toBe('401 invalid_client')
      expect(await said(await (byHeader ? inHeader : inForm)())).toBe('200 tokens')
    },
  )

  it.each([
    { attack: 'a wrong secret', of: (id: string, secret: string) => basic(id, `${secret}x`) },
    { attack: 'an empty secret', of: (id: string) => basic(id, '') },
    { attack: 'the id as secret', of: (id: string) => basic(id, id) },
    { attack: 'no colon', of: (id: string) => ({ authorization: `Basic ${btoa(id)}` }) },
    { attack: 'no base64', of: () => ({ authorization: 'Basic !!!' }) },
    { attack: 'another scheme', of: (_: string, secret: string) => ({ authorization: `Bearer ${secret}` }) },
  ])('with $attack is 401 with a challenge', async ({ of }) => {
    const { client_id: id, client_secret: secret } = await confidential('client_secret_basic')
    const { client_id: _, ...form } = await redemption(id)
    const response = await target.token(form, of(id, secret))
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    expect(await said(response)).toBe('401 invalid_client')
  })

  it('with the secret of another app is 401', async () => {
    const [one, two] = [await confidential('client_secret_post'), await confidential('client_secret_post')]
    const form = { ...(await redemption(one.client_id)), client_secret: two.client_secret }
    expect(await said(await target.token(form))).toBe('401 invalid_client')
  })
})

describe('a refresh', () => {
  it.each<{ attack: string; token: (good: string) => string }>([
    { attack: 'garbage', token: () => 'evil' },
    { attack: 'a token cut short', token: (good) => good.slice(0, -1) },
    { attack: 'a longer token', token: (good) => `${good}A` },
    { attack: 'another MAC', token: (good) => good.slice(0, -10) + 'A'.repeat(10) },
    { attack: 'a later generation', token: (good) => good.replace(/\.1\./, '.2.') },
    { attack: 'NUL', token: (good) => `${good}\0` },
    { attack: 'a megabyte of dots cut to the limit', token: () => '.'.repeat(10_000) },
  ])('with $attack is invalid_grant and ends nothing', async ({ token }) => {
    const { refresh_token: good } = await target.connect()
    const bad = token(good)
    expect(bad).not.toBe(good)
    expect(await said(await target.refresh(bad))).toBe('400 invalid_grant')
    expect(await said(await target.refresh(good))).toBe('200 tokens')
  })

  it('by another app ends nothing', async () => {
    const { refresh_token: good } = await target.connect()
    const other = await target.idOf(await target.register({ client_name: 'Thief' }))
    expect(await said(await target.refresh(good, { client_id: other }))).toBe('400 invalid_grant')
    expect(await said(await target.refresh(good))).toBe('200 tokens')
  })

  it('with an access token, or a call with a refresh token, gives nothing', async () => {
    const { access_token: access, refresh_token: good } = await target.connect()
    expect(await said(await target.refresh(access))).toBe('400 invalid_grant')
    expect((await listNotes(target.origin, good)).status).toBe(401)
  })

  it.each([
    { attack: 'a scope that was not granted', scope: 'notes:read notes:write', gives: '400 invalid_scope' },
    { attack: 'an unknown scope', scope: 'root', gives: '400 invalid_scope' },
    { attack: 'a malformed scope', scope: 'notes:read  notes:read', gives: '400 invalid_scope' },
    { attack: 'another resource', resource: 'https://evil.example', gives: '400 invalid_target' },
  ])('with $attack is $gives', async ({ gives, attack: _, ...change }) => {
    const { refresh_token: good } = await target.connect({ scope: 'notes:read' })
    expect(await said(await target.refresh(good, change as Form))).toBe(gives)
    expect(await said(await target.refresh(good))).toBe('200 tokens')
  })

  it('that was narrowed may be widened to what was granted, and no further', async () => {
    const { refresh_token: first } = await target.connect()
    const narrowed = (await (await target.refresh(first, { scope: 'notes:read' })).json()) as {
      scope: string
      refresh_token: string
      access_token: string
    }
    expect(narrowed.scope).toBe('notes:read')
    const widened = (await (await target.refresh(narrowed.refresh_token)).json()) as { scope: string }
    expect(widened.scope).toBe('notes:read notes:write')
  })

  it('may ask for a scope that a granted one includes, which its calls could use anyway', async () => {
    const { refresh_token: good } = await target.connect({ scope: 'notes:write' })
    const narrowed = (await (await target.refresh(good, { scope: 'notes:read' })).json()) as {
      scope: string
      access_token: string
    }
    expect(narrowed.scope).toBe('notes:read')
    expect((await listNotes(target.origin, narrowed.access_token)).status).toBe(200)
  })

  it('of an app that did not register for it is unauthorized_client', async () => {
    const id = await target.idOf(await target.register({ grant_types: ['authorization_code'] }))
    const { refresh_token: good } = await target.connect()
    expect(await said(await target.refresh(good, { client_id: id }))).toBe('400 unauthorized_client')
    const redeemed = await target.token(
      target.redemption(await target.code({ client_id: id }), { client_id: id }),
    )
    expect(await redeemed.json()).not.toHaveProperty('refresh_token')
  })

  it('with a token whose successor was used ends the connection; before that it is the same refresh', async () => {
    const read = async (response: Response) =>
      (await response.json()) as { refresh_token: string; access_token: string }
    const { refresh_token: first } = await target.connect()
    const second = await read(await target.refresh(first))
    // A host that lost the answer gets the same successor.
    expect((await read(await target.refresh(first))).refresh_token).toBe(second.refresh_token)
    const third = await read(await target.refresh(second.refresh_token))
    expect((await listNotes(target.origin, third.access_token)).status).toBe(200)

    expect(await said(await target.refresh(first))).toBe('400 invalid_grant')
    expect((await listNotes(target.origin, third.access_token)).status).toBe(401)
    expect(await said(await target.refresh(third.refresh_token))).toBe('400 invalid_grant')
  })
})
