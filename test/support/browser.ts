import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumPath } from '#test/support/chromium-path'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (!executablePath) throw new Error('no Chromium: install it, or set CHROMIUM_PATH to the program')
  return chromium.launch({ executablePath, args: ARGS })
}

/** A person at a browser of their own: cookies are theirs, and what the pages complain about is kept. */
export interface Person {
  readonly context: BrowserContext
  /** Errors on the console and uncaught exceptions of every page. */
  readonly complaints: readonly string[]
  newPage(): Promise<Page>
  leave(): Promise<void>
}

export async function newPerson(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Person> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(15_000)
  const complaints: string[] = []
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`)
  })
  return { context, complaints, newPage: () => context.newPage(), leave: () => context.close() }
}

/** Opens a sign-in link and confirms. */
export async function signInWithLink(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: /You are signed in as/ }).waitFor()
}

/** In a host's waiting tab, once signed in elsewhere: on to the consent page. */
export async function goOn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'I have signed in, go on' }).click()
  await page.locator('button[name=decision]').first().waitFor()
}

/** Answers on the consent page. */
export const approve = (page: Page): Promise<void> =>
  page.locator('button[name=decision][value=allow]').click()

export const deny = (page: Page): Promise<void> => page.locator('button[name=decision][value=deny]').click()

/**
 * Answers every https request of a page with a line of text, also those that a redirect leads to (which
 * Playwright's own routes leave out): the app at the other end, without a network.
 */
export async function answerForApps(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  session.on('Fetch.requestPaused', ({ requestId }) => {
    const body = Buffer.from('back at the app').toString('base64')
    const responseHeaders = [{ name: 'Content-Type', value: 'text/plain' }]
    const answer = { requestId, responseCode: 200, responseHeaders, body }
    // A page that a test has closed by now needs no answer any more.
    session.send('Fetch.fulfillRequest', answer).catch((error: unknown) => {
      if (!page.isClosed()) throw error
    })
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: 'https://*' }] })
}
