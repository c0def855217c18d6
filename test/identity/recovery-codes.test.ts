import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { get, range } from '#lib/store/operations'
import { knownUser, openPasskeyRig, signInByLink, userOf } from '#test/identity/passkey-rig'
import { createBrowser, ORIGIN, type Rig } from '#test/identity/rig'

const MINUTE = 60_000

let rig: Rig
beforeEach(async () => {
  rig = await openPasskeyRig()
})
afterEach(() => rig.close())

async function makeCodes(member?: string) {
  const browser = await signInByLink(rig, member)
  const user = await knownUser(rig.identity, browser)
  const made = await rig.identity.own.renewRecoveryCodes(user, '')
  return { browser, user, codes: made.ok ? made.value : [] }
}

async function enter(code: string, fields: Record<string, string> = {}, headers?: Record<string, string>) {
  const browser = createBrowser()
  const response = await browser.post(
    rig.identity.recoveryCode,
    '/sign-in/recovery-code',
    { code, ...fields },
    headers ?? { Origin: ORIGIN },
  )
  return { response, user: await userOf(rig.identity, browser) }
}

describe('recovery codes', () => {
  it('are ten, of 100 random bits each, that begin alike and are all different', async () => {
    const { codes } = await makeCodes()
    expect(codes).toHaveLength(10)
    for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/)
    expect(new Set(codes).size).toBe(10)
    expect(new Set(codes.map((code) => code.slice(0, 9))).size).toBe(1)
    const { codes: others } = await makeCodes('Ann')
    expect(others[0]?.slice(0, 9)).not.toBe(codes[0]?.slice(0, 9))
  })

  it('are kept as MACs that need the secret, under a pointer that is a hash', async () => {
    const { codes, user } = await makeCodes()
    const text = (await rig.store.run(get(keys.waysIn(user.accountId)))) ?? ''
    expect(JSON.parse(text).recovery.left).toHaveLength(10)
    for (const code of codes) expect(text).not.toContain(code.replaceAll('-', '').slice(0, 8))
    expect(rig.logged.join()).not.toContain(codes[0])
  })

  it('sign their person in once each, and count down', async () => {
    const { codes, user } = await makeCodes('Ann')
    for (const [place, code] of codes.entries()) {
      rig.advance(10_000)
      const { response, user: signedIn } = await enter(code)
      expect(response.headers.get('location')).toBe('/dashboard/account?recovered=1')
      expect(signedIn?.name).toBe('Ann')
      expect((await rig.identity.own.waysIn(user)).recovery?.left).toBe(9 - place)
    }
    rig.advance(MINUTE)
    for (const code of codes.slice(0, 5)) expect((await enter(code)).user).toBeUndefined()
    expect(rig.audited.at(-1)).toMatchObject({ event: 'signed_in', why: 'recovery_code' })
  })

  it.each([
    { how: 'in lower case', write: (code: string) => code.toLowerCase() },
    { how: 'without hyphens', write: (code: string) => code.replaceAll('-', '') },
    { how: 'with spaces', write: (code: string) => ` ${code.replaceAll('-', ' ')}\n` },
    {
      how: 'with O for 0 and l for 1',
      write: (code: string) => code.replaceAll('0', 'O').replaceAll('1', 'l'),
    },
  ])('may be written $how', async ({ write }) => {
    const { codes } = await makeCodes()
    expect((await enter(write(codes[3] ?? ''))).user).toBeDefined()
  })

  it('go on with the app that waits', async () => {
    const { codes } = await makeCodes()
    const { response } = await enter(codes[0] ?? '', { rt: 'a/b' })
    expect(response.headers.get('location')).toBe('/oauth/authorize?rt=a%2Fb')
  })

  it.each([
    { what: 'nothing', code: () => '' },
    { what: 'too short a text', code: (right: string) => right.slice(0, -1) },
    { what: 'too long a text', code: (right: string) => `${right}0` },
    { what: 'a letter that no code has', code: (right: string) => right.replace(/.$/, 'U') },
    { what: 'a set of nobody', code: () => '00000-00000-00000-00000' },
    { what: 'another code of the set', code: (right: string) => `${right.slice(0, 9)}00-00000-00000` },
  ])('are refused as $what in the same words, and nothing is written', async ({ code }) => {
    const { codes, user } = await makeCodes()
    const { response, user: nobody } = await enter(code(codes[0] ?? ''))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('This recovery code was not accepted')
    expect(nobody).toBeUndefined()
    expect((await rig.identity.own.waysIn(user)).recovery?.left).toBe(10)
    expect(rig.logged.filter((line) => line.includes('recovery_code_refused'))).toHaveLength(1)
  })

  it('let in one of ten that send the same one at once', async () => {
    const { codes } = await makeCodes()
    const tries = await Promise.all(Array.from({ length: 10 }, () => enter(codes[0] ?? '')))
    expect(tries.filter(({ user }) => user)).toHaveLength(1)
  })

  it('end as a whole when they are renewed, also those of an account that renews twice at once', async () => {
    const { codes, user } = await makeCodes()
    const { recovery } = await rig.identity.own.waysIn(user)
    const renewed = await Promise.all([
      rig.identity.own.renewRecoveryCodes(user, recovery?.set ?? ''),
      rig.identity.own.renewRecoveryCodes(user, recovery?.set ?? ''),
    ])
    expect(renewed.filter(({ ok }) => ok)).toHaveLength(1)
    expect((await enter(codes[0] ?? '')).user).toBeUndefined()
    const fresh = renewed.flatMap((made) => (made.ok ? made.value : []))
    expect((await enter(fresh[0] ?? '')).user).toBeDefined()
  })

  it('are not made again by a form that was sent before', async () => {
    const { user } = await makeCodes()
    expect(await rig.identity.own.renewRecoveryCodes(user, '')).toEqual({
      ok: false,
      error: 'already_renewed',
    })
  })

  it('stay good when the secret is replaced, while the old one opens', async () => {
    const { codes } = await makeCodes()
    const { createKeyRing } = await import('#lib/core/key-ring')
    const { createIdentity } = await import('#lib/identity/identity')
    const keyRing = createKeyRing(['another secret', 'a secret of tests'], 'test')
    const identity = createIdentity({ ...rig.deps, keyRing })
    const browser = createBrowser()
    await browser.post(identity.recoveryCode, '/sign-in/recovery-code', { code: codes[0] ?? '' })
    expect(await userOf(identity, browser)).toBeDefined()
  })

  it('are looked at 10 times a minute for one caller, and 300 times for all', async () => {
    await rig.close()
    rig = await openPasskeyRig({ callerOf: (request) => request.headers.get('x-caller') ?? undefined })
    const { codes } = await makeCodes()
    const from = (caller?: string) => ({ Origin: ORIGIN, ...(caller ? { 'X-Caller': caller } : {}) })
    for (let attempt = 0; attempt < 10; attempt++)
      expect((await enter('x', {}, from('one'))).response.status).toBe(400)
    const refused = await enter(codes[0] ?? '', {}, from('one'))
    expect(refused.response.status).toBe(429)
    expect(refused.response.headers.get('retry-after')).toBe('60')
    expect((await enter(codes[0] ?? '', {}, from('two'))).user).toBeDefined()
    for (let attempt = 11; attempt < 300; attempt++) await enter('x', {}, from())
    expect((await enter(codes[1] ?? '', {}, from())).response.status).toBe(429)
    rig.advance(MINUTE)
    expect((await enter(codes[1] ?? '', {}, from('one'))).user).toBeDefined()
  })

  it('let nobody in who was blocked', async () => {
    const { codes, user } = await makeCodes('Ann')
    await rig.identity.people.block(user.accountId)
    const { response, user: nobody } = await enter(codes[0] ?? '')
    expect(response.status).toBe(403)
    expect(nobody).toBeUndefined()
  })

  it('are refused from another site', async () => {
    const { codes } = await makeCodes()
    expect((await enter(codes[0] ?? '', {}, { Origin: 'https://evil.example' })).response.status).toBe(403)
    expect((await enter(codes[0] ?? '')).user).toBeDefined()
  })
})

describe('the browsers of a person', () => {
  const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'
  const list = async (browser: ReturnType<typeof createBrowser>) =>
    rig.identity.own.browserSessions(await knownUser(rig.identity, browser))

  async function signInWith(userAgent: string) {
    const browser = createBrowser()
    const token = new URL(await rig.identity.mintSignInLink({})).hash.slice(1)
    const headers = { Origin: ORIGIN, 'User-Agent': userAgent }
    await browser.post(rig.identity.signInLink, '/sign-in/link', { token }, headers)
    return browser
  }

  it('are listed with what they are, how and when they were signed in, and which one asks', async () => {
    const first = await signInWith(AGENT)
    rig.advance(MINUTE)
    const second = await signInWith('<script>')
    const listed = await list(first)
    expect(listed.map(({ browser, how, current }) => ({ browser, how, current }))).toEqual([
      { browser: 'A browser', how: 'owner_link', current: false },
      { browser: 'Firefox on Linux', how: 'owner_link', current: true },
    ])
    expect((await list(second)).find(({ current }) => current)?.createdAt).toBe(rig.deps.clock())
  })

  it('are one’s own: another person’s ids end nothing', async () => {
    const owner = await signInByLink(rig)
    const ann = await signInByLink(rig, 'Ann')
    const [theirs] = await list(owner)
    const user = await knownUser(rig.identity, ann)
    expect(await rig.identity.own.endBrowserSession(user, theirs?.id ?? '')).toBe(false)
    expect(await rig.identity.own.endBrowserSession(user, '')).toBe(false)
    expect(await userOf(rig.identity, owner)).toBeDefined()
  })

  it('are signed out one by one', async () => {
    const [first, second] = [await signInByLink(rig), await signInByLink(rig)]
    const user = await knownUser(rig.identity, first)
    const other = (await list(first)).find(({ current }) => !current)
    expect(await rig.identity.own.endBrowserSession(user, other?.id ?? '')).toBe(false)
    expect(await userOf(rig.identity, second)).toBeUndefined()
    expect(await userOf(rig.identity, first)).toBeDefined()
    expect(await list(first)).toHaveLength(1)
  })

  it('are signed out everywhere at once', async () => {
    const browsers = [await signInByLink(rig), await signInByLink(rig)]
    const [first] = browsers
    if (first) await rig.identity.own.signOutEverywhere(await knownUser(rig.identity, first))
    for (const browser of browsers) expect(await userOf(rig.identity, browser)).toBeUndefined()
  })

  it('leave the list when they have ended', async () => {
    const first = await signInByLink(rig)
    const { accountId } = await knownUser(rig.identity, first)
    rig.advance(11 * 60 * MINUTE)
    const second = await signInByLink(rig)
    rig.advance(2 * 60 * MINUTE)
    expect(await list(second)).toHaveLength(1)
    const index = range(keys.browserSessionsOf(accountId), { limit: 10, highestFirst: true })
    expect(await rig.store.run(index)).toHaveLength(1)
  })
})
