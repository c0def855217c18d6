import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { ERAS, listNotes } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  calledBack,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
  registerByFetch,
  type TokenAnswer,
} from '#test/support/person-by-fetch'

const CALLBACK = 'http://127.0.0.1:9/callback'
const VERIFIER = 'v'.repeat(43)

let pair: Pair
let person: FetchPerson
let members = 0
beforeAll(async () => {
  pair = await startPair({ RATE_LIMIT_PER_MINUTE: '1000000' })
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
  const { token } = await connect()
  for (const _ of pair.instances) await listNotes(pair.origin, token)
})
afterAll(() => pair.dispose())

/** One step of a person or an app: what stands before it, the step, and what says that it worked. */
interface Step {
  readonly name: string
  /** `page`: HTML for a person. `token`: OAuth JSON. `call`: JSON-RPC. */
  readonly kind: 'page' | 'token' | 'call'
  prepare(): Promise<() => Promise<Response>>
  worked(response: Response): Promise<boolean> | boolean
  /**
   * It may be carried out once only, and the store may have done so without saying: then the person is told, and
   * starting over works.
   */
  readonly once?: true
}

async function connect() {
  const redeemable = await authorizeByFetch(pair.origin, person)
  const { body } = await redeemByFetch(pair.origin, redeemable)
  const { clientId, code } = redeemable
  const [grantId = ''] = code.split('.')
  return { clientId, grantId, token: body.access_token ?? '', refreshToken: body.refresh_token ?? '' }
}

const asResponse = ({ status, retryAfter, body }: TokenAnswer) =>
  Response.json(body, { status, headers: retryAfter === null ? {} : { 'retry-after': retryAfter } })

const waiting = async () =>
  authorizationUrl(pair.origin, {
    ...(await registerByFetch(pair.origin, CALLBACK)),
    verifier: VERIFIER,
  })

const isOk = ({ status }: Response) => status === 200
const asksForConsent = async (response: Response) => (await response.text()).includes('name="decision"')
const isAt = (path: string) => (response: Response) => response.ok && new URL(response.url).pathname === path

/** The CSRF token of the forms behind "End". */
async function endCsrf(): Promise<string> {
  const markup = await (await person.go('/dashboard')).text()
  const form = /<form\b[^>]*connections\/end[\s\S]*?<\/form>/.exec(markup)?.[0] ?? ''
  return /name="csrf" value="([^"]*)"/.exec(form)?.[1] ?? ''
}

const steps: Step[] = [
  ...ERAS.map(
    (era): Step => ({
      name: `a call of ${era}`,
      kind: 'call',
      async prepare() {
        const { token } = await connect()
        return () => listNotes(pair.origin, token, era)
      },
      worked: isOk,
    }),
  ),
  {
    name: 'a redemption',
    kind: 'token',
    async prepare() {
      const redeemable = await authorizeByFetch(pair.origin, person)
      return async () => asResponse(await redeemByFetch(pair.origin, redeemable))
    },
    worked: isOk,
  },
  {
    name: 'a refresh',
    kind: 'token',
    async prepare() {
      const app = await connect()
      return async () => asResponse(await refreshByFetch(pair.origin, app))
    },
    worked: isOk,
  },
  {
    name: 'an authorization request with a session',
    kind: 'page',
    async prepare() {
      const url = await waiting()
      return () => person.go(url)
    },
    worked: asksForConsent,
  },
  {
    name: 'the consent page',
    kind: 'page',
    async prepare() {
      const { url } = await person.go(await waiting())
      return () => person.go(url)
    },
    worked: asksForConsent,
  },
  {
    name: 'the answer to the consent page',
    kind: 'page',
    once: true,
    async prepare() {
      const form = await person.formOf(await waiting())
      form.set('decision', 'allow')
      return () => person.submit('/oauth/consent', form)
    },
    worked: async (response) => (await calledBack(response))?.searchParams.has('code') === true,
  },
  {
    name: 'a sign-in link',
    kind: 'page',
    once: true,
    async prepare() {
      const member = personByFetch(pair.origin)
      const token = new URL(await pair.memberLink(`Member ${++members}`)).hash.slice(1)
      return () => member.submit('/sign-in/link', new URLSearchParams({ token }))
    },
    worked: isAt('/sign-in/link'),
  },
  ...['/dashboard', '/dashboard/tokens'].map(
    (path): Step => ({
      name: `the page ${path}`,
      kind: 'page',
      prepare: async () => () => person.go(path),
      worked: isAt(path),
    }),
  ),
  {
    name: 'ending a connection',
    kind: 'page',
    async prepare() {
      const { grantId } = await connect()
      const fields = new URLSearchParams({ csrf: await endCsrf(), connection: grantId })
      return () => person.submit('/dashboard/connections/end', fields)
    },
    worked: (response) => response.ok && new URL(response.url).searchParams.has('ended'),
  },
]

const outages = ['refuse', 'hang', 'answer 500', 'drop request', 'drop reply'] as const

describe.each(outages)('while the store does this: %s', (outage) => {
  /** Does something during an outage. */
  async function during<Value>(act: () => Promise<Value>): Promise<Value> {
    pair.bridge.faults.inject(outage)
    return act().finally(() => pair.bridge.faults.clear())
  }

  it.each(steps)('$name is 503 with Retry-After and works afterwards', async (step) => {
    const act = await step.prepare()
    await expectOutage(await during(act), step.kind)

    const answer = await act()
    const worked = await step.worked(answer.clone())
    if (worked || !step.once) return expect(worked).toBe(true)
    expect(outage).toBe('drop reply')
    expect(answer.status).toBeLessThan(500)
    expect(await step.worked(await (await step.prepare())())).toBe(true)
  })

  it('whoever is signed in stays so, and every connection stands', async () => {
    const app = await connect()
    await during(() =>
      Promise.all([
        listNotes(pair.origin, app.token),
        refreshByFetch(pair.origin, app),
        person.go('/dashboard'),
      ]),
    )
    expect((await listNotes(pair.origin, app.token)).status).toBe(200)
    expect((await refreshByFetch(pair.origin, app)).status).toBe(200)
    expect(isAt('/dashboard')(await person.go('/dashboard'))).toBe(true)
  })

  it('the page that says so leads back once the store answers', async () => {
    const { status, url } = await during(() => person.go('/dashboard/tokens'))
    expect(status).toBe(503)
    expect(isAt('/dashboard/tokens')(await person.go(url))).toBe(true)
  })

  it('what needs no store goes on: metadata, keys, the front page, registration, the way to sign-in', () =>
    during(async () => {
      const paths = [
        '/.well-known/oauth-protected-resource/api/mcp',
        '/.well-known/oauth-authorization-server',
        '/.well-known/jwks.json',
      ]
      for (const path of paths) expect((await fetch(pair.origin + path)).status).toBe(200)
      expect((await person.go('/')).status).toBe(200)
      expect((await listNotes(pair.origin, undefined)).status).toBe(401)
      expect((await listNotes(pair.origin, 'garbage')).status).toBe(401)
      const stranger = personByFetch(pair.origin)
      expect(isAt('/sign-in')(await stranger.go(await waiting()))).toBe(true)
    }))
})

/** Temporary, in the words of whoever asked, and nothing that makes anybody throw something away. */
async function expectOutage(response: Response, kind: Step['kind']): Promise<void> {
  expect(response.status).toBe(503)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(response.headers.get('www-authenticate')).toBeNull()
  expect(response.headers.getSetCookie()).toEqual([])
  if (kind === 'page') expect(response.headers.get('content-type')).toContain('text/html')
  if (kind === 'token') expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' })
  if (kind === 'call') {
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } })
  }
}
