import { describe, expect, it } from 'vitest'
import type { SignedIn } from '#lib/core/signed-in'
import { accountPurposes } from '#lib/dashboard/account'
import { type AccountCommands, accountCommands } from '#lib/dashboard/account-commands'

const origin = 'https://notes.example.com'
const ada: SignedIn = { accountId: 'a-ada', epoch: 1, name: 'Ada', role: 'member', sessionHash: 's-ada' }
const exchange = { requestId: 'request-1' }

type Own = Parameters<typeof accountCommands>[0]['identity']['own']

/** An account page where Ada is signed in by a cookie, and what it was asked to do. */
function setUp(answers: Partial<Own> = {}) {
  const asked: unknown[] = []
  const note =
    <Answer>(answer: Answer) =>
    async (user: SignedIn, ...rest: unknown[]) => {
      asked.push([user.accountId, ...rest])
      return answer
    }
  const done = { ok: true, value: undefined } as const
  const commands = accountCommands({
    origin,
    serverName: 'Notebook',
    version: '0',
    identity: {
      currentUser: async (request) => (request.headers.get('cookie') === 'session=ada' ? ada : undefined),
      checkCsrf: async (session, form) => form.token === `${session.sessionHash}/${form.purpose}`,
      own: {
        renamePasskey: note(done),
        removePasskey: note(done),
        renewRecoveryCodes: note({ ok: true, value: ['AAAAA-BBBBB', 'CCCCC-DDDDD'] } as const),
        endBrowserSession: note(false),
        signOutEverywhere: note(undefined),
        ...answers,
      },
    },
  })
  const send = (name: keyof AccountCommands, request: Request) => commands[name](request, exchange)
  return { asked, send }
}

const csrf = (purpose: keyof typeof accountPurposes) => `s-ada/${accountPurposes[purpose]}`

function form(body: Record<string, string> | string, headers: Record<string, string> = {}, method = 'POST') {
  return new Request(`${origin}/dashboard/account/form`, {
    method,
    headers: {
      origin,
      cookie: 'session=ada',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    ...(method === 'GET' ? {} : { body: new URLSearchParams(body).toString() }),
  })
}

const good: readonly {
  name: keyof AccountCommands
  fields: Record<string, string>
  asks: unknown[]
  leads: string | null
}[] = [
  {
    name: 'renamePasskey',
    fields: { passkey: 'p1', name: 'Desk', csrf: csrf('rename') },
    asks: [{ ref: 'p1', name: 'Desk' }],
    leads: '/dashboard/account?renamed=p1',
  },
  {
    name: 'removePasskey',
    fields: { passkey: 'p1', csrf: csrf('remove') },
    asks: ['p1'],
    leads: '/dashboard/account?removed=p1',
  },
  {
    name: 'renewRecoveryCodes',
    fields: { replaces: 'set', csrf: csrf('codes') },
    asks: ['set'],
    leads: null,
  },
  {
    name: 'endBrowserSession',
    fields: { session: 'x&y', csrf: csrf('session') },
    asks: ['x&y'],
    leads: '/dashboard/account?ended=x%26y',
  },
  { name: 'signOutEverywhere', fields: { csrf: csrf('everywhere') }, asks: [], leads: '/' },
]

describe('a form of the account page', () => {
  it.each(good)('$name does it for the person who is signed in', async ({ name, fields, asks, leads }) => {
    const { asked, send } = setUp()
    const response = await send(name, form(fields))
    expect(asked).toEqual([['a-ada', ...asks]])
    expect(response.headers.get('location')).toBe(leads)
  })

  it.each(good)('$name sends a stranger to sign in', async ({ name, fields }) => {
    const { asked, send } = setUp()
    const response = await send(name, form(fields, { cookie: '' }))
    expect(response.headers.get('location')).toBe('/sign-in')
    expect(asked).toEqual([])
  })

  it.each(
    good.flatMap(({ name, fields }) => [
      {
        name,
        what: 'of another site',
        request: () => form(fields, { origin: 'https://evil.example' }),
        status: 403,
      },
      { name, what: 'without a CSRF value', request: () => form({ ...fields, csrf: '' }), status: 400 },
      {
        name,
        what: 'with the CSRF value of another form',
        request: () => form({ ...fields, csrf: 's-ada/sign-out' }),
        status: 403,
      },
      { name, what: 'by GET', request: () => form(fields, {}, 'GET'), status: 405 },
      {
        name,
        what: 'as JSON',
        request: () => form(fields, { 'content-type': 'application/json' }),
        status: 415,
      },
    ]),
  )('$name $what is refused with $status, and nothing is done', async ({ name, request, status }) => {
    const { asked, send } = setUp()
    const response = await send(name, request())
    expect(response.status).toBe(status)
    expect(await response.text()).toContain('Your account is as it was.')
    expect(asked).toEqual([])
  })

  it.each([
    { name: 'renamePasskey', fields: { name: 'x', csrf: csrf('rename') } },
    { name: 'removePasskey', fields: { csrf: csrf('remove') } },
    { name: 'endBrowserSession', fields: { csrf: csrf('session') } },
  ] as const)('$name without its id is refused', async ({ name, fields }) => {
    const { asked, send } = setUp()
    expect((await send(name, form(fields))).status).toBe(400)
    expect(asked).toEqual([])
  })

  it.each([
    { error: 'last_way_in', status: 409, says: 'last way in' },
    { error: 'passkey_unknown', status: 404, says: 'not in your list' },
  ] as const)('says why a passkey was not removed: $error', async ({ error, status, says }) => {
    const { send } = setUp({ removePasskey: async () => ({ ok: false, error }) })
    const response = await send('removePasskey', form({ passkey: 'p1', csrf: csrf('remove') }))
    expect(response.status).toBe(status)
    expect(await response.text()).toContain(says)
  })

  it('shows new recovery codes on a page that nothing keeps, and not when it is sent twice', async () => {
    const fields = { replaces: '', csrf: csrf('codes') }
    const response = await setUp().send('renewRecoveryCodes', form(fields))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toContain('AAAAA-BBBBB\nCCCCC-DDDDD')

    const { send } = setUp({ renewRecoveryCodes: async () => ({ ok: false, error: 'already_renewed' }) })
    expect((await send('renewRecoveryCodes', form(fields))).status).toBe(409)
  })

  it('leads out of the dashboard whoever signs this browser out', async () => {
    const { send } = setUp({ endBrowserSession: async () => true })
    const response = await send('endBrowserSession', form({ session: 's', csrf: csrf('session') }))
    expect(response.headers.get('location')).toBe('/')
  })
})
