import type { Identity } from '#lib/identity/identity'
import { type Browser, createBrowser, ORIGIN, openRig, type Rig, tokenOf } from '#test/identity/rig'
import { type Bent, createAuthenticator } from '#test/support/authenticator'

export const RP_ID = 'gatehouse.example'
export const openPasskeyRig = (overrides: Parameters<typeof openRig>[0] = {}) =>
  openRig({ passkeyRpId: RP_ID, ...overrides })

export async function signInByLink(
  { identity }: Pick<Rig, 'identity'>,
  member?: string,
  browser: Browser = createBrowser(),
): Promise<Browser> {
  const token = tokenOf(await identity.mintSignInLink({ member }))
  await browser.post(identity.signInLink, '/sign-in/link', { token })
  return browser
}

export const userOf = (identity: Identity, browser: Browser) =>
  identity.currentUser(browser.request('/dashboard'))

/** The same, of somebody who must be signed in. */
export async function knownUser(identity: Identity, browser: Browser) {
  const user = await userOf(identity, browser)
  if (!user) throw new Error('nobody is signed in')
  return user
}

/** What a page holds for its script. */
export async function newPasskeyForm(identity: Identity, browser: Browser) {
  const page = await (await browser.get(identity.newPasskey, '/sign-in/passkey/new')).text()
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
  const encoded = /data-options="([^"]*)"/.exec(page)?.[1] ?? '{}'
  const options = JSON.parse(encoded.replaceAll('&quot;', '"').replaceAll('&#39;', "'"))
  return { page, options, state: field('state'), csrf: field('csrf') }
}

export type Authenticator = ReturnType<typeof createAuthenticator>

interface Adding {
  readonly name?: string
  readonly authenticator?: Authenticator
  readonly bent?: Bent
  /** Fields that are sent instead of the right ones. */
  readonly fields?: Readonly<Record<string, string>>
}

export async function addPasskey(identity: Identity, browser: Browser, adding: Adding = {}) {
  const { name = 'Laptop', authenticator = createAuthenticator(ORIGIN), bent, fields } = adding
  const { options, state, csrf } = await newPasskeyForm(identity, browser)
  const credential = authenticator.create(options, bent)
  const sent = { name, state, csrf, credential, ...fields }
  const response = await browser.post(identity.newPasskey, '/sign-in/passkey/new', sent)
  const ref = /added=([\w-]+)/.exec(response.headers.get('location') ?? '')?.[1] ?? ''
  return { response, authenticator, ref, sent }
}

/** What the script fetches before it asks the browser. */
export async function askForPasskey(identity: Identity, browser: Browser) {
  const response = await browser.post(identity.passkeyOptions, '/sign-in/passkey/options', {})
  return (await response.json()) as { options: { challenge: string; rpId: string }; state: string }
}

interface Using {
  readonly browser?: Browser
  readonly bent?: Bent
  readonly fields?: Readonly<Record<string, string>>
}

export async function signInByPasskey(identity: Identity, authenticator: Authenticator, using: Using = {}) {
  const { browser = createBrowser(), bent, fields } = using
  const { options, state } = await askForPasskey(identity, browser)
  const sent = { state, credential: authenticator.get(options, bent), ...fields }
  const response = await browser.post(identity.passkey, '/sign-in/passkey', sent)
  return { response, browser, sent, user: await userOf(identity, browser) }
}
