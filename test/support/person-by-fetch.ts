import { createHash, randomBytes } from 'node:crypto'

/**
 * A person without a browser: keeps cookies, follows redirects within the product and fills in its forms.
 * For tests that need many authorizations; what a browser does with the pages is tested with a browser.
 */
export interface FetchPerson {
  /** Opens a path or URL of the product. Stops at a redirect that leads elsewhere. */
  go(path: string, init?: RequestInit): Promise<Response>
  /** Sends a form of the product, as its own pages do. */
  submit(path: string, fields: URLSearchParams): Promise<Response>
  /** Opens a page and reads its form (the first, or the first of an action), with everything that is ticked. */
  formOf(path: string, action?: string): Promise<URLSearchParams>
  signIn(link: string): Promise<void>
  /** Opens an authorization URL, allows, and gives the URL that the app is called back with. */
  allow(authorizationUrl: string): Promise<URL>
  /** As the browser would send them. */
  cookies(): ReadonlyMap<string, string>
}

const FORM = 'application/x-www-form-urlencoded'

export function personByFetch(origin: string): FetchPerson {
  const jar = new Map<string, string>()

  async function go(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, origin)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split(/=(.*)/) ?? []
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, url)
    if (next?.origin !== origin) return response
    await response.body?.cancel()
    return go(next.href)
  }

  const submit = (path: string, fields: URLSearchParams) =>
    go(path, {
      method: 'POST',
      headers: { 'content-type': FORM, origin, 'sec-fetch-site': 'same-origin' },
      body: fields.toString(),
    })

  const formOf = async (path: string, action = '') => hiddenAndTicked(await (await go(path)).text(), action)

  return {
    go,
    submit,
    formOf,
    cookies: () => jar,
    async signIn(link) {
      const response = await submit(
        '/sign-in/link',
        new URLSearchParams({ token: new URL(link).hash.slice(1) }),
      )
      if (!response.ok) throw new Error(`the sign-in link was refused: ${response.status}`)
    },
    async allow(authorizationUrl) {
      const form = await formOf(authorizationUrl)
      form.set('decision', 'allow')
      const answer = await submit('/oauth/consent', form)
      const location = await calledBack(answer)
      if (!location) throw new Error(`consent gave ${answer.status}`)
      return location
    },
  }
}

/** Where an answer to the consent form sends the app; `undefined` when it is a page of its own. */
export async function calledBack(answer: Response): Promise<URL | undefined> {
  const location = answer.headers.get('location') ?? continueLink(await answer.text())
  return location === undefined || location === null ? undefined : new URL(location)
}

/** Where the page leads that stands before an app of this machine: the person has to click. */
const continueLink = (markup: string): string | undefined =>
  /<a\b[^>]*\bid="oauth-continue"[^>]*>/
    .exec(markup)?.[0]
    .match(/\bhref="([^"]*)"/)?.[1]
    ?.replaceAll('&amp;', '&')

/** The fields of a form as it stands: hidden ones, and boxes that are ticked. */
function hiddenAndTicked(markup: string, action: string): URLSearchParams {
  const fields = new URLSearchParams()
  const forms = markup.match(/<form\b[^>]*method="post"[\s\S]*?<\/form>/gi) ?? []
  const form = forms.find((found) => found.includes(`action="${action}`)) ?? ''
  for (const [input] of form.matchAll(/<input\b[^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(input)?.[1]
    const name = attribute('name')
    const ticked = attribute('type') === 'checkbox' && /\bchecked\b/.test(input)
    if (name && (attribute('type') === 'hidden' || ticked)) fields.append(name, attribute('value') ?? '')
  }
  return fields
}

/** The form for a new personal access token, filled in. */
export async function tokenForm(person: FetchPerson, name: string): Promise<URLSearchParams> {
  const form = await person.formOf('/dashboard/tokens', '/dashboard/tokens/create')
  form.set('name', name)
  form.set('days', '7')
  return form
}

/** Makes a personal access token with the scopes that are ticked. */
export async function createTokenByFetch(person: FetchPerson, name = 'Of a test'): Promise<string> {
  const page = await person.submit('/dashboard/tokens/create', await tokenForm(person, name))
  const [token] = /gth_pat_[\w.-]+/.exec(await page.text()) ?? []
  if (!token) throw new Error(`no token was made: ${page.status}`)
  return token
}

/** The button of a connection's or a token's row on the dashboard: pressing it ends that. */
export async function endButton(person: FetchPerson, what: 'connection' | 'token', id: string) {
  const page = what === 'token' ? '/dashboard/tokens' : '/dashboard'
  const action = `/dashboard/${what}s/end`
  const form = await person.formOf(page, action)
  form.set(what, id)
  return () => person.submit(action, form)
}

/** Hands a token back (RFC 7009). */
export const revokeByFetch = (
  origin: string,
  { clientId, token }: { readonly clientId: string; readonly token: string },
): Promise<Response> =>
  fetch(`${origin}/oauth/revoke`, {
    method: 'POST',
    headers: { 'content-type': FORM },
    body: new URLSearchParams({ token, client_id: clientId }).toString(),
  })

/** An authorization on its way: what the app needs for redeeming the code. */
export interface Redeemable {
  readonly clientId: string
  readonly redirectUri: string
  readonly verifier: string
  readonly code: string
}

/** Registers an app and lets the person allow it. */
export async function authorizeByFetch(
  origin: string,
  person: FetchPerson,
  redirectUri = 'http://127.0.0.1:9/callback',
): Promise<Redeemable> {
  const registered = await registerByFetch(origin, redirectUri)
  const verifier = randomBytes(32).toString('base64url')
  const answer = await person.allow(authorizationUrl(origin, { ...registered, verifier }))
  return { ...registered, verifier, code: answer.searchParams.get('code') ?? '' }
}

/** Registers a public app. */
export async function registerByFetch(origin: string, redirectUri: string, name = 'App of a test') {
  const response = await fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    }),
  })
  const { client_id: clientId } = (await response.json()) as { client_id: string }
  return { clientId, redirectUri }
}

/** The URL that the app opens in the person's browser. */
export function authorizationUrl(
  origin: string,
  app: { readonly clientId: string; readonly redirectUri: string; readonly verifier: string },
): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: app.clientId,
    redirect_uri: app.redirectUri,
    code_challenge: createHash('sha256').update(app.verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'test',
  })
  return `${origin}/oauth/authorize?${query}`
}

/** What the token endpoint answered. */
export interface TokenAnswer {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: {
    readonly access_token?: string
    readonly refresh_token?: string
    readonly error?: string
  }
}

/** Redeems a code. */
export const redeemByFetch = (origin: string, redeemable: Redeemable): Promise<TokenAnswer> =>
  askForTokens(origin, {
    grant_type: 'authorization_code',
    code: redeemable.code,
    code_verifier: redeemable.verifier,
    client_id: redeemable.clientId,
    redirect_uri: redeemable.redirectUri,
  })

/** Uses a refresh token. */
export const refreshByFetch = (
  origin: string,
  { clientId, refreshToken }: { readonly clientId: string; readonly refreshToken: string },
): Promise<TokenAnswer> =>
  askForTokens(origin, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId })

async function askForTokens(origin: string, fields: Record<string, string>): Promise<TokenAnswer> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': FORM },
    body: new URLSearchParams(fields).toString(),
  })
  const body = (await response.json()) as TokenAnswer['body']
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body }
}
