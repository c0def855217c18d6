import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthenticator } from '#test/support/authenticator'
import { type Pair, startPair } from '#test/support/deployment'
import { ERAS, initialize, listNotes, sessionOf } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  calledBack,
  createTokenByFetch,
  endButton,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
  registerByFetch,
  revokeByFetch,
  type TokenAnswer,
  tokenForm,
} from '#test/support/person-by-fetch'
import type { TcpFault } from '#test/support/tcp-fault-proxy'
import type { BridgeFault } from '#test/support/upstash-bridge'

const CALLBACK = 'http://127.0.0.1:9/callback'
const VERIFIER = 'v'.repeat(43)

/** What stands between the product and Redis, and what may go wrong there. */
const stores = [
  {
    over: 'upstash',
    faults: ['refuse', 'hang', 'answer 500', 'drop request', 'drop reply'],
    inject: (fault: BridgeFault) => pair.bridge.faults.inject(fault),
    clear: () => pair.bridge.faults.clear(),
  },
  {
    over: 'tcp',
    faults: ['refuse', 'hang', 'drop request', 'drop reply'],
    inject: (fault: TcpFault) => pair.wire.inject(fault),
    clear: () => pair.wire.clear(),
  },
] as const

let pair: Pair
let person: FetchPerson
let members = 0

/** One step of a person or an app: what stands before it, the step, and what says that it worked. */
interface Step {
  readonly name: string
  /** `page`: HTML for a person. `token`: OAuth JSON. `call`: JSON-RPC. */
  readonly kind: 'page' | 'token' | 'call'
  prepare(): Promise<() => Promise<Response>>
  /** Asked right after the step. */
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

const isEnded = (response: Response) => response.ok && new URL(response.url).searchParams.has('ended')
const isRefused = async (token: string) => (await listNotes(pair.origin, token)).status === 401

const steps: Step[] = [
  ...ERAS.map(
    (era): Step => ({
      name: `a call of ${era}`,
      kind: 'call',
      async prepare() {
        const { token } = await connect()
        if (era === '2025-11-25') await sessionOf(pair.origin, token)
        return () => listNotes(pair.origin, token, era)
      },
      worked: isOk,
    }),
  ),
  {
    name: 'the beginning of a session of 2025-11-25',
    kind: 'call',
    async prepare() {
      const { token } = await connect()
      return () => initialize(pair.origin, token)
    },
    worked: async (response) => isOk(response) && response.headers.has('mcp-session-id'),
  },
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
  ...['/dashboard', '/dashboard/tokens', '/dashboard/account'].map(
    (path): Step => ({
      name: `the page ${path}`,
      kind: 'page',
      prepare: async () => () => person.go(path),
      worked: isAt(path),
    }),
  ),
  {
    name: 'a new passkey',
    kind: 'page',
    once: true,
    async prepare() {
      const form = await newPasskeyForm(person, createAuthenticator(pair.origin))
      return () => person.submit('/sign-in/passkey/new', form)
    },
    worked: isAt('/dashboard/account'),
  },
  {
    name: 'a passkey',
    kind: 'page',
    once: true,
    async prepare() {
      const authenticator = createAuthenticator(pair.origin)
      const member = await newMember()
      await member.submit('/sign-in/passkey/new', await newPasskeyForm(member, authenticator))
      const stranger = personByFetch(pair.origin)
      const headers = { origin: pair.origin }
      const asked = await stranger.go('/sign-in/passkey/options', { method: 'POST', headers })
      const { options, state } = await asked.json()
      const form = new URLSearchParams({ state, credential: authenticator.get(options) })
      return () => stranger.submit('/sign-in/passkey', form)
    },
    worked: isAt('/dashboard'),
  },
  {
    name: 'new recovery codes',
    kind: 'page',
    once: true,
    async prepare() {
      const form = await person.formOf('/dashboard/account', '/dashboard/account/recovery-codes')
      return () => person.submit('/dashboard/account/recovery-codes', form)
    },
    worked: async (response) => isOk(response) && (await response.text()).includes('id="codes"'),
  },
  {
    name: 'a recovery code',
    kind: 'page',
    once: true,
    async prepare() {
      const action = '/dashboard/account/recovery-codes'
      const member = await newMember()
      const shown = await member.submit(action, await member.formOf('/dashboard/account', action))
      const [code = ''] = /[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}/.exec(await shown.text()) ?? []
      const stranger = personByFetch(pair.origin)
      return () => stranger.submit('/sign-in/recovery-code', new URLSearchParams({ code }))
    },
    worked: isAt('/dashboard/account'),
  },
  {
    name: 'ending a connection',
    kind: 'page',
    prepare: async () => endButton(person, 'connection', (await connect()).grantId),
    worked: isEnded,
  },
  handingBack('access_token'),
  handingBack('refresh_token'),
  {
    name: 'making a personal token',
    kind: 'page',
    once: true,
    async prepare() {
      const form = await tokenForm(person, 'Backup script')
      return () => person.submit('/dashboard/tokens/create', form)
    },
    worked: async (response) => isOk(response) && (await response.text()).includes('gth_pat_'),
  },
  endingToken(),
  {
    name: 'a call with a personal token',
    kind: 'call',
    async prepare() {
      const token = await createTokenByFetch(person)
      return () => listNotes(pair.origin, token)
    },
    worked: isOk,
  },
]

async function newMember(): Promise<FetchPerson> {
  const member = personByFetch(pair.origin)
  await member.signIn(await pair.memberLink(`Member ${++members}`))
  return member
}

/** What the page sends once the browser has made the passkey. */
async function newPasskeyForm(
  { go }: FetchPerson,
  authenticator: ReturnType<typeof createAuthenticator>,
): Promise<URLSearchParams> {
  const page = await (await go('/sign-in/passkey/new')).text()
  const [, encoded = ''] = /data-options="([^"]*)"/.exec(page) ?? []
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
  const credential = authenticator.create(JSON.parse(encoded.replaceAll('&quot;', '"')))
  return new URLSearchParams({ csrf: field('csrf'), state: field('state'), credential, name: 'A device' })
}

/** Revocation (RFC 7009). */
function handingBack(kind: 'access_token' | 'refresh_token'): Step {
  let app: Awaited<ReturnType<typeof connect>>
  return {
    name: `revocation by ${kind}`,
    kind: 'token',
    async prepare() {
      app = await connect()
      const token = kind === 'access_token' ? app.token : app.refreshToken
      return () => revokeByFetch(pair.origin, { ...app, token })
    },
    worked: async (response) => isOk(response) && (await isRefused(app.token)),
  }
}

function endingToken(): Step {
  let token: string
  return {
    name: 'ending a personal token',
    kind: 'page',
    async prepare() {
      token = await createTokenByFetch(person)
      return endButton(person, 'token', token.split('.')[1] ?? '')
    },
    worked: async (response) => isEnded(response) && (await isRefused(token)),
  }
}

describe.each(stores)('over $over', ({ over, faults, inject, clear }) => {
  beforeAll(async () => {
    pair = await startPair({ RATE_LIMIT_PER_MINUTE: '1000000' }, over)
    person = personByFetch(pair.origin)
    await person.signIn(pair.ownerLink)
    const { token } = await connect()
    for (const _ of pair.instances) await listNotes(pair.origin, token)
  })
  afterAll(() => pair.dispose())

  describe.each(faults)('while the store does this: %s', (fault) => {
    /** Does something during an outage. */
    async function during<Value>(act: () => Promise<Value>): Promise<Value> {
      inject(fault as never)
      return act().finally(clear)
    }

    /** Every step is tried in the same outage: one after the other would only wait longer. */
    const tried = new Map<Step, { readonly act: () => Promise<Response>; readonly refusal: Response }>()
    beforeAll(async () => {
      const prepared: (readonly [Step, () => Promise<Response>])[] = []
      for (const step of steps) prepared.push([step, await step.prepare()])
      const refusals = await during(() => Promise.all(prepared.map(([, act]) => act())))
      for (const [index, [step, act]] of prepared.entries())
        tried.set(step, { act, refusal: refusals[index] as Response })
    })

    it.each(steps)('$name is 503 with Retry-After and works afterwards', async (step) => {
      const { act, refusal } = tried.get(step) ?? {}
      if (!act || !refusal) throw new Error('the step was not tried')
      await expectOutage(refusal, step.kind)

      const answer = await act()
      const worked = await step.worked(answer.clone())
      if (worked || !step.once) return expect(worked).toBe(true)
      expect(fault).toBe('drop reply')
      expect(answer.status).toBeLessThan(500)
      expect(await step.worked(await (await step.prepare())())).toBe(true)
    })

    it('whoever is signed in stays so, and every connection and token stands', async () => {
      const app = await connect()
      const own = await createTokenByFetch(person)
      await during(() =>
        Promise.all([
          listNotes(pair.origin, app.token),
          listNotes(pair.origin, own),
          refreshByFetch(pair.origin, app),
          person.go('/dashboard'),
        ]),
      )
      for (const token of [app.token, own]) expect((await listNotes(pair.origin, token)).status).toBe(200)
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
