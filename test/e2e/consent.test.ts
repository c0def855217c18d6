import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  answerForApps,
  approve,
  deny,
  launchBrowser,
  newPerson,
  type Person,
  signInWithLink,
} from '#test/support/browser'
import { type Deployment, startLocal } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import { authorizationUrl, redeemByFetch, registerByFetch } from '#test/support/person-by-fetch'
import { listenForCallback } from '../../bin/connect/callback.ts'

const CLAUDE = 'https://claude.ai/api/mcp/auth_callback'
const CURSOR = 'cursor://anysphere.cursor-mcp/oauth/callback'
const VERIFIER = 'a-verifier-of-the-test-that-is-long-enough-0123'

let deployment: Deployment
let browser: Browser
let person: Person
let page: Page
beforeAll(async () => {
  ;[deployment, browser] = await Promise.all([startLocal(), launchBrowser()])
  person = await newPerson(browser)
  await signInWithLink(await person.newPage(), deployment.ownerLink)
})
beforeEach(async () => {
  page = await person.newPage()
  await answerForApps(page)
})
afterEach(() => page.close())
afterAll(async () => {
  await browser.close()
  await deployment.dispose()
})

/** Registers an app and opens its consent page. */
async function askFor(
  redirectUri: string,
  on: Page = page,
): Promise<{ clientId: string; redirectUri: string }> {
  const app = await registerByFetch(deployment.origin, redirectUri, 'Claude')
  await on.goto(authorizationUrl(deployment.origin, { ...app, verifier: VERIFIER }))
  return app
}

/** Exactly one each of `iss`, `state` and what the answer is (RFC 9207, OAUTH.md). */
function expectAnswer(url: URL, kind: 'code' | 'error'): void {
  expect([...url.searchParams.keys()].sort()).toEqual(
    kind === 'code' ? ['code', 'iss', 'state'] : expect.arrayContaining(['error', 'iss', 'state']),
  )
  expect(url.searchParams.getAll('iss')).toEqual([deployment.origin])
  expect(url.searchParams.getAll('state')).toEqual(['test'])
}

async function expectTokens(app: { clientId: string; redirectUri: string }, answer: URL): Promise<void> {
  const code = answer.searchParams.get('code') ?? ''
  const { status, body } = await redeemByFetch(deployment.origin, { ...app, verifier: VERIFIER, code })
  expect(status).toBe(200)
  expect((await listNotes(deployment.origin, body.access_token)).status).toBe(200)
}

describe('consent in a browser', () => {
  it('brings an https app back by itself, with a code that works', async () => {
    const app = await askFor(CLAUDE)
    await approve(page)
    await page.waitForURL(`${CLAUDE}?**`)
    expectAnswer(new URL(page.url()), 'code')
    await expectTokens(app, new URL(page.url()))
  })

  it('brings an app on this computer back by itself, whatever port it listens on today', async () => {
    const callback = await listenForCallback()
    try {
      const app = await registerByFetch(deployment.origin, 'http://127.0.0.1/callback', 'Claude Code')
      const today = { ...app, redirectUri: callback.redirectUri }
      await page.goto(authorizationUrl(deployment.origin, { ...today, verifier: VERIFIER }))
      const [answer] = await Promise.all([callback.wait(10_000), approve(page)])
      expectAnswer(answer, 'code')
      await expectTokens(today, answer)
    } finally {
      callback.close()
    }
  })

  it('shows a page with the way on for an app link, and its code works', async () => {
    const app = await askFor(CURSOR)
    await approve(page)
    const link = page.locator('#oauth-continue')
    const href = (await link.getAttribute('href')) ?? ''
    expect(href.startsWith(`${CURSOR}?`)).toBe(true)
    expectAnswer(new URL(href), 'code')

    const asked = await navigationOf(page, () => link.click())
    expect(asked).toBe(href)
    await expectTokens(app, new URL(href))
  })

  it.each([
    { kind: 'an https app', redirectUri: CLAUDE },
    { kind: 'an app link', redirectUri: CURSOR },
  ])('tells $kind that the person said no', async ({ redirectUri }) => {
    await askFor(redirectUri)
    await deny(page)
    const https = redirectUri === CLAUDE
    if (https) await page.waitForURL(`${CLAUDE}?**`)
    const href = https ? page.url() : await page.locator('#oauth-continue').getAttribute('href')
    const answer = new URL(href ?? '')
    expectAnswer(answer, 'error')
    expect(answer.searchParams.getAll('error')).toEqual(['access_denied'])
  })

  it('is answered once: the second answer from the same page makes no second code', async () => {
    await askFor(CLAUDE)
    await approve(page)
    await page.waitForURL(`${CLAUDE}?**`)
    await page.goBack()
    if (await page.locator('button[name=decision][value=allow]').isVisible()) await approve(page)
    await page.waitForLoadState()
    expect(page.url()).not.toContain('code=')
  })

  it('works without JavaScript', async () => {
    const cookies = await person.context.cookies()
    const plain = await newPerson(browser, { javaScriptEnabled: false })
    await plain.context.addCookies(cookies)
    const tab = await plain.newPage()
    await answerForApps(tab)
    const app = await askFor(CLAUDE, tab)
    await approve(tab)
    await tab.waitForURL(`${CLAUDE}?**`)
    await expectTokens(app, new URL(tab.url()))
    await plain.leave()
  })

  it('can be answered with the keyboard alone', async () => {
    await askFor(CLAUDE)
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('value'))
    for (let presses = 0; (await focused()) !== 'allow'; presses++) {
      expect(presses).toBeLessThan(20)
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(`${CLAUDE}?**`)
    expectAnswer(new URL(page.url()), 'code')
  })

  it('says who asks, for what, as whom, and where the answer goes', async () => {
    await askFor(CLAUDE)
    const text = await page.locator('main').textContent()
    for (const part of [
      'Claude',
      'claude.ai',
      'Read your notes',
      'Create, change and delete your notes',
      'unverified',
    ]) {
      expect(text).toContain(part)
    }
    await askFor('http://localhost:8123/callback')
    expect(await page.locator('main').textContent()).toContain('a program on this computer')
  })

  it('complains about nothing on the console but the second answer', () => {
    const complaints = person.complaints.filter(
      (complaint) => !/status of 400 .*consent\?tx=/.test(complaint),
    )
    expect(complaints).toEqual([])
  })
})

/** Where a click asks the browser to go, even where no page answers. */
async function navigationOf(on: Page, click: () => Promise<void>): Promise<string> {
  const session = await on.context().newCDPSession(on)
  await session.send('Page.enable')
  const asked = new Promise<string>((resolve) => {
    session.once('Page.frameRequestedNavigation', ({ url }) => resolve(url))
  })
  await click()
  try {
    return await asked
  } finally {
    await session.detach()
  }
}
