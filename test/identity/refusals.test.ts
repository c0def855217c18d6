import { afterEach, expect, it } from 'vitest'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { ORIGIN, openRig, type Rig } from '#test/identity/rig'

let rig: Rig
afterEach(() => rig.close())

const MARKUP = '"><script>alert(1)</script>'
type Endpoint = 'signInLink' | 'signInPage' | 'setupCode' | 'signOut'

const post = (endpoint: Endpoint, body: string, headers: Record<string, string> = {}) =>
  rig.identity[endpoint](
    new Request(`${ORIGIN}/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: ORIGIN, ...headers },
      body,
    }),
    { requestId: 'the-code' },
  )
const link = async () => new URL(await mintSignInLink(rig.deps, {})).hash.slice(1)
const signIn = async () => (await post('signInLink', `token=${await link()}`)).headers.get('set-cookie') ?? ''

it.each<{ rule: string; status: number; provoke: () => Promise<Response>; says: string }>([
  {
    rule: 'form_foreign',
    status: 403,
    provoke: () => post('signInLink', '', { origin: 'https://evil.example' }),
    says: 'PUBLIC_URL',
  },
  {
    rule: 'form_unreadable',
    status: 415,
    provoke: () => post('signInLink', 'x', { 'content-type': 'text/plain' }),
    says: 'load the page again',
  },
  {
    rule: 'form_unreadable',
    status: 413,
    provoke: () => post('signOut', 'x'.repeat(17_000)),
    says: 'load the page again',
  },
  {
    rule: 'form_unreadable',
    status: 400,
    provoke: () => post('setupCode', 'code=a&code=b'),
    says: 'load the page again',
  },
  {
    rule: 'link_unreadable',
    status: 400,
    provoke: () => post('signInLink', `token=${encodeURIComponent(MARKUP)}`),
    says: 'sign-in-link',
  },
  {
    rule: 'link_expired',
    status: 400,
    provoke: async () => {
      const token = await link()
      rig.advance(15 * 60_000)
      return post('signInLink', `token=${token}`)
    },
    says: 'works for 15 minutes',
  },
  {
    rule: 'link_used',
    status: 400,
    provoke: async () => {
      const token = await link()
      await post('signInLink', `token=${token}`)
      return post('signInLink', `token=${token}`)
    },
    says: 'works once',
  },
  {
    rule: 'setup_code_wrong',
    status: 400,
    provoke: () => post('setupCode', `code=${encodeURIComponent(MARKUP)}`),
    says: 'OWNER_SETUP_CODE',
  },
  {
    rule: 'setup_code_too_many_attempts',
    status: 429,
    provoke: async () => {
      for (let attempt = 0; attempt < 20; attempt++) await post('setupCode', 'code=wrong')
      return post('setupCode', 'code=wrong')
    },
    says: 'Wait a minute',
  },
  {
    rule: 'setup_code_owned',
    status: 400,
    provoke: async () => {
      await signIn()
      return post('setupCode', 'code=the-code-of-this-server-1')
    },
    says: 'sign-in-link',
  },
  {
    rule: 'form_stale',
    status: 403,
    provoke: async () => {
      const [cookie = ''] = (await signIn()).split(';')
      return post('signOut', `csrf=${encodeURIComponent(MARKUP)}`, { cookie })
    },
    says: 'Load it again',
  },
  {
    rule: 'request_expired',
    status: 400,
    provoke: () =>
      rig.identity.signInPage(new Request(`${ORIGIN}/sign-in?rt=${encodeURIComponent(MARKUP)}`), {
        requestId: 'the-code',
      }),
    says: 'Go back to the app',
  },
])('$rule ($status) says what to do, with a code to quote and nothing of the request', async (refusal) => {
  rig = await openRig({ ownerSetupCode: 'the-code-of-this-server-1' })
  const response = await refusal.provoke()
  expect(response.status).toBe(refusal.status)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.getSetCookie()).toEqual([])
  const markup = await response.text()
  expect(markup).toContain(refusal.says)
  expect(markup).toContain(
    `Rule <span class="code">${refusal.rule}</span> Code <span class="code">the-code</span>`,
  )
  expect(markup).not.toMatch(/<script|alert\(|evil/)
})

it('a server without a setup code says so', async () => {
  rig = await openRig()
  const markup = await (await post('setupCode', 'code=x')).text()
  expect(markup).toContain('setup_code_not_offered')
  expect(markup).toContain('Sign in with a link instead')
})
