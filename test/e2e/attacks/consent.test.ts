import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  continueUrl,
  expectLocal,
  expectPageHeaders,
  startTarget,
  type Target,
} from '#test/e2e/attacks/target'
import { type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

let target: Target
let member: FetchPerson
beforeAll(async () => {
  target = await startTarget()
  member = await target.newMember('Bob')
})
afterAll(() => target.dispose())

type Fields = readonly (readonly [string, string])[]
interface Attack {
  readonly attack: string
  readonly status: number
  readonly fields?: (form: { tx: string; csrf: string }) => Fields
  readonly headers?: Readonly<Record<string, string>>
}

const good = ({ tx, csrf }: { tx: string; csrf: string }): Fields => [
  ['tx', tx],
  ['csrf', csrf],
  ['decision', 'allow'],
]

describe('a forged answer gives no code and leaves the question open', () => {
  it.each<Attack>([
    { attack: 'a foreign origin', status: 403, headers: { origin: 'https://evil.example' } },
    { attack: 'the origin by another scheme', status: 403, headers: { origin: 'https://localhost' } },
    { attack: 'the origin with a path', status: 403, headers: { origin: 'http://localhost/evil' } },
    {
      attack: 'a foreign origin that fetch metadata vouch for',
      status: 403,
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    },
    { attack: 'a sandboxed page', status: 403, headers: { origin: 'null', 'sec-fetch-site': 'cross-site' } },
    { attack: 'a sibling domain', status: 403, headers: { origin: 'null', 'sec-fetch-site': 'same-site' } },
    { attack: 'an address bar', status: 403, headers: { origin: 'null', 'sec-fetch-site': 'none' } },
    { attack: 'no token', status: 403, fields: (form) => good({ ...form, csrf: '' }) },
    {
      attack: 'a token without a MAC',
      status: 403,
      fields: (form) => good({ ...form, csrf: form.csrf.split('.')[0] ?? '' }),
    },
    {
      attack: 'a token with another MAC',
      status: 403,
      fields: (form) => good({ ...form, csrf: `${form.csrf.split('.')[0]}.${'A'.repeat(43)}` }),
    },
    {
      attack: 'a token of an unknown key',
      status: 403,
      fields: (form) => good({ ...form, csrf: `AAAAAAAA.${form.csrf.split('.')[1]}` }),
    },
    {
      attack: 'a request that is not theirs',
      status: 403,
      fields: (form) => good({ ...form, tx: 'A'.repeat(32) }),
    },
    {
      attack: 'a request with a path in it',
      status: 403,
      fields: (form) => good({ ...form, tx: '../g:evil' }),
    },
    { attack: 'two requests', status: 400, fields: (form) => [...good(form), ['tx', form.tx]] },
    { attack: 'two tokens', status: 400, fields: (form) => [...good(form), ['csrf', form.csrf]] },
    { attack: 'both answers', status: 400, fields: (form) => [...good(form), ['decision', 'deny']] },
    {
      attack: 'neither answer',
      status: 400,
      fields: ({ tx, csrf }) => [
        ['tx', tx],
        ['csrf', csrf],
      ],
    },
    {
      attack: 'another spelling of allow',
      status: 400,
      fields: ({ tx, csrf }) => [
        ['tx', tx],
        ['csrf', csrf],
        ['decision', 'Allow'],
      ],
    },
    { attack: 'another permission alone', status: 400, fields: (form) => [...good(form), ['scope', 'root']] },
    { attack: 'more than 16 KiB', status: 413, fields: (form) => [...good(form), ['x', 'x'.repeat(17_000)]] },
    { attack: 'a media type that forms can send', status: 415, headers: { 'content-type': 'text/plain' } },
    { attack: 'multipart', status: 415, headers: { 'content-type': 'multipart/form-data; boundary=x' } },
    { attack: 'JSON', status: 415, headers: { 'content-type': 'application/json' } },
    {
      attack: 'a media type that begins alike',
      status: 415,
      headers: { 'content-type': 'application/x-www-form-urlencoded2' },
    },
  ])('$attack is $status', async ({ status, fields = good, headers = {} }) => {
    const form = await target.consentForm()
    const response = await target.decide(fields(form), { headers })
    expect(response.status).toBe(status)
    expect(response.headers.has('location')).toBe(false)
    expectPageHeaders(response)
    const denied = await target.decide([
      ['tx', form.tx],
      ['csrf', form.csrf],
      ['decision', 'deny'],
    ])
    expect(denied.status).toBe(303)
    expect(new URL(denied.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied')
  })

  it('a form without Origin and without fetch metadata', async () => {
    const form = await target.consentForm()
    const body = new URLSearchParams(good(form).map(([name, value]) => [name, value])).toString()
    const response = await target.owner.go('/oauth/consent', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
    await expectLocal(response, 403)
  })

  it('somebody else’s request, with their token or one’s own', async () => {
    const theirs = await target.consentForm(member)
    const own = await target.consentForm()
    await expectLocal(await target.decide(good(theirs)), 403)
    await expectLocal(await target.decide(good({ tx: theirs.tx, csrf: own.csrf })), 403)
    await expectLocal(await target.owner.go(`/oauth/consent?tx=${theirs.tx}`))
    expect((await target.decide(good(theirs), { person: member })).status).toBe(303)
  })

  it('a browser without a session', async () => {
    const form = await target.consentForm()
    await expectLocal(await target.decide(good(form), { person: personByFetch(target.origin) }), 403)
  })

  it('a link: GET decides nothing', async () => {
    const { tx, csrf } = await target.consentForm()
    const page = await target.owner.go(`/oauth/consent?tx=${tx}&csrf=${csrf}&decision=allow`)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('name="decision"')
  })

  it('an answer that was given: no second code', async () => {
    const form = await target.consentForm()
    expect((await target.decide(good(form))).status).toBe(303)
    for (const fields of [
      good(form),
      [
        ['tx', form.tx],
        ['csrf', form.csrf],
        ['decision', 'deny'],
      ] as Fields,
    ]) {
      await expectLocal(await target.decide(fields))
    }
    await expectLocal(await target.owner.go(`/oauth/consent?tx=${form.tx}`))
  })

  it('members of the form that are not its own change nothing', async () => {
    const form = await target.consentForm()
    const answer = await target.decide([
      ...good(form),
      ['client_id', 'evil'],
      ['redirect_uri', 'https://evil.example/'],
      ['state', 'evil'],
      ['scope', 'notes:read'],
      ['scope', 'root'],
      ['code_challenge', 'evil'],
      ['resource', 'https://evil.example'],
    ])
    const { href, searchParams } = new URL(answer.headers.get('location') ?? '')
    expect(href).not.toContain('evil')
    const redeemed = await target.token(target.redemption(searchParams.get('code') ?? ''))
    expect(await redeemed.json()).toMatchObject({ scope: 'notes:read' })
  })

  it('the form of sign-out, taken from another person', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, { origin: target.origin }]) {
      const response = await target.owner.go('/sign-out', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: 'csrf=evil',
      })
      expect(response.status).toBe(403)
    }
    expect((await target.consentForm()).page.status).toBe(200)
  })
})

describe('markup of a stranger stands as text', () => {
  const scripts = [
    '<script>evil()</script>',
    '"><img src=x onerror=evil()>',
    "' onmouseover='evil()",
    '</title><script>evil()</script>',
    '</form><form action=https://evil.example>',
    '<meta http-equiv=refresh content=0;url=https://evil.example>',
    '&lt;script&gt;evil()',
    '{{7777*7777}}',
  ]
  const expectInert = (markup: string) => {
    expect(markup).not.toMatch(
      /<script>evil|<img|<meta http-equiv|<form action=https|onmouseover='|" onerror/,
    )
    expect(markup).not.toContain('60481729')
  }

  it.each(scripts)('in the name of an app: %s', async (name) => {
    const id = await target.idOf(await target.register({ client_name: name }))
    const { markup, page } = await target.consentForm(target.owner, { client_id: id })
    expect(page.status).toBe(200)
    expectPageHeaders(page)
    expectInert(markup)
    // On the sign-in page, which names the app as well.
    const signIn = await personByFetch(target.origin).go(target.authorizationUrl({ client_id: id }))
    expectInert(await signIn.text())
  })

  it.each(scripts)('in the state: %s', async (state) => {
    const response = await target.owner.go(target.authorizationUrl({ state, scope: 'root' }))
    const markup = await response.clone().text()
    expectInert(markup)
    expect((await continueUrl(response)).searchParams.get('state')).toBe(state)
  })

  it.each(scripts)('in the scope: %s', async (scope) => {
    expectInert(await (await target.owner.go(target.authorizationUrl({ scope }))).text())
  })

  it('in a registered redirect URI', async () => {
    const uri = `https://app.example/"onmouseover="evil()"<script>evil()</script>'`
    const id = await target.idOf(await target.register({ redirect_uris: [uri] }))
    const { markup } = await target.consentForm(target.owner, { client_id: id, redirect_uri: uri })
    expectInert(markup)
    expect(markup).not.toContain('"onmouseover="')
    const refused = await target.owner.go(
      target.authorizationUrl({ client_id: id, redirect_uri: uri, scope: 'root' }),
    )
    const text = await refused.text()
    expectInert(text)
    expect(text).not.toContain('"onmouseover="')
  })

  it('in an app link, on the page that opens it', async () => {
    const uri = 'com.example.app:/cb?x="><script>evil()</script>'
    const id = await target.idOf(await target.register({ redirect_uris: [uri] }))
    const form = await target.consentForm(target.owner, { client_id: id, redirect_uri: uri })
    const response = await target.decide(good(form))
    expect(response.status).toBe(200)
    expectPageHeaders(response)
    const markup = await response.clone().text()
    expectInert(markup)
    expect((await continueUrl(response)).protocol).toBe('com.example.app:')
  })

  it('characters that turn the direction or break the line are gone from a name', async () => {
    const name = 'Claude\u202E evil\u2066\u2028\u0000\u200f app'
    const id = await target.idOf(await target.register({ client_name: name }))
    const { markup } = await target.consentForm(target.owner, { client_id: id })
    expect(markup).not.toMatch(/[\u202e\u2066\u2028\u200f\0]/)
    expect(markup).toContain('<bdi>Claude')
  })

  it('in the address of our own pages', async () => {
    for (const path of [
      '/oauth/consent?tx=<script>evil()</script>',
      '/sign-in?rt=<script>evil()</script>',
      '/sign-in?tried=<script>evil()</script>',
      '/sign-in/link?done=<script>evil()</script>',
      '/<script>evil()</script>',
    ]) {
      expectInert(await (await fetch(target.origin + path)).text())
    }
  })
})
