import { createHash, randomBytes } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { expect } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { startLocal } from '#test/support/deployment'
import { type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

export const CALLBACK = 'https://app.example/callback'
export const LOOPBACK = 'http://127.0.0.1/callback'
export const VERIFIER = 'a-verifier-of-these-tests-that-is-long-enough'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const FORM = 'application/x-www-form-urlencoded'

export type Change = Readonly<Record<string, string | undefined>>

/** One built product with its owner signed in, an app, and everything to attack them with. */
export type Target = Awaited<ReturnType<typeof startTarget>>

export async function startTarget(settings: Readonly<Record<string, string>> = {}) {
  const secret = randomBytes(32).toString('base64url')
  const deployment = await startLocal({ env: { AUTH_SECRET: secret, ...settings } })
  const { origin } = deployment
  const keyRing = createKeyRing([secret], 'gatehouse')
  const owner = personByFetch(origin)
  await owner.signIn(deployment.ownerLink)

  /** A sign-in link, as the command line makes it. */
  const linkFor = (member: string) =>
    mintSignInLink({ origin, keyRing, clock: () => Date.now(), random: systemRandom }, { member })

  /** Signs in somebody else, in a browser of their own. */
  async function newMember(member: string): Promise<FetchPerson> {
    const person = personByFetch(origin)
    await person.signIn(await linkFor(member))
    return person
  }

  async function register(metadata: Readonly<Record<string, unknown>> = {}): Promise<Response> {
    return fetch(`${origin}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'App',
        redirect_uris: [CALLBACK, LOOPBACK],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        ...metadata,
      }),
    })
  }
  const idOf = async (response: Response) => ((await response.json()) as { client_id: string }).client_id
  const clientId = await idOf(await register())

  /** An authorization URL: `undefined` leaves a parameter out, a string is added to the raw query. */
  function authorizationUrl(change: Change | string = {}): string {
    const good = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: CALLBACK,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      state: 'a state',
    }
    const all = Object.entries({ ...good, ...(typeof change === 'string' ? {} : change) })
    const kept = all.filter((entry): entry is [string, string] => entry[1] !== undefined)
    return `${origin}/oauth/authorize?${new URLSearchParams(kept)}${typeof change === 'string' ? change : ''}`
  }

  /** The consent form of a fresh request. */
  async function consentForm(person: FetchPerson = owner, change: Change = {}) {
    const page = await person.go(authorizationUrl(change))
    const markup = await page.text()
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(markup)?.[1] ?? ''
    return { markup, page, tx: field('tx'), csrf: field('csrf') }
  }

  /** Sends the form as our page would, but for what is changed. */
  const decide = (
    fields: readonly (readonly [string, string])[],
    {
      person = owner,
      headers = {},
    }: { person?: FetchPerson; headers?: Readonly<Record<string, string>> } = {},
  ) =>
    person.go('/oauth/consent', {
      method: 'POST',
      headers: { 'content-type': FORM, origin, 'sec-fetch-site': 'same-origin', ...headers },
      body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
    })

  /** A fresh code. */
  async function code(change: Change = {}): Promise<string> {
    const { tx, csrf } = await consentForm(owner, change)
    const answer = await decide([
      ['tx', tx],
      ['csrf', csrf],
      ['decision', 'allow'],
    ])
    return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
  }

  const token = (
    form: string | Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
    method = 'POST',
  ) =>
    fetch(`${origin}/oauth/token`, {
      method,
      headers: { 'content-type': FORM, ...headers },
      ...(method === 'GET'
        ? {}
        : { body: typeof form === 'string' ? form : new URLSearchParams(form).toString() }),
    })

  const redemption = (spent: string, change: Readonly<Record<string, string>> = {}) => ({
    grant_type: 'authorization_code',
    client_id: clientId,
    code: spent,
    code_verifier: VERIFIER,
    redirect_uri: CALLBACK,
    ...change,
  })

  return {
    origin,
    owner,
    clientId,
    linkFor,
    newMember,
    register,
    idOf,
    authorizationUrl,
    consentForm,
    decide,
    code,
    token,
    redemption,
    /** Tokens of a fresh connection. */
    async connect(change: Change = {}) {
      const response = await token(redemption(await code(change)))
      return (await response.json()) as { access_token: string; refresh_token: string; scope: string }
    },
    refresh: (refreshToken: string, change: Readonly<Record<string, string>> = {}) =>
      token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...change }),
    log: () => deployment.instances.map((instance) => instance.log()).join(''),
    dispose: () => deployment.dispose(),
  }
}

/** A page of ours that sends nobody anywhere (OAUTH.md, `LOCAL`). */
export async function expectLocal(response: Response, status = 400): Promise<string> {
  expect(response.status).toBe(status)
  expect(response.headers.has('location')).toBe(false)
  expectPageHeaders(response)
  const markup = await response.text()
  expect(markup).not.toMatch(/<script|oauth-continue|evil|http-equiv/i)
  return markup
}

/** The headers of every page of ours (OAUTH.md, `HDR-HTML`). */
export function expectPageHeaders({ headers }: Response): void {
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.has('access-control-allow-origin')).toBe(false)
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|form-action/)
}

/** The answer for the client that a page holds (OAUTH.md, `CB`). */
export async function continueUrl(response: Response): Promise<URL> {
  const markup = await response.text()
  const href = /<a id="oauth-continue"[^>]*href="([^"]*)"/.exec(markup)?.[1] ?? ''
  return new URL(href.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"'))
}

/** Sends what `fetch` would not: a Host of one's own, two headers of one name, a target that is not normalized. */
export function raw(
  origin: string,
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly body: string }> {
  const { port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = plainRequest(
      { host: '127.0.0.1', port, path, headers: headers as Record<string, string | string[]> },
      (incoming) => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', (chunk: string) => {
          body += chunk
        })
        incoming.on('end', () => {
          const pairs = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
            (values ?? []).map((value): [string, string] => [name, value]),
          )
          resolve({ status: incoming.statusCode ?? 0, headers: new Headers(pairs), body })
        })
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}
