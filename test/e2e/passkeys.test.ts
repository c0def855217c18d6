import { createClient } from '@redis/client'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/core/clock'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import {
  answerForApps,
  approve,
  launchBrowser,
  newPerson,
  type Person,
  signInWithLink,
} from '#test/support/browser'
import { type Pair, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import { type Device, giveDevice } from '#test/support/passkey-device'
import { authorizationUrl, redeemByFetch, registerByFetch } from '#test/support/person-by-fetch'

const VERIFIER = 'a-verifier-of-the-test-that-is-long-enough-0123'
const CALLBACK = 'https://claude.ai/api/mcp/auth_callback'

let pair: Pair
let browser: Browser
let person: Person
let page: Page
let device: Device
beforeAll(async () => {
  ;[pair, browser] = await Promise.all([startPair(), launchBrowser()])
  person = await newPerson(browser)
  page = await person.newPage()
  await answerForApps(page)
  device = await giveDevice(page)
})
afterAll(async () => {
  await person.leave()
  await browser.close()
  await pair.dispose()
})

const account = () => `${pair.origin}/dashboard/account`
const row = (name: string) => page.getByRole('listitem').filter({ hasText: name }).first()
const status = () => page.getByRole('status').textContent()

async function signOut(): Promise<void> {
  await page.goto(account())
  await page.getByRole('button', { name: 'Sign out', exact: true }).first().click()
  await page.waitForURL(`${pair.origin}/`)
}

describe('a passkey', () => {
  it('is offered after the owner link, named and made', async () => {
    await signInWithLink(page, pair.ownerLink)
    await page.getByRole('link', { name: 'Add a passkey' }).click()
    await page.getByRole('heading', { name: 'Add a passkey' }).waitFor()
    expect(await page.getByLabel('Name').inputValue()).toBe('Chrome on Linux')
    await page.getByLabel('Name').fill('Work laptop')
    await page.getByRole('button', { name: 'Add the passkey' }).click()
    await page.waitForURL(/\/dashboard\/account\?added=/)
    expect(await status()).toContain('The passkey is added')
    expect(await row('Work laptop').textContent()).toContain('Not used yet')
    expect(await device.credentials()).toHaveLength(1)
  })

  it('is not made twice on one device', async () => {
    await page.goto(`${pair.origin}/sign-in/passkey/new`)
    await page.getByRole('button', { name: 'Add the passkey' }).click()
    await page.getByText('This device has a passkey for your account already.').waitFor()
    expect(await page.getByRole('alert').isVisible()).toBe(true)
  })

  it('signs in by the button', async () => {
    await device.touches(false)
    await signOut()
    await page.goto(`${pair.origin}/sign-in`)
    const button = page.getByRole('button', { name: 'Sign in with a passkey' })
    await button.focus()
    await page.keyboard.press('Enter')
    await device.touches(true)
    await page.waitForURL(`${pair.origin}/dashboard`)
    await page.goto(account())
    expect(await row('Work laptop').textContent()).toMatch(/Used (just now|\d+ second)/)
    expect(await row('This browser').textContent()).toContain('with a passkey')
  })

  it('signs in by what the browser suggests, without a click on our page', async () => {
    await signOut()
    await page.goto(`${pair.origin}/sign-in`)
    await page.waitForURL(`${pair.origin}/dashboard`)
    expect(await page.getByText('Signed in as Owner').isVisible()).toBe(true)
  })

  it('signs in within the flow of a host, which goes on to consent', async () => {
    await device.touches(false)
    await signOut()
    const app = await registerByFetch(pair.origin, CALLBACK, 'Claude')
    await page.goto(authorizationUrl(pair.origin, { ...app, verifier: VERIFIER }))
    await page.getByText('Then you can decide whether').waitFor()
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await device.touches(true)
    await approve(page)
    await page.waitForURL(`${CALLBACK}?**`)
    const code = new URL(page.url()).searchParams.get('code') ?? ''
    const { body } = await redeemByFetch(pair.origin, { ...app, verifier: VERIFIER, code })
    expect((await listNotes(pair.origin, body.access_token ?? '')).status).toBe(200)
  })
})

describe('the account page', () => {
  it('renames a passkey', async () => {
    await page.goto(account())
    await row('Work laptop').getByText('Rename').click()
    await row('Work laptop').getByLabel('Name').fill('Laptop <b>')
    await row('Work laptop').getByRole('button', { name: 'Save the name' }).click()
    await page.waitForURL(/renamed=/)
    expect(await page.getByRole('heading', { name: 'Laptop <b>' }).isVisible()).toBe(true)
  })

  it('explains what a passkey of an earlier address is, and removes it', async () => {
    const client = await createClient({ url: pair.redis.url }).connect()
    const [key = ''] = await client.keys('*:w')
    const before = (await client.get(key)) ?? ''
    const [passkey] = JSON.parse(before).passkeys
    const old = { ...passkey, ref: 'old', id: 'AAAA', rpId: 'old.example', name: 'Before the move' }
    await client.set(key, JSON.stringify({ v: 1, passkeys: [passkey, old] }))
    await page.goto(account())
    const moved = row('Before the move')
    expect(await moved.textContent()).toContain('It was made when this server had the address old.example')
    await moved.locator('details.confirm > summary').click()
    await page.getByRole('button', { name: 'Remove passkey Before the move' }).click()
    await page.waitForURL(/removed=/)
    expect(await row('Before the move').count()).toBe(0)
    client.destroy()
  })

  it('lists the browsers and signs another one out', async () => {
    const other = await newPerson(browser)
    const tab = await other.newPage()
    await signInWithLink(tab, await ownerLink())
    await page.goto(account())
    const others = page.getByRole('listitem').filter({ hasText: 'with a sign-in link' })
    expect(await others.count()).toBe(1)
    await others.getByRole('button', { name: /Sign out/ }).click()
    await page.waitForURL(/ended=/)
    expect(await status()).toContain('That browser is signed out')
    await tab.goto(`${pair.origin}/dashboard`)
    expect(new URL(tab.url()).pathname).toBe('/sign-in')
    await page.goto(`${pair.origin}/dashboard`)
    expect(new URL(page.url()).pathname).toBe('/dashboard')
    await other.leave()
  })

  it('is under the policy of our pages, and sends a stranger to sign-in', async () => {
    const policy = (await page.goto(account()))?.headers()['content-security-policy'] ?? ''
    expect(policy).toMatch(/script-src 'self' 'nonce-/)
    const stranger = await newPerson(browser)
    const tab = await stranger.newPage()
    for (const path of ['/dashboard/account', '/sign-in/passkey/new']) {
      await tab.goto(pair.origin + path)
      expect(new URL(tab.url()).pathname).toBe('/sign-in')
    }
    await stranger.leave()
  })
})

describe('a member without script', () => {
  let member: Person
  let tab: Page
  let codes: readonly string[]
  beforeAll(async () => {
    member = await newPerson(browser, { javaScriptEnabled: false })
    tab = await member.newPage()
    await tab.goto(await pair.memberLink('Ann'))
    await tab.getByLabel('Paste the sign-in link here').fill(await pair.memberLink('Ann'))
    await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
    await tab.goto(account())
  })
  afterAll(() => member.leave())

  async function makeCodes(): Promise<string[]> {
    await tab.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor()
    expect(await tab.getByRole('button', { name: 'Copy the recovery codes' }).isVisible()).toBe(false)
    return ((await tab.locator('#codes').textContent()) ?? '').split('\n')
  }

  async function enter(code: string): Promise<Page> {
    const fresh = await newPerson(browser, { javaScriptEnabled: false })
    const at = await fresh.newPage()
    await at.goto(`${pair.origin}/sign-in`)
    await at.locator('summary', { hasText: 'recovery code' }).click()
    await at.getByLabel('Recovery code').fill(code)
    await at.getByRole('button', { name: 'Use the recovery code' }).click()
    return at
  }

  it('makes ten recovery codes and sees them once', async () => {
    await tab.getByRole('button', { name: 'Make recovery codes' }).click()
    codes = await makeCodes()
    expect(codes).toHaveLength(10)
    await tab.getByRole('link', { name: /back to your account/ }).click()
    expect(await tab.getByRole('heading', { name: '10 of 10 left' }).isVisible()).toBe(true)
    expect(await tab.content()).not.toContain(codes[0])
  })

  it('signs in with each of them once, however it is written', async () => {
    const [first = ''] = codes
    const at = await enter(first.toLowerCase().replaceAll('-', ' '))
    expect(await at.getByRole('status').textContent()).toContain('9 of 10 are left')
    const again = await enter(first)
    expect(await again.getByRole('heading', { level: 1 }).textContent()).toContain('not accepted')
    await Promise.all([at.context().close(), again.context().close()])
  })

  it('replaces them all at once', async () => {
    await tab.goto(account())
    await tab.locator('summary', { hasText: 'Replace' }).click()
    await tab.getByRole('button', { name: 'Replace recovery codes' }).click()
    const renewed = await makeCodes()
    expect(renewed).not.toContain(codes[1])
    const refused = await enter(codes[1] ?? '')
    expect(await refused.getByRole('heading', { level: 1 }).textContent()).toContain('not accepted')
    const at = await enter(renewed[0] ?? '')
    expect(await at.getByRole('heading', { name: '9 of 10 left' }).isVisible()).toBe(true)
    await Promise.all([refused.context().close(), at.context().close()])

    const dump = await allText()
    const logs = pair.instances.map((instance) => instance.log()).join('\n')
    for (const code of [...codes, ...renewed]) {
      expect(dump).not.toContain(code.replaceAll('-', ''))
      expect(dump).not.toContain(code)
      expect(logs).not.toContain(code)
    }
  })

  it('is told that passkeys need script, and is shown no button for them', async () => {
    await tab.goto(`${pair.origin}/sign-in/passkey/new`)
    expect(await tab.getByText('Passkeys need JavaScript').isVisible()).toBe(true)
    expect(await tab.getByRole('button', { name: 'Add the passkey' }).isVisible()).toBe(false)
    const stranger = await newPerson(browser, { javaScriptEnabled: false })
    const at = await stranger.newPage()
    await at.goto(`${pair.origin}/sign-in`)
    expect(await at.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()).toBe(false)
    expect(await at.getByRole('button', { name: 'Sign in', exact: true }).isVisible()).toBe(true)
    await stranger.leave()
  })

  it('is signed out everywhere', async () => {
    await tab.goto(account())
    await tab.locator('summary', { hasText: 'everywhere' }).click()
    await tab.getByRole('button', { name: 'Sign out everywhere' }).click()
    await tab.waitForURL(`${pair.origin}/`)
    await tab.goto(account())
    expect(new URL(tab.url()).pathname).toBe('/sign-in')
  })
})

describe('the last way in', () => {
  it('of a member stays until there is another', async () => {
    const member = await newPerson(browser)
    const tab = await member.newPage()
    await giveDevice(tab)
    await signInWithLink(tab, await pair.memberLink('Bob'))
    await tab.getByRole('link', { name: 'Add a passkey' }).click()
    await tab.getByRole('button', { name: 'Add the passkey' }).click()
    await tab.waitForURL(/added=/)
    const only = tab
      .getByRole('listitem')
      .filter({ hasText: 'Synced' })
      .or(tab.getByRole('listitem').filter({ hasText: 'On one device' }))
    await only.locator('details.confirm > summary').click()
    expect(await tab.getByRole('heading', { name: 'This is your only way in' }).isVisible()).toBe(true)
    expect(await tab.getByRole('button', { name: /Remove passkey/ }).count()).toBe(0)

    await tab.getByRole('button', { name: 'Make recovery codes' }).click()
    await tab.getByRole('link', { name: /back to your account/ }).click()
    await only.locator('details.confirm > summary').click()
    await tab.getByRole('button', { name: /Remove passkey/ }).click()
    await tab.waitForURL(/removed=/)
    expect(await tab.getByText('You have no passkey').isVisible()).toBe(true)
    expect(member.complaints).toEqual([])
    await member.leave()
  })

  it('of the owner may go: a link is always there', async () => {
    await page.goto(account())
    await row('Laptop <b>').locator('details.confirm > summary').click()
    await page.getByRole('button', { name: 'Remove passkey Laptop <b>' }).click()
    await page.waitForURL(/removed=/)
    await device.touches(false)
    await signOut()
    await page.goto(`${pair.origin}/sign-in`)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await device.touches(true)
    await page.getByRole('heading', { name: 'This passkey was not accepted' }).waitFor()
    await page.getByRole('link', { name: 'Back to sign-in' }).click()
  })
})

it('a device that does not check who it is makes no passkey', async () => {
  const careless = await newPerson(browser)
  const tab = await careless.newPage()
  const { session, id } = await giveDevice(tab)
  await session.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false })
  await signInWithLink(tab, await pair.memberLink('Carl'))
  await tab.getByRole('link', { name: 'Add a passkey' }).click()
  await tab.getByRole('button', { name: 'Add the passkey' }).click()
  await tab.getByText('No passkey was made.').waitFor()
  await careless.leave()
})

it('while the store does not answer every way in says so with 503, and works afterwards', async () => {
  const member = await newPerson(browser)
  const tab = await member.newPage()
  await signInWithLink(tab, await pair.memberLink('Dora'))
  await tab.goto(account())
  pair.bridge.faults.inject('refuse', Number.POSITIVE_INFINITY)
  try {
    const refused = await tab.goto(account())
    expect(refused?.status()).toBe(503)
    for (const path of ['/sign-in/recovery-code', '/dashboard/account/recovery-codes']) {
      const body = new URLSearchParams({ code: '00000-00000-00000-00000', csrf: 'a.b' })
      const answer = await tab.evaluate(
        async ({ url, sent }) => {
          const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
          return (await fetch(url, { method: 'POST', body: sent, headers: type })).status
        },
        { url: pair.origin + path, sent: body.toString() },
      )
      expect({ path, answer }).toEqual({ path, answer: 503 })
    }
    expect((await tab.goto(`${pair.origin}/sign-in/passkey/new`))?.status()).toBe(503)
  } finally {
    pair.bridge.faults.clear()
  }
  await tab.goto(`${pair.origin}/dashboard/unavailable?page=/dashboard/account`)
  expect(new URL(tab.url()).pathname).toBe('/dashboard/account')
  await member.leave()
})

it('no page complains', () => {
  expect(person.complaints.filter((complaint) => !/status of 400/.test(complaint))).toEqual([])
})

/** Another link for the owner, as the command line makes them. */
const ownerLink = () => {
  const { AUTH_SECRET = '', KEY_PREFIX = '' } = pair.env
  const keyRing = createKeyRing([AUTH_SECRET], KEY_PREFIX)
  return mintSignInLink({ origin: pair.origin, keyRing, clock: systemClock, random: systemRandom }, {})
}

/** Every value of the store that is text, with its key. */
async function allText(): Promise<string> {
  const client = await createClient({ url: pair.redis.url }).connect()
  const lines: string[] = []
  for (const key of await client.keys('*')) {
    lines.push(key)
    if ((await client.type(key)) === 'string') lines.push((await client.get(key)) ?? '')
    if ((await client.type(key)) === 'zset') lines.push(...(await client.zRange(key, 0, -1)))
  }
  client.destroy()
  return lines.join('\n')
}
