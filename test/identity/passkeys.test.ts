import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import {
  addPasskey,
  askForPasskey,
  knownUser,
  newPasskeyForm,
  openPasskeyRig,
  RP_ID,
  signInByLink,
  signInByPasskey,
  userOf,
} from '#test/identity/passkey-rig'
import { createBrowser, exchange, ORIGIN, openRig, type Rig } from '#test/identity/rig'
import { type Bent, cborBytes, cborText, createAuthenticator } from '#test/support/authenticator'

const MINUTE = 60_000

let rig: Rig
beforeEach(async () => {
  rig = await openPasskeyRig()
})
afterEach(() => rig.close())

const waysInOf = async (accountId: string) =>
  JSON.parse((await rig.store.run(get(keys.waysIn(accountId)))) ?? 'null')
const reasons = () => rig.logged.map((line) => JSON.parse(line).reason).filter(Boolean)

describe('a new passkey', () => {
  it('is kept with its address, a name and nothing secret, and leads to the account page', async () => {
    const browser = await signInByLink(rig)
    const { response, ref, authenticator } = await addPasskey(rig.identity, browser, { name: ' My  laptop ' })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe(`/dashboard/account?added=${ref}`)

    const { accountId } = await knownUser(rig.identity, browser)
    const { passkeys } = await waysInOf(accountId)
    expect(passkeys).toHaveLength(1)
    expect(passkeys[0]).toMatchObject({
      ref,
      id: authenticator.credentialId,
      rpId: RP_ID,
      name: 'My laptop',
      counter: 0,
      backedUp: true,
    })
    expect(rig.audited.map(({ event }) => event)).toContain('passkey_added')
  })

  it('is asked for as discoverable, with the person verified, no attestation and a random handle', async () => {
    const browser = await signInByLink(rig, 'Ann')
    const { accountId } = await knownUser(rig.identity, browser)
    const { options, page } = await newPasskeyForm(rig.identity, browser)
    expect(options).toMatchObject({
      rp: { id: RP_ID, name: 'Notebook' },
      user: { id: Buffer.from(accountId).toString('base64url'), name: 'Ann' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [],
    })
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32)
    expect(page).toContain('src="/passkey.js?v=')
  })

  it('excludes those that the account has', async () => {
    const browser = await signInByLink(rig)
    const { authenticator } = await addPasskey(rig.identity, browser)
    const { options } = await newPasskeyForm(rig.identity, browser)
    expect(options.excludeCredentials).toMatchObject([{ id: authenticator.credentialId }])
  })

  it('is only for somebody who is signed in', async () => {
    const stranger = createBrowser()
    const page = await stranger.get(rig.identity.newPasskey, '/sign-in/passkey/new')
    expect(page.headers.get('location')).toBe('/sign-in')
    const sent = await stranger.post(rig.identity.newPasskey, '/sign-in/passkey/new', { name: 'x' })
    expect(sent.headers.get('location')).toBe('/sign-in')
  })

  it('is announced with a statement of its maker: that is neither believed nor followed', async () => {
    const fetched: string[] = []
    const before = globalThis.fetch
    globalThis.fetch = async (input) => {
      fetched.push(String(input))
      return new Response(null, { status: 500 })
    }
    try {
      const certificate = cborBytes(Buffer.from('a certificate that names http://evil.example/list.crl'))
      const statement = Buffer.concat([
        Buffer.from([0xa3]),
        cborText('alg'),
        Buffer.from([0x26]),
        cborText('sig'),
        cborBytes(Buffer.alloc(70)),
        cborText('x5c'),
        Buffer.from([0x81]),
        certificate,
      ])
      const browser = await signInByLink(rig)
      const { response } = await addPasskey(rig.identity, browser, { bent: { format: 'packed', statement } })
      expect(response.status).toBe(303)
      expect(fetched).toEqual([])
    } finally {
      globalThis.fetch = before
    }
  })

  it.each<{ wrong: string; bent: Bent; reason: string }>([
    { wrong: 'for another origin', bent: { origin: 'https://evil.example' }, reason: 'wrong_origin' },
    {
      wrong: 'for our origin with another port',
      bent: { origin: `${ORIGIN}:8443` },
      reason: 'wrong_origin',
    },
    { wrong: 'for another relying party', bent: { rpId: 'evil.example' }, reason: 'wrong_rp_id' },
    { wrong: 'for another challenge', bent: { challenge: 'AAAA' }, reason: 'wrong_challenge' },
    { wrong: 'of the other ceremony', bent: { type: 'webauthn.get' }, reason: 'wrong_type' },
    { wrong: 'inside another page', bent: { crossOrigin: true }, reason: 'framed' },
    {
      wrong: 'inside another page that is named',
      bent: { topOrigin: 'https://evil.example' },
      reason: 'framed',
    },
    { wrong: 'by somebody unverified', bent: { userVerified: false }, reason: 'user_not_verified' },
    { wrong: 'without a person', bent: { userPresent: false }, reason: 'unproven' },
    { wrong: 'with an id that is not its own', bent: { credentialId: 'AAAA' }, reason: 'malformed' },
  ])('made $wrong is refused and not kept', async ({ bent, reason }) => {
    const browser = await signInByLink(rig)
    const { response } = await addPasskey(rig.identity, browser, { bent })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('No passkey was added')
    expect(reasons()).toEqual([reason])
    expect(await waysInOf((await knownUser(rig.identity, browser)).accountId)).toBeNull()
  })

  it.each<{ what: string; fields: Record<string, string>; status: number; reason: string }>([
    { what: 'no credential', fields: { credential: '' }, status: 400, reason: 'not_sent' },
    { what: 'no JSON', fields: { credential: 'x' }, status: 400, reason: 'malformed' },
    { what: 'null', fields: { credential: 'null' }, status: 400, reason: 'malformed' },
    {
      what: 'numbers for texts',
      fields: { credential: JSON.stringify({ id: 1, rawId: 1, type: 'public-key', response: {} }) },
      status: 400,
      reason: 'malformed',
    },
    {
      what: 'client data that is no JSON',
      fields: {
        credential: JSON.stringify({
          id: 'AA',
          rawId: 'AA',
          type: 'public-key',
          response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA' },
        }),
      },
      status: 400,
      reason: 'malformed',
    },
    { what: 'another state', fields: { state: 'x.y' }, status: 400, reason: 'expired' },
    { what: 'no state', fields: { state: '' }, status: 400, reason: 'expired' },
    { what: 'a wrong CSRF value', fields: { csrf: 'x.y' }, status: 403, reason: 'stale' },
    { what: 'an invisible name', fields: { name: '\u200b' }, status: 400, reason: 'name_invalid' },
    { what: 'a long name', fields: { name: 'x'.repeat(65) }, status: 400, reason: 'name_invalid' },
  ])('sent with $what is refused', async ({ fields, status, reason }) => {
    const browser = await signInByLink(rig)
    const { response } = await addPasskey(rig.identity, browser, { fields })
    expect(response.status).toBe(status)
    expect(reasons()).toEqual([reason])
  })

  it('answers its challenge within 5 minutes, once, in the browser session that was asked', async () => {
    const browser = await signInByLink(rig)
    const first = await addPasskey(rig.identity, browser)
    const user = await knownUser(rig.identity, browser)
    await signInByLink(rig, undefined, createBrowser())
    expect((await rig.identity.own.removePasskey(user, first.ref)).ok).toBe(true)
    const replayed = await browser.post(rig.identity.newPasskey, '/sign-in/passkey/new', first.sent)
    expect(replayed.status).toBe(400)

    const { options, state, csrf } = await newPasskeyForm(rig.identity, browser)
    const credential = createAuthenticator(ORIGIN).create(options)
    const other = await signInByLink(rig)
    const { csrf: otherCsrf } = await newPasskeyForm(rig.identity, other)
    const fields = { name: 'Laptop', state, credential }
    const elsewhere = await other.post(rig.identity.newPasskey, '/sign-in/passkey/new', {
      ...fields,
      csrf: otherCsrf,
    })
    expect(elsewhere.status).toBe(400)
    rig.advance(5 * MINUTE)
    const late = await browser.post(rig.identity.newPasskey, '/sign-in/passkey/new', { ...fields, csrf })
    expect(late.status).toBe(400)
    expect(await waysInOf(user.accountId)).toMatchObject({ passkeys: [] })
  })

  it('is refused twice in one account, and above 20', async () => {
    const browser = await signInByLink(rig)
    const { authenticator } = await addPasskey(rig.identity, browser)
    const again = await addPasskey(rig.identity, browser, { authenticator })
    expect(again.response.status).toBe(409)
    for (let count = 1; count < 20; count++) await addPasskey(rig.identity, browser)
    const beyond = await addPasskey(rig.identity, browser)
    expect(beyond.response.status).toBe(409)
    expect(await beyond.response.text()).toContain('as many passkeys as one person can have')
  })

  it('does not exist where the address is a number', async () => {
    const numbered = await openRig()
    const browser = await signInByLink(numbered)
    const page = await browser.get(numbered.identity.newPasskey, '/sign-in/passkey/new')
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('IP address')
    const options = await browser.post(numbered.identity.passkeyOptions, '/sign-in/passkey/options', {})
    expect(options.status).toBe(404)
    await numbered.close()
  })
})

describe('signing in with a passkey', () => {
  it('needs no name: the passkey tells whose it is', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig, 'Ann'))
    await addPasskey(rig.identity, await signInByLink(rig))
    const { response, user } = await signInByPasskey(rig.identity, authenticator)
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/dashboard')
    expect(user).toMatchObject({ name: 'Ann', role: 'member' })
    expect(rig.audited.at(-1)).toMatchObject({ event: 'signed_in', why: 'passkey' })
  })

  it('goes on with the app that waits', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const { response } = await signInByPasskey(rig.identity, authenticator, { fields: { rt: 'a/b&c' } })
    expect(response.headers.get('location')).toBe('/oauth/authorize?rt=a%2Fb%26c')
  })

  it('notes when it was used', async () => {
    const browser = await signInByLink(rig)
    const { authenticator } = await addPasskey(rig.identity, browser)
    rig.advance(MINUTE)
    await signInByPasskey(rig.identity, authenticator)
    const { passkeys } = await rig.identity.own.waysIn(await knownUser(rig.identity, browser))
    expect(passkeys[0]).toMatchObject({ lastUsedAt: rig.deps.clock(), copySeenAt: undefined })
  })

  it('asks everybody the same, and no store', async () => {
    const before = rig.requests()
    const { options } = await askForPasskey(rig.identity, createBrowser())
    expect(options).toEqual({
      challenge: expect.any(String),
      rpId: RP_ID,
      timeout: 5 * MINUTE,
      userVerification: 'required',
    })
    expect(rig.requests()).toBe(before)
  })

  it.each<{ wrong: string; bent: Bent; reason: string }>([
    { wrong: 'another origin', bent: { origin: 'https://evil.example' }, reason: 'wrong_origin' },
    { wrong: 'another relying party', bent: { rpId: 'evil.example' }, reason: 'wrong_rp_id' },
    { wrong: 'another challenge', bent: { challenge: 'AAAA' }, reason: 'wrong_challenge' },
    { wrong: 'the other ceremony', bent: { type: 'webauthn.create' }, reason: 'wrong_type' },
    { wrong: 'a frame', bent: { crossOrigin: true }, reason: 'framed' },
    { wrong: 'an unverified person', bent: { userVerified: false }, reason: 'user_not_verified' },
    { wrong: 'no person', bent: { userPresent: false }, reason: 'unproven' },
    { wrong: 'another key', bent: { foreignKey: true }, reason: 'unproven' },
    { wrong: 'an unknown credential', bent: { credentialId: 'AAAA' }, reason: 'unknown' },
    { wrong: 'an empty handle', bent: { userHandle: '' }, reason: 'malformed' },
    { wrong: 'a handle of nobody', bent: { userHandle: 'AAAA' }, reason: 'unknown' },
    {
      wrong: 'a handle of an account that is not there',
      bent: { userHandle: Buffer.from(`usr_${'A'.repeat(22)}`).toString('base64url') },
      reason: 'unknown',
    },
  ])('is refused with $wrong, in the same words, and writes nothing', async ({ bent, reason }) => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const kinds = watchWrites(rig)
    const { response, user, browser } = await signInByPasskey(rig.identity, authenticator, { bent })
    expect(response.status).toBe(400)
    const page = await response.text()
    expect(page).toContain('This passkey was not accepted')
    expect(page).toContain('passkey_not_accepted')
    expect(page).not.toContain(reason === 'unknown' ? 'unknown' : reason)
    expect(user).toBeUndefined()
    expect([...browser.jar.keys()]).toEqual(['__Host-gatehouse-passkey'])
    expect(reasons()).toEqual([reason])
    expect(kinds()).toEqual([])
  })

  it.each(['', 'x', 'null', '[]', '{}', '{"id":"A","rawId":"A","type":"password","response":{}}'])(
    'is refused with %j for a credential',
    async (credential) => {
      const browser = createBrowser()
      const { state } = await askForPasskey(rig.identity, browser)
      const response = await browser.post(rig.identity.passkey, '/sign-in/passkey', { state, credential })
      expect(response.status).toBe(400)
      expect(browser.jar.has('__Host-gatehouse-session')).toBe(false)
    },
  )

  it('of another account under a stolen handle is refused', async () => {
    const ann = await signInByLink(rig, 'Ann')
    const annId = (await knownUser(rig.identity, ann)).accountId
    const mallory = await addPasskey(rig.identity, await signInByLink(rig, 'Mallory'))
    await addPasskey(rig.identity, ann)
    const { user } = await signInByPasskey(rig.identity, mallory.authenticator, {
      bent: { userHandle: Buffer.from(annId).toString('base64url') },
    })
    expect(user).toBeUndefined()
    expect(reasons()).toEqual(['unknown'])
  })

  it('works once for one challenge, also for 20 that come at once', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const browser = createBrowser()
    const { options, state } = await askForPasskey(rig.identity, browser)
    const sent = { state, credential: authenticator.get(options) }
    const binding = browser.jar.get('__Host-gatehouse-passkey') ?? ''
    const browsers = Array.from({ length: 20 }, () => {
      const copy = createBrowser()
      copy.jar.set('__Host-gatehouse-passkey', binding)
      return copy
    })
    await Promise.all(browsers.map((one) => one.post(rig.identity.passkey, '/sign-in/passkey', sent)))
    expect(browsers.filter(({ jar }) => jar.has('__Host-gatehouse-session'))).toHaveLength(1)
    expect(new Set(reasons())).toEqual(new Set(['used']))
  })

  it('answers within 5 minutes, in the browser that was asked, what was asked for signing in', async () => {
    const owner = await signInByLink(rig)
    const { authenticator } = await addPasskey(rig.identity, owner)
    const browser = createBrowser()
    const { options, state } = await askForPasskey(rig.identity, browser)
    const sent = { state, credential: authenticator.get(options) }
    const post = (from: ReturnType<typeof createBrowser>, fields: Record<string, string>) =>
      from.post(rig.identity.passkey, '/sign-in/passkey', fields)

    const thief = createBrowser()
    expect((await post(thief, sent)).status).toBe(400)
    await askForPasskey(rig.identity, thief)
    expect((await post(thief, sent)).status).toBe(400)

    const { state: forCreation, options: creation } = await newPasskeyForm(rig.identity, owner)
    const crossed = authenticator.get({ challenge: creation.challenge, rpId: RP_ID })
    expect((await post(browser, { state: forCreation, credential: crossed })).status).toBe(400)

    rig.advance(5 * MINUTE)
    const late = await post(browser, sent)
    expect(await late.text()).toContain('The page was open too long')
    expect(new Set(reasons())).toEqual(new Set(['expired']))
  })

  it('works in several tabs of one browser', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const browser = createBrowser()
    const first = await askForPasskey(rig.identity, browser)
    await askForPasskey(rig.identity, browser)
    const response = await browser.post(rig.identity.passkey, '/sign-in/passkey', {
      state: first.state,
      credential: authenticator.get(first.options),
    })
    expect(response.status).toBe(303)
  })

  it('is refused once the passkey was removed', async () => {
    const browser = await signInByLink(rig)
    const { authenticator, ref } = await addPasskey(rig.identity, browser)
    await rig.identity.own.removePasskey(await knownUser(rig.identity, browser), ref)
    const { user } = await signInByPasskey(rig.identity, authenticator)
    expect(user).toBeUndefined()
    expect(reasons()).toEqual(['unknown'])
  })

  it('is refused for a person who was blocked', async () => {
    const browser = await signInByLink(rig, 'Ann')
    const { authenticator } = await addPasskey(rig.identity, browser)
    await rig.identity.people.block((await knownUser(rig.identity, browser)).accountId)
    const { response, user } = await signInByPasskey(rig.identity, authenticator)
    expect(response.status).toBe(403)
    expect(user).toBeUndefined()
  })

  it('is refused from another site, and by a method that is not POST', async () => {
    const foreign = { Origin: 'https://evil.example' }
    const stranger = createBrowser()
    const path = '/sign-in/passkey'
    expect((await stranger.post(rig.identity.passkey, path, {}, foreign)).status).toBe(403)
    expect((await stranger.post(rig.identity.passkeyOptions, `${path}/options`, {}, foreign)).status).toBe(
      403,
    )
    expect((await stranger.get(rig.identity.passkey, path)).status).toBe(405)
    expect((await stranger.get(rig.identity.passkeyOptions, `${path}/options`)).status).toBe(405)
  })

  it('says without script that another way is left', async () => {
    const response = await createBrowser().post(rig.identity.passkey, '/sign-in/passkey', { rt: 'r' })
    expect(response.status).toBe(400)
    const page = await response.text()
    expect(page).toContain('need JavaScript')
    expect(page).toContain('href="/sign-in?rt=r"')
  })

  it('is looked at 60 times a minute for one caller, and others are not kept out', async () => {
    const limited = await openPasskeyRig({
      callerOf: (request) => request.headers.get('x-caller') ?? undefined,
    })
    const send = (caller: string) =>
      createBrowser().post(
        limited.identity.passkey,
        '/sign-in/passkey',
        {},
        { Origin: ORIGIN, 'X-Caller': caller },
      )
    for (let attempt = 0; attempt < 60; attempt++) expect((await send('one')).status).toBe(400)
    expect((await send('one')).status).toBe(429)
    expect((await send('two')).status).toBe(400)
    limited.advance(MINUTE)
    expect((await send('one')).status).toBe(400)
    await limited.close()
  })

  it('is an outage when the store does not answer, and no verdict', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const broken: Store = {
      ...rig.store,
      run: () => Promise.reject(new StoreUnavailable('gone')),
      batch: () => Promise.reject(new StoreUnavailable('gone')),
    }
    const { createIdentity } = await import('#lib/identity/identity')
    const identity = createIdentity({ ...rig.deps, store: broken })
    const browser = createBrowser()
    const { options, state } = await askForPasskey(identity, browser)
    const body = new URLSearchParams({ state, credential: authenticator.get(options) }).toString()
    const request = browser.request('/sign-in/passkey', {
      method: 'POST',
      body,
      headers: { Origin: ORIGIN, 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    await expect(identity.passkey(request, exchange)).rejects.toThrow(StoreUnavailable)
  })
})

describe('a passkey that counts its uses', () => {
  const signIn = async (authenticator: ReturnType<typeof createAuthenticator>, counter: number) =>
    signInByPasskey(rig.identity, authenticator, { bent: { counter } })

  it.each([
    { counters: [1, 2, 7], last: 'accepted' },
    { counters: [5, 5], last: 'refused' },
    { counters: [5, 4], last: 'refused' },
    { counters: [5, 0], last: 'refused' },
    { counters: [0, 0, 0], last: 'accepted' },
    { counters: [0, 3], last: 'accepted' },
  ])('with $counters is $last at the end', async ({ counters, last }) => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    const outcomes: boolean[] = []
    for (const counter of counters) {
      rig.advance(1000)
      outcomes.push((await signIn(authenticator, counter)).user !== undefined)
    }
    expect(outcomes).toEqual(counters.map((_, place) => place < counters.length - 1 || last === 'accepted'))
  })

  it('is told to its person when it may have been copied, and stays theirs', async () => {
    const browser = await signInByLink(rig)
    const { authenticator } = await addPasskey(rig.identity, browser)
    await signIn(authenticator, 9)
    const { response } = await signIn(authenticator, 3)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('may have been copied')
    const { passkeys } = await rig.identity.own.waysIn(await knownUser(rig.identity, browser))
    expect(passkeys[0]?.copySeenAt).toBe(rig.deps.clock())
    expect(rig.audited.map(({ event }) => event)).toContain('passkey_copy_seen')
    expect((await signIn(authenticator, 10)).user).toBeDefined()
  })

  it('tells nobody of its counter without the right signature', async () => {
    const { authenticator } = await addPasskey(rig.identity, await signInByLink(rig))
    await signIn(authenticator, 9)
    const { response } = await signInByPasskey(rig.identity, authenticator, {
      bent: { counter: 3, foreignKey: true },
    })
    expect(await response.text()).toContain('was not accepted')
  })
})

describe('an address that changed', () => {
  it('leaves the passkeys listed with the address they were made for, and none of them works', async () => {
    const browser = await signInByLink(rig)
    const { authenticator, ref } = await addPasskey(rig.identity, browser)
    const { createIdentity } = await import('#lib/identity/identity')
    const moved = createIdentity({ ...rig.deps, passkeyRpId: 'example' })
    const user = await knownUser(moved, browser)
    expect((await moved.own.waysIn(user)).passkeys).toMatchObject([
      { ref, rpId: RP_ID, works: false, lastWayIn: false },
    ])
    const { user: nobody } = await signInByPasskey(moved, authenticator)
    expect(nobody).toBeUndefined()
    expect(reasons()).toEqual(['other_address'])
    expect((await newPasskeyForm(moved, browser)).options.excludeCredentials).toEqual([])
  })
})

describe('the sign-in page', () => {
  it('offers passkeys first, by a button and by autofill, and says to which address they belong', async () => {
    const page = await (
      await createBrowser().get(rig.identity.signInPage, '/sign-in?rt=sealed-request')
    ).text()
    expect(page.indexOf('Sign in with a passkey')).toBeLessThan(page.indexOf('Paste the sign-in link here'))
    expect(page).toContain('autocomplete="username webauthn"')
    expect(page).toContain('src="/passkey.js?v=')
    expect(page).toContain(RP_ID)
    expect(page.match(/name="rt" value="sealed-request"/g)).toHaveLength(4)
  })

  it('after a link offers a passkey to whoever has none', async () => {
    const browser = await signInByLink(rig)
    const done = () =>
      browser.get(rig.identity.signInLink, '/sign-in/link?done=1').then((response) => response.text())
    expect(await done()).toContain('href="/sign-in/passkey/new"')
    await addPasskey(rig.identity, browser)
    expect(await done()).not.toContain('/sign-in/passkey/new')
    expect(await userOf(rig.identity, browser)).toBeDefined()
  })
})

/** Writes that reach the store from now on. */
function watchWrites({ store }: Rig): () => string[] {
  const kinds: string[] = []
  const reads = new Set(['get', 'sums', 'read', 'range'])
  const { run, batch } = store
  const note = (operation: { kind: string }) => {
    if (!reads.has(operation.kind)) kinds.push(operation.kind)
  }
  Object.assign(store, {
    run: (operation: Parameters<typeof run>[0]) => {
      note(operation)
      return run(operation)
    },
    batch: (...operations: Operation[]) => {
      operations.forEach(note)
      return batch(...operations)
    },
  })
  return () => kinds
}
