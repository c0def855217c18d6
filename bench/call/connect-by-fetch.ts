import { createHash, randomBytes } from 'node:crypto'

/**
 * Gets an access token as a host would, with fetch playing the browser: sign in by the owner's link, allow on
 * the consent page, redeem the code.
 */
export async function connectByFetch(
  origin: string,
  ownerLink: string,
  fetch: Fetch = globalThis.fetch,
): Promise<string> {
  const browse = browser(origin, fetch)
  const form = { 'content-type': 'application/x-www-form-urlencoded', origin }
  await browse('/sign-in/link', {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ token: new URL(ownerLink).hash.slice(1) }).toString(),
  })

  const redirect = 'http://127.0.0.1:9/callback'
  const registered = await fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Benchmark',
      redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    }),
  })
  const { client_id: clientId } = (await registered.json()) as { client_id: string }

  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirect,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'bench',
  })
  const page = await browse(`/oauth/authorize?${query}`)
  const answer = await browse('/oauth/consent', {
    method: 'POST',
    headers: form,
    body: allow(await page.text()),
  })
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''

  const redeemed = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      client_id: clientId,
      redirect_uri: redirect,
    }).toString(),
  })
  const { access_token: token } = (await redeemed.json()) as { access_token?: string }
  if (!token) throw new Error(`no token: ${redeemed.status}`)
  return token
}

/** The consent form as it stands, with everything that is ticked, answered with "Allow". */
function allow(markup: string): string {
  const fields = new URLSearchParams({ decision: 'allow' })
  for (const [input] of markup.matchAll(/<input\b[^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(input)?.[1]
    const name = attribute('name')
    const counts =
      attribute('type') === 'hidden' || (attribute('type') === 'checkbox' && /\bchecked\b/.test(input))
    if (name && counts) fields.append(name, attribute('value') ?? '')
  }
  return fields.toString()
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** Keeps cookies and follows redirects within the product; stops at one that leads elsewhere. */
function browser(origin: string, fetch: Fetch) {
  const jar = new Map<string, string>()
  return async function go(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const url = new URL(path, origin)
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split(/=(.*)/) ?? []
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, url)
    return next?.origin === origin ? go(next.href) : response
  }
}
