import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '#lib/core/hash'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { type Browser, createBrowser, openRig, type Rig, START, tokenOf } from '#test/identity/rig'

const HOUR = 3_600_000
const NAME = '__Host-gatehouse-session'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

async function signIn(browser: Browser = createBrowser(), member?: string): Promise<Browser> {
  const token = tokenOf(await rig.identity.mintSignInLink({ member }))
  await browser.post(rig.identity.signInLink, '/sign-in/link', { token })
  return browser
}

const userOf = (browser: Browser) => rig.identity.currentUser(browser.request('/dashboard'))

describe('a browser session', () => {
  it('is stored under the hash of its cookie, with nothing secret', async () => {
    const browser = await signIn()
    const id = browser.jar.get(NAME) ?? ''
    const user = await userOf(browser)
    const text = await rig.store.run(get(keys.browserSession(await sha256(id))))
    expect(JSON.parse(text ?? '')).toEqual({
      v: 1,
      accountId: user?.accountId,
      epoch: 0,
      sessionEpoch: 0,
      createdAt: START,
      browser: 'A browser',
      how: 'owner_link',
    })
    expect(user?.sessionHash).toBe(await sha256(id))
  })

  it('ends 12 hours after it was last used', async () => {
    const browser = await signIn()
    rig.advance(12 * HOUR - 1)
    expect(await userOf(browser)).toBeDefined()
    rig.advance(12 * HOUR - 1)
    expect(await userOf(browser)).toBeDefined()
    rig.advance(12 * HOUR)
    expect(await userOf(browser)).toBeUndefined()
  })

  it('ends after 7 days however much it is used', async () => {
    const browser = await signIn()
    for (let hour = 0; hour < 7 * 24 - 1; hour += 6) {
      expect(await userOf(browser)).toBeDefined()
      rig.advance(6 * HOUR)
    }
    expect(await userOf(browser)).toBeUndefined()
  })

  it('gets a new id at each sign-in, and the old one stops working', async () => {
    const browser = await signIn()
    const old = browser.jar.get(NAME) ?? ''
    await signIn(browser)
    expect(browser.jar.get(NAME)).not.toBe(old)
    const thief = createBrowser()
    thief.jar.set(NAME, old)
    expect(await userOf(thief)).toBeUndefined()
    expect(await userOf(browser)).toBeDefined()
  })

  it('does not adopt an id that somebody put into the browser', async () => {
    const browser = createBrowser()
    const planted = 'A'.repeat(43)
    browser.jar.set(NAME, planted)
    await signIn(browser)
    expect(browser.jar.get(NAME)).not.toBe(planted)
    expect(await rig.store.run(get(keys.browserSession(await sha256(planted))))).toBeNull()
  })

  it('belongs to one person: another one’s sign-in changes no other browser', async () => {
    const owner = await signIn()
    const anna = await signIn(createBrowser(), 'Anna')
    expect((await userOf(owner))?.name).toBe('Owner')
    expect((await userOf(anna))?.name).toBe('Anna')
  })

  it.each([
    { what: 'the account’s session epoch rises', change: { sessionEpoch: 1 } },
    { what: 'the account ends', change: { state: 'ended' } },
  ])('ends when $what', async ({ change }) => {
    const browser = await signIn()
    const key = keys.account((await userOf(browser))?.accountId ?? '')
    const record = JSON.parse((await rig.store.run(get(key))) ?? '')
    await rig.store.run(set(key, JSON.stringify({ ...record, ...change })))
    expect(await userOf(browser)).toBeUndefined()
  })

  it.each([
    { what: 'no cookie', cookie: undefined },
    { what: 'an empty cookie', cookie: `${NAME}=` },
    { what: 'a short value', cookie: `${NAME}=abc` },
    { what: 'another cookie', cookie: `gatehouse-session=${'A'.repeat(43)}` },
    { what: 'two different values', cookie: `${NAME}=${'A'.repeat(43)}; ${NAME}=${'B'.repeat(43)}` },
  ])('is not looked for in the store with $what', async ({ cookie }) => {
    const headers: Record<string, string> = cookie === undefined ? {} : { Cookie: cookie }
    const request = new Request('https://gatehouse.example/dashboard', { headers })
    expect(await rig.identity.currentUser(request)).toBeUndefined()
    expect(rig.requests()).toBe(0)
  })

  it('costs two store requests to read', async () => {
    const browser = await signIn()
    const before = rig.requests()
    await userOf(browser)
    expect(rig.requests() - before).toBe(2)
  })

  it('throws on an outage and leaves the cookie', async () => {
    const browser = await signIn()
    const down: Store = { ...rig.store, run: () => Promise.reject(new StoreUnavailable('down')) }
    const out = await openRig({ store: down })
    await expect(out.identity.currentUser(browser.request('/dashboard'))).rejects.toThrow(StoreUnavailable)
    await expect(browser.get(out.identity.signInPage, '/sign-in')).rejects.toThrow(StoreUnavailable)
    expect(browser.jar.size).toBe(1)
    await out.close()
  })

  it('has a plain cookie on http loopback', async () => {
    const plain = await openRig({ secure: false })
    const browser = createBrowser()
    const token = tokenOf(await plain.identity.mintSignInLink({}))
    const response = await browser.post(plain.identity.signInLink, '/sign-in/link', { token })
    expect(response.headers.get('set-cookie')).toMatch(/^gatehouse-session=[\w-]{43}; /)
    expect(response.headers.get('set-cookie')).not.toContain('Secure')
    expect(await plain.identity.currentUser(browser.request('/dashboard'))).toBeDefined()
    await plain.close()
  })
})

describe('signing out', () => {
  it('deletes the session, clears the cookie and leads home', async () => {
    const browser = await signIn()
    const user = await userOf(browser)
    const fields = await rig.identity.signOutFields({ sessionHash: user?.sessionHash ?? '' })
    const response = await browser.post(rig.identity.signOut, '/sign-out', { ...fields })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/')
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-gatehouse-session=; .*Max-Age=0/)
    expect(await rig.store.run(get(keys.browserSession(user?.sessionHash ?? '')))).toBeNull()
    expect(rig.audited.at(-1)).toEqual({ event: 'signed_out', accountId: user?.accountId })
  })

  it('leads back to the waiting request for switching account', async () => {
    const browser = await signIn()
    const user = await userOf(browser)
    const fields = await rig.identity.signOutFields({ sessionHash: user?.sessionHash ?? '' })
    const response = await browser.post(rig.identity.signOut, '/sign-out', {
      ...fields,
      rt: 'sealed-request',
    })
    expect(response.headers.get('location')).toBe('/sign-in?rt=sealed-request')
    const page = await browser.get(rig.identity.signInPage, '/sign-in?rt=sealed-request')
    expect(page.status).toBe(200)
  })

  it.each([
    { what: 'without a token', fields: {} },
    { what: 'with a token for another form', purpose: 'end-connection' },
    { what: 'with somebody else’s token', session: 'another session' },
  ])('is refused $what', async ({ fields, purpose = 'sign-out', session }) => {
    const browser = await signIn()
    const sessionHash = session ?? (await userOf(browser))?.sessionHash ?? ''
    const csrf = await rig.identity.csrfOf({ sessionHash }, purpose)
    const response = await browser.post(rig.identity.signOut, '/sign-out', fields ?? { csrf })
    expect(response.status).toBe(403)
    expect(await userOf(browser)).toBeDefined()
  })

  it('is refused from another origin even with the token', async () => {
    const browser = await signIn()
    const user = await userOf(browser)
    const fields = await rig.identity.signOutFields({ sessionHash: user?.sessionHash ?? '' })
    const response = await browser.post(
      rig.identity.signOut,
      '/sign-out',
      { ...fields },
      { Origin: 'https://evil.example' },
    )
    expect(response.status).toBe(403)
    expect(await userOf(browser)).toBeDefined()
  })

  it('does nothing without a session', async () => {
    const response = await createBrowser().post(rig.identity.signOut, '/sign-out', {})
    expect(response.status).toBe(303)
    expect(response.headers.get('set-cookie')).toBeNull()
  })

  it('is a POST', async () => {
    const response = await createBrowser().get(rig.identity.signOut, '/sign-out')
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST, OPTIONS')
  })
})

describe('a CSRF token', () => {
  const session = { sessionHash: 'h'.repeat(43) }
  const accepts = (token: string | null | undefined, purpose = 'sign-out', of = session) =>
    rig.identity.checkCsrf(of, { purpose, token })

  it('is good for its session and purpose', async () => {
    const token = await rig.identity.csrfOf(session, 'end-connection')
    expect(await accepts(token, 'end-connection')).toBe(true)
    expect(await accepts(token)).toBe(false)
    expect(await accepts(token, 'end-connection', { sessionHash: 'i'.repeat(43) })).toBe(false)
  })

  it.each([undefined, null, '', '.', 'a.b', 'a.b.c'])('is not %j', async (token) => {
    expect(await accepts(token)).toBe(false)
  })

  it('with anything behind it is none', async () => {
    const token = await rig.identity.csrfOf(session, 'sign-out')
    expect(await accepts(`${token}.x`)).toBe(false)
    expect(await accepts(`${token}x`)).toBe(false)
  })
})
