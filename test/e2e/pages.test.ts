import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  answerForApps,
  approve,
  deny,
  launchBrowser,
  newPerson,
  type Person,
  signInWithLink,
} from '#test/support/browser'
import { root } from '#test/support/build'
import { type Deployment, startLocal } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import { giveDevice } from '#test/support/passkey-device'
import { authorizationUrl, redeemByFetch, registerByFetch } from '#test/support/person-by-fetch'

/** Every page in both themes and three widths, for people to look at (git ignores the folder). */
const SCREENS = join(root, 'out', 'screens')
const WIDTHS = [390, 1024, 1600] as const
const THEMES = ['light', 'dark'] as const
const VERIFIER = 'a-verifier-of-the-test-that-is-long-enough-0123'
const CURSOR = 'cursor://anysphere.cursor-mcp/oauth/callback'

let deployment: Deployment
let browser: Browser
let person: Person
let page: Page
beforeAll(async () => {
  mkdirSync(SCREENS, { recursive: true })
  ;[deployment, browser] = await Promise.all([startLocal(), launchBrowser()])
  person = await newPerson(browser)
  page = await person.newPage()
  await answerForApps(page)
})
afterAll(async () => {
  await browser.close()
  await deployment.dispose()
})

const open = (path: string) => page.goto(deployment.origin + path)

async function ask(name: string, redirectUri: string): Promise<{ clientId: string; redirectUri: string }> {
  const app = await registerByFetch(deployment.origin, redirectUri, name)
  await page.goto(authorizationUrl(deployment.origin, { ...app, verifier: VERIFIER }))
  return app
}

/** A connection stands in the list once its code was redeemed. */
async function connect(name: string, redirectUri: string): Promise<void> {
  const app = await ask(name, redirectUri)
  await approve(page)
  await page.waitForURL(`${redirectUri}?**`)
  const code = new URL(page.url()).searchParams.get('code') ?? ''
  const { body } = await redeemByFetch(deployment.origin, { ...app, verifier: VERIFIER, code })
  await listNotes(deployment.origin, body.access_token)
}

async function createToken(name: string): Promise<void> {
  await open('/dashboard/tokens')
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Create token' }).click()
  await page.getByRole('heading', { name: 'Copy your token now' }).waitFor()
}

async function addPasskey(name: string): Promise<void> {
  await open('/sign-in/passkey/new')
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Add the passkey' }).click()
  await page.waitForURL(/added=/)
}

interface State {
  readonly name: string
  /** A status of the 400s shows in the console by itself. */
  readonly refused?: boolean
  /** Somebody who never signs in; otherwise it is the one person of this file. */
  readonly stranger?: boolean
  reach(tab: Page): Promise<unknown>
}

/** In this order: first a stranger, then the owner with nothing, then with connections. */
const states: readonly State[] = [
  { name: 'landing', reach: () => open('/') },
  { name: 'not-found', refused: true, reach: () => open('/no-such-page') },
  { name: 'sign-in', reach: () => open('/sign-in') },
  { name: 'sign-in-for-an-app', reach: () => ask('Claude', 'https://claude.ai/api/mcp/auth_callback') },
  {
    name: 'sign-in-not-yet',
    reach: async () => {
      await ask('Claude', 'https://claude.ai/api/mcp/auth_callback')
      await page.getByRole('button', { name: 'I have signed in, go on' }).click()
      await page.getByText('not signed in yet').waitFor()
    },
  },
  { name: 'sign-in-link', reach: () => page.goto(deployment.ownerLink) },
  { name: 'signed-in', reach: () => signInWithLink(page, deployment.ownerLink) },
  {
    name: 'sign-in-link-used',
    refused: true,
    stranger: true,
    reach: async (tab) => {
      await tab.goto(deployment.ownerLink)
      await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
      await tab.getByRole('heading', { name: /already used/ }).waitFor()
    },
  },
  { name: 'dashboard-empty', reach: () => open('/dashboard') },
  { name: 'landing-signed-in', reach: () => open('/') },
  { name: 'consent-https', reach: () => ask('Claude', 'https://claude.ai/api/mcp/auth_callback') },
  { name: 'consent-loopback', reach: () => ask('Claude Code', 'http://localhost:3118/callback') },
  { name: 'consent-app-link', reach: () => ask('Cursor', CURSOR) },
  {
    name: 'consent-long-name',
    reach: () =>
      ask(
        `${'An app with a very long name '.repeat(3)}`.trim(),
        `https://${'a'.repeat(50)}.example/callback`,
      ),
  },
  {
    name: 'consent-details',
    reach: async () => {
      await ask('Claude', 'https://claude.ai/api/mcp/auth_callback')
      await page.locator('details').first().locator('summary').click()
    },
  },
  {
    name: 'done-app-link',
    reach: async () => {
      await ask('Cursor', CURSOR)
      await approve(page)
      await page.locator('#oauth-continue').waitFor()
    },
  },
  {
    name: 'denied-app-link',
    reach: async () => {
      await ask('Cursor', CURSOR)
      await deny(page)
      await page.locator('#oauth-continue').waitFor()
    },
  },
  {
    name: 'refused-unknown-app',
    refused: true,
    reach: () =>
      open('/oauth/authorize?client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example&response_type=code'),
  },
  {
    name: 'dashboard-one',
    reach: async () => {
      await connect('Claude', 'https://claude.ai/api/mcp/auth_callback')
      await open('/dashboard')
    },
  },
  {
    name: 'dashboard-busy',
    reach: async () => {
      await connect('ChatGPT', 'https://chatgpt.com/connector_platform_oauth_redirect')
      await connect('Visual Studio Code', 'https://vscode.dev/redirect')
      await connect('An app that thought of a rather long name for itself', 'https://app.example/callback')
      await open('/dashboard')
    },
  },
  {
    name: 'dashboard-confirm',
    reach: async () => {
      await open('/dashboard')
      await page.locator('details.confirm > summary').first().click()
    },
  },
  {
    name: 'dashboard-ended',
    reach: async () => {
      await open('/dashboard')
      await page.locator('details.confirm > summary').first().click()
      await page.locator('details.confirm[open] button').click()
      await page.waitForURL(/ended=/)
    },
  },
  { name: 'account-empty', reach: () => open('/dashboard/account') },
  { name: 'new-passkey', reach: () => open('/sign-in/passkey/new') },
  {
    name: 'account-busy',
    reach: async () => {
      const device = await giveDevice(page)
      await addPasskey('Laptop')
      // The next one is another device's.
      await device.session.send('WebAuthn.clearCredentials', { authenticatorId: device.id })
      await addPasskey('W'.repeat(64))
      await device.session.send('WebAuthn.disable')
    },
  },
  {
    name: 'recovery-codes',
    reach: async () => {
      await open('/dashboard/account')
      await page.getByRole('button', { name: 'Make recovery codes' }).click()
      await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor()
    },
  },
  {
    name: 'account-confirm',
    reach: async () => {
      await open('/dashboard/account')
      await page.locator('details.more > summary').first().click()
      await page.locator('details.confirm > summary').last().click()
    },
  },
  {
    name: 'recovery-code-refused',
    refused: true,
    stranger: true,
    reach: async (tab) => {
      await tab.goto(`${deployment.origin}/sign-in`)
      await tab.locator('summary', { hasText: 'recovery code' }).click()
      await tab.getByLabel('Recovery code').fill('00000-00000-00000-00000')
      await tab.getByRole('button', { name: 'Use the recovery code' }).click()
      await tab.getByRole('heading', { name: /not accepted/ }).waitFor()
    },
  },
  { name: 'tokens-empty', reach: () => open('/dashboard/tokens') },
  {
    name: 'tokens-new',
    reach: async () => {
      await createToken('W'.repeat(64))
      await page.locator('details.more > summary').click()
    },
  },
  {
    name: 'tokens-confirm',
    reach: async () => {
      await createToken('W'.repeat(64))
      await open('/dashboard/tokens')
      await page.locator('details.confirm > summary').first().click()
    },
  },
  {
    name: 'tokens-refused',
    refused: true,
    reach: async () => {
      await open('/dashboard/tokens')
      await page.getByLabel('Name').fill('It may do nothing')
      await page.getByRole('checkbox').first().uncheck()
      await page.getByRole('button', { name: 'Create token' }).click()
      await page.getByText('Choose at least one permission').waitFor()
    },
  },
]

describe('every page', () => {
  it.each(states)('$name fits each width in both themes and complains about nothing', async (state) => {
    const visitor = state.stranger ? await newPerson(browser) : person
    const tab = state.stranger ? await visitor.newPage() : page
    const before = visitor.complaints.length
    await state.reach(tab)
    for (const width of WIDTHS) {
      await tab.setViewportSize({ width, height: width < 500 ? 844 : 900 })
      for (const colorScheme of THEMES) {
        await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const path = join(SCREENS, `${state.name}-${width}-${colorScheme}.png`)
        await tab.screenshot({ path, fullPage: true })
        const overflow = await tab.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        expect({ width, colorScheme, overflow }).toEqual({ width, colorScheme, overflow: 0 })
      }
    }
    const complaints = visitor.complaints
      .slice(before)
      .filter((complaint) => !(state.refused && /status of 4\d\d/.test(complaint)))
    expect(complaints).toEqual([])
    if (state.stranger) await visitor.leave()
  })

  it('asks nobody outside for anything', async () => {
    const elsewhere: string[] = []
    const stranger = await newPerson(browser)
    const tab = await stranger.newPage()
    tab.on('request', (request) => {
      if (new URL(request.url()).origin !== deployment.origin) elsewhere.push(request.url())
    })
    for (const path of ['/', '/sign-in'])
      await tab.goto(deployment.origin + path, { waitUntil: 'networkidle' })
    expect(elsewhere).toEqual([])
    await stranger.leave()
  })
})
