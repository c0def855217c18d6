import { describe, expect, it } from 'vitest'
import type { SignedIn } from '#lib/core/signed-in'
import { CREATE_TOKEN, createToken } from '#lib/dashboard/create-token'
import { END_TOKEN, endToken } from '#lib/dashboard/end-token'

const origin = 'https://notes.example.com'
const ada: SignedIn = { accountId: 'a-ada', epoch: 1, name: 'Ada', role: 'owner', sessionHash: 's-ada' }
const exchange = { requestId: 'request-1' }
const TOKEN = 'gth_pat_token'

type Created = Awaited<ReturnType<Parameters<typeof createToken>[2]['oauth']['createPersonalToken']>>

const good: Created = {
  ok: true,
  value: {
    token: TOKEN,
    summary: {
      id: 'g1',
      name: 'Backup <b>',
      scopes: ['notes:read'],
      createdAt: 0,
      expiresAt: 30 * 86_400_000,
      lastUsedAt: undefined,
    },
  },
}

/** A dashboard where Ada is signed in by a cookie, and what it was asked to do. */
function setUp(created: Created = good) {
  const asked: unknown[] = []
  const deps = {
    origin,
    serverName: 'Notebook',
    version: '0',
    slug: 'notebook',
    scopes: [{ name: 'notes:read', sentence: 'Read your notes', includes: [] }],
    identity: {
      currentUser: async (request: Request) =>
        request.headers.get('cookie') === 'session=ada' ? ada : undefined,
      checkCsrf: async (session: Pick<SignedIn, 'sessionHash'>, form: { purpose: string; token: string }) =>
        form.token === `${session.sessionHash}/${form.purpose}`,
    },
    oauth: {
      createPersonalToken: async (which: unknown) => {
        asked.push(which)
        return created
      },
      endPersonalToken: async (which: unknown) => {
        asked.push(which)
        return true
      },
    },
  }
  return {
    asked,
    create: (request: Request) => createToken(request, exchange, deps),
    end: (request: Request) => endToken(request, exchange, deps),
  }
}

const createFields = {
  name: 'Backup',
  scope: 'notes:read',
  days: '30',
  once: 'once',
  csrf: `${ada.sessionHash}/${CREATE_TOKEN}`,
}
const endFields = { token: 'g1', csrf: `${ada.sessionHash}/${END_TOKEN}` }

interface Sent {
  readonly body?: string | Record<string, string>
  readonly headers?: Record<string, string>
  readonly method?: string
}

function form({ body = {}, headers = {}, method = 'POST' }: Sent): Request {
  return new Request(`${origin}/dashboard/tokens/form`, {
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

describe('creating a token', () => {
  it('asks for it in the name of the person who is signed in', async () => {
    const { asked, create } = setUp()
    const body = `${new URLSearchParams(createFields)}&scope=notes%3Awrite`
    await create(form({ body }))
    expect(asked).toEqual([
      { user: ada, once: 'once', name: 'Backup', scopes: ['notes:read', 'notes:write'], days: 30 },
    ])
  })

  it('answers the form itself with the token, on a page that is kept nowhere', async () => {
    const response = await setUp().create(form({ body: createFields }))
    expect(response.status).toBe(200)
    expect(response.headers.get('location')).toBeNull()
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    const page = await response.text()
    expect(page).toContain(`<code id="token">${TOKEN}</code>`)
    expect(page).toContain(`<code id="header">Authorization: Bearer ${TOKEN}</code>`)
    expect(page).toContain('Read your notes. It expires in 30 days.')
  })

  it('shows its name as text', async () => {
    const page = await (await setUp().create(form({ body: createFields }))).text()
    expect(page).toContain('Backup &lt;b&gt;')
  })

  it.each([
    { error: 'name_invalid', status: 400, says: 'visible characters' },
    { error: 'scopes_invalid', status: 400, says: 'at least one permission' },
    { error: 'expiry_invalid', status: 400, says: 'when the token expires' },
    { error: 'form_invalid', status: 400, says: 'not a form of the tokens page' },
    { error: 'too_many', status: 409, says: 'as many tokens as one person can have' },
    { error: 'already_made', status: 409, says: 'shown once' },
  ] as const)('says in words what is wrong with $error', async ({ error, status, says }) => {
    const response = await setUp({ ok: false, error }).create(form({ body: createFields }))
    expect(response.status).toBe(status)
    expect(await response.text()).toContain(says)
  })
})

describe('ending a token', () => {
  it('ends it for the person who is signed in and goes back to the list', async () => {
    const { asked, end } = setUp()
    const response = await end(form({ body: endFields }))
    expect(asked).toEqual([{ accountId: 'a-ada', grantId: 'g1', why: 'ended_by_owner' }])
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/dashboard/tokens?ended=g1')
  })
})

describe.each([
  { command: 'create', fields: createFields },
  { command: 'end', fields: endFields },
] as const)('the form that is to $command', ({ command, fields }) => {
  const hostile: readonly (Sent & { readonly what: string; readonly status: number })[] = [
    { what: 'of another site', headers: { origin: 'https://evil.example' }, status: 403 },
    { what: 'of a sandboxed frame', headers: { origin: 'null' }, status: 403 },
    {
      what: 'with the value of another form',
      body: { ...fields, csrf: `${ada.sessionHash}/sign-out` },
      status: 403,
    },
    {
      what: 'with the value of another session',
      body: { ...fields, csrf: fields.csrf.replace('ada', 'eve') },
      status: 403,
    },
    { what: 'without a value', body: { ...fields, csrf: '' }, status: 400 },
    { what: 'with two values', body: `${new URLSearchParams(fields)}&csrf=x`, status: 400 },
    { what: 'as JSON', headers: { 'content-type': 'application/json' }, status: 415 },
    { what: 'with a huge body', body: { ...fields, more: 'x'.repeat(20_000) }, status: 413 },
    { what: 'as a GET', method: 'GET', status: 405 },
    { what: 'of a stranger', headers: { cookie: '' }, status: 303 },
  ]
  it.each(hostile)('$what is refused with $status and does nothing', async ({ status, ...sent }) => {
    const dashboard = setUp()
    const response = await dashboard[command](form({ body: fields, ...sent }))
    expect(response.status).toBe(status)
    expect(dashboard.asked).toEqual([])
    expect(await response.text()).not.toContain(TOKEN)
  })
})
