import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { createBrowser, exchange, ORIGIN, openRig, type Rig, tokenOf } from '#test/identity/rig'

const MINUTE = 60_000
const PATH = '/sign-in/link'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const use = async (link: string, fields: Record<string, string> = {}, browser = createBrowser()) => {
  const response = await browser.post(rig.identity.signInLink, PATH, { token: tokenOf(link), ...fields })
  return { response, browser, user: await rig.identity.currentUser(browser.request('/dashboard')) }
}

describe('a sign-in link', () => {
  it('is minted without the store, with its token in the fragment', async () => {
    const link = await rig.identity.mintSignInLink({})
    expect(link).toMatch(/^https:\/\/gatehouse\.example\/sign-in\/link#[\w-]{8}\.[\w-]+$/)
    expect(rig.requests()).toBe(0)
  })

  it('signs the owner in, sets a session cookie and leads to a page that says so', async () => {
    const { response, browser, user } = await use(await rig.identity.mintSignInLink({}))
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/sign-in/link?done=1')
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-gatehouse-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure$/,
    )
    expect(user).toMatchObject({ name: 'Owner', role: 'owner', epoch: 0 })

    const done = await browser.get(rig.identity.signInLink, '/sign-in/link?done=1')
    const page = await done.text()
    expect(page).toContain('You are signed in as Owner')
    expect(page).toContain('I have signed in, go on')
    expect(page).toContain('href="/dashboard"')
  })

  it('signs a member in under the name it was made for', async () => {
    const { user } = await use(await rig.identity.mintSignInLink({ member: ' Anna  K ' }))
    expect(user).toMatchObject({ name: 'Anna K', role: 'member' })
    expect(await rig.identity.hasOwner()).toBe(false)
  })

  it('goes back to the authorization request of the tab it was pasted into', async () => {
    const { response } = await use(await rig.identity.mintSignInLink({}), { rt: 'a/b&c' })
    expect(response.headers.get('location')).toBe('/oauth/authorize?rt=a%2Fb%26c')
  })

  it.each([
    { what: 'the whole link', paste: (link: string) => link },
    { what: 'the token alone', paste: tokenOf },
    {
      what: 'a link that a console broke into lines',
      paste: (link: string) => ` ${link.slice(0, 60)}\n${link.slice(60)} `,
    },
  ])('may be pasted as $what', async ({ paste }) => {
    const browser = createBrowser()
    const token = paste(await rig.identity.mintSignInLink({}))
    const response = await browser.post(rig.identity.signInLink, PATH, { token })
    expect(response.status).toBe(303)
  })

  it('works until the end of its 15 minutes and not after', async () => {
    const [first, second] = [await rig.identity.mintSignInLink({}), await rig.identity.mintSignInLink({})]
    rig.advance(15 * MINUTE - 1)
    expect((await use(first)).response.status).toBe(303)
    rig.advance(1)
    const late = await use(second)
    expect(late.response.status).toBe(400)
    expect(await late.response.text()).toContain('has expired')
    expect(late.user).toBeUndefined()
  })

  it('works once', async () => {
    const link = await rig.identity.mintSignInLink({})
    await use(link)
    const again = await use(link)
    expect(again.response.status).toBe(400)
    expect(again.response.headers.get('set-cookie')).toBeNull()
    const page = await again.response.text()
    expect(page).toContain('was already used')
    expect(page).toContain('npm run gatehouse -- sign-in-link')
  })

  it('is remembered as used for longer than it lives', async () => {
    const link = await rig.identity.mintSignInLink({})
    await use(link)
    rig.advance(15 * MINUTE - 1)
    expect(await (await use(link)).response.text()).toContain('was already used')
  })

  it('lets one of 50 browsers in', async () => {
    const link = await rig.identity.mintSignInLink({})
    const all = await Promise.all(Array.from({ length: 50 }, () => use(link)))
    expect(all.filter(({ user }) => user)).toHaveLength(1)
  })

  it('answers a second click in the browser it signed in like the first', async () => {
    const link = await rig.identity.mintSignInLink({})
    const { browser } = await use(link)
    const { response } = await use(link, {}, browser)
    expect(response.status).toBe(303)
    expect(response.headers.get('set-cookie')).toBeNull()
  })

  it('survives a lost reply of the store', async () => {
    const store: Store = {
      ...rig.store,
      run: async (operation) => {
        if (operation.kind === 'set' && operation.ifAbsent) await rig.store.run(operation)
        return rig.store.run(operation)
      },
    }
    const lossy = await openRig({ store, keyRing: rig.deps.keyRing })
    const browser = createBrowser()
    const token = tokenOf(await rig.identity.mintSignInLink({}))
    const response = await browser.post(lossy.identity.signInLink, PATH, { token })
    expect(response.status).toBe(303)
    await lossy.close()
  })

  it('signs in to the same account once the server is owned', async () => {
    const first = await use(await rig.identity.mintSignInLink({}))
    const second = await use(await rig.identity.mintSignInLink({}))
    expect(second.user?.accountId).toBe(first.user?.accountId)
    expect(second.user?.sessionHash).not.toBe(first.user?.sessionHash)
  })

  it('of the owner, unused when somebody became that, makes no second owner, and its use is shown', async () => {
    const unused = await rig.identity.mintSignInLink({})
    const first = await use(await rig.identity.mintSignInLink({}))
    expect(await rig.identity.hasOwner()).toBe(true)
    const second = await use(unused)
    const accountId = first.user?.accountId
    expect(second.user).toMatchObject({ accountId, role: 'owner' })
    expect((await rig.identity.people.list()).map(({ id }) => id)).toEqual([accountId])
    expect(rig.audited).toEqual([
      { event: 'account_created', accountId, why: 'owner_link' },
      { event: 'signed_in', accountId, why: 'owner_link' },
      { event: 'signed_in', accountId, why: 'owner_link' },
    ])
    const still = await rig.identity.currentUser(first.browser.request('/dashboard'))
    expect(still?.accountId).toBe(accountId)
  })

  it('leaves its use in the audit log, by id alone', async () => {
    const { user } = await use(await rig.identity.mintSignInLink({ member: 'Anna' }))
    const { accountId } = user ?? {}
    expect(rig.audited).toEqual([
      { event: 'account_created', accountId, why: 'member_link' },
      { event: 'signed_in', accountId, why: 'member_link' },
    ])
  })

  it('gives nobody a session whose account has ended', async () => {
    const { user } = await use(await rig.identity.mintSignInLink({ member: 'Anna' }))
    const key = keys.account(user?.accountId ?? '')
    const record = JSON.parse((await rig.store.run(get(key))) ?? '')
    await rig.store.run(set(key, JSON.stringify({ ...record, state: 'ended' })))

    const { response, browser } = await use(await rig.identity.mintSignInLink({ member: 'anna' }))
    expect(response.status).toBe(403)
    expect(browser.jar.size).toBe(0)
  })

  it.each([
    { what: 'nothing', token: () => '' },
    { what: 'other words', token: () => 'let me in' },
    {
      what: 'a changed token',
      token: async (rig: Rig) => `${tokenOf(await rig.identity.mintSignInLink({}))}A`,
    },
    {
      what: 'a cut token',
      token: async (rig: Rig) => tokenOf(await rig.identity.mintSignInLink({})).slice(0, -9),
    },
    {
      what: 'a value sealed for another purpose',
      token: (rig: Rig) => rig.deps.keyRing.seal('csrf', '{"v":1,"kind":"owner","jti":"x","exp":9e15}'),
    },
    {
      what: 'a link of another deployment',
      token: async (rig: Rig) =>
        tokenOf(
          await mintSignInLink({ ...rig.deps, keyRing: createKeyRing(['a secret of tests'], 'other') }, {}),
        ),
    },
    {
      what: 'a link of a release to come',
      token: (rig: Rig) => rig.deps.keyRing.seal('sign-in-link', '{"v":2,"kind":"admin"}'),
    },
  ])('is refused with 400 and no store request: $what', async ({ token }) => {
    const browser = createBrowser()
    const before = rig.requests()
    const response = await browser.post(rig.identity.signInLink, PATH, { token: await token(rig) })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('cannot be read')
    expect(rig.requests()).toBe(before)
    expect(browser.jar.size).toBe(0)
  })

  it('never stands in a log line', async () => {
    const link = await rig.identity.mintSignInLink({})
    await use(link)
    await use(link)
    expect(rig.logged.join()).toContain('sign_in_link_refused')
    expect(rig.logged.join()).not.toContain(tokenOf(link).slice(9, 40))
  })

  it.each([{ member: '' }, { member: 'a\u202eb' }, { member: 'x'.repeat(65) }])(
    'is not minted for a name that nobody can have',
    async ({ member }) => {
      await expect(rig.identity.mintSignInLink({ member })).rejects.toThrow(RangeError)
    },
  )

  it('throws on an outage rather than calling the link used', async () => {
    const down: Store = { ...rig.store, run: () => Promise.reject(new StoreUnavailable('down')) }
    const out = await openRig({ store: down })
    const browser = createBrowser()
    const token = tokenOf(await out.identity.mintSignInLink({}))
    await expect(browser.post(out.identity.signInLink, PATH, { token })).rejects.toThrow(StoreUnavailable)
    await out.close()
  })
})

describe('the form of a sign-in link', () => {
  it('can be used without its script: a labelled field and a button', async () => {
    const page = await (await createBrowser().get(rig.identity.signInLink, PATH)).text()
    expect(page).toContain('<label for="token">Paste the sign-in link here</label>')
    expect(page).toContain('<form method="post" action="/sign-in/link">')
    expect(page).toContain('src="/sign-in-link.js?v=0.0.0"')
    expect(page).not.toMatch(/<input[^>]*type="hidden"/)
  })

  it.each([
    { what: 'another origin', headers: { Origin: 'https://evil.example' } },
    { what: 'an opaque origin', headers: { Origin: 'null' } },
    { what: 'a sandboxed frame', headers: { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' } },
    {
      what: 'another origin that claims to be ours',
      headers: { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    },
    { what: 'no word about where it comes from', headers: {} },
    { what: 'a neighbour', headers: { 'Sec-Fetch-Site': 'same-site' } },
  ])('is refused when it was sent by $what, and the link stays usable', async ({ headers }) => {
    const link = await rig.identity.mintSignInLink({})
    const browser = createBrowser()
    const sent = { token: tokenOf(link) }
    const response = await browser.post(
      rig.identity.signInLink,
      PATH,
      sent,
      headers as Record<string, string>,
    )
    expect(response.status).toBe(403)
    expect((await use(link)).response.status).toBe(303)
  })

  it.each([
    { what: 'an older browser', headers: { Origin: ORIGIN } },
    { what: 'Chromium under no-referrer', headers: { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' } },
    { what: 'a browser that sends no origin', headers: { 'Sec-Fetch-Site': 'same-origin' } },
  ])('is taken from $what', async ({ headers }) => {
    const sent = { token: tokenOf(await rig.identity.mintSignInLink({})) }
    const browser = createBrowser()
    const response = await browser.post(
      rig.identity.signInLink,
      PATH,
      sent,
      headers as Record<string, string>,
    )
    expect(response.status).toBe(303)
  })

  it.each([
    { what: 'JSON', type: 'application/json', body: '{}', status: 415 },
    {
      what: 'more than it may hold',
      type: 'application/x-www-form-urlencoded',
      body: `token=${'x'.repeat(20_000)}`,
      status: 413,
    },
    {
      what: 'a field twice',
      type: 'application/x-www-form-urlencoded',
      body: 'token=a&token=b',
      status: 400,
    },
  ])('answers $status to $what', async ({ type, body, status }) => {
    const headers = { Origin: ORIGIN, 'Content-Type': type }
    const request = new Request(`${ORIGIN}${PATH}`, { method: 'POST', body, headers })
    expect((await rig.identity.signInLink(request, exchange)).status).toBe(status)
  })

  it.each([
    { method: 'HEAD', status: 200 },
    { method: 'OPTIONS', status: 204 },
    { method: 'PUT', status: 405 },
    { method: 'DELETE', status: 405 },
  ])('answers $method with $status and no page', async ({ method, status }) => {
    const response = await rig.identity.signInLink(new Request(`${ORIGIN}${PATH}`, { method }), exchange)
    expect(response.status).toBe(status)
    if (status !== 200) expect(response.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS')
    expect(await response.text()).not.toContain('<html')
  })
})
