import { describe, expect, it } from 'vitest'
import type { SignedIn } from '#lib/core/signed-in'
import { END_CONNECTION, endConnection } from '#lib/dashboard/end-connection'

const origin = 'https://notes.example.com'
const ada: SignedIn = { accountId: 'a-ada', epoch: 1, name: 'Ada', role: 'owner', sessionHash: 's-ada' }
const exchange = { requestId: 'request-1' }

/** A dashboard where Ada is signed in by a cookie, and what it ended. */
function setUp() {
  const ended: unknown[] = []
  const deps = {
    origin,
    serverName: 'Notebook',
    version: '0',
    identity: {
      currentUser: async (request: Request) =>
        request.headers.get('cookie') === 'session=ada' ? ada : undefined,
      checkCsrf: async (session: Pick<SignedIn, 'sessionHash'>, form: { purpose: string; token: string }) =>
        form.token === `${session.sessionHash}/${form.purpose}`,
    },
    oauth: {
      endGrant: async (which: { accountId: string; grantId: string; why: string }) => {
        ended.push(which)
        return which.grantId === 'g1'
      },
    },
  }
  return { ended, send: (request: Request) => endConnection(request, exchange, deps) }
}

const csrf = `${ada.sessionHash}/${END_CONNECTION}`
const fields = { connection: 'g1', csrf }

function form(
  body: string | Record<string, string> = fields,
  headers: Record<string, string> = {},
  method = 'POST',
): Request {
  return new Request(`${origin}/dashboard/connections/end`, {
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

describe('ending a connection', () => {
  it('ends it for the person who is signed in and goes back to the list', async () => {
    const { ended, send } = setUp()
    const response = await send(form())
    expect(ended).toEqual([{ accountId: 'a-ada', grantId: 'g1', why: 'ended_by_owner' }])
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/dashboard?ended=g1')
  })

  it('is no error when the connection has ended already', async () => {
    const response = await setUp().send(form({ connection: 'gone', csrf }))
    expect(response.status).toBe(303)
  })

  it('keeps an id from forging the way back', async () => {
    const response = await setUp().send(form({ connection: 'x&ended=y#z', csrf }))
    expect(response.headers.get('location')).toBe('/dashboard?ended=x%26ended%3Dy%23z')
  })

  it('sends a person without a session to sign in', async () => {
    const { ended, send } = setUp()
    const response = await send(form(fields, { cookie: '' }))
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/sign-in')
    expect(ended).toEqual([])
  })

  it.each([
    {
      what: 'a form of another site',
      request: form(fields, { origin: 'https://evil.example' }),
      status: 403,
    },
    { what: 'a form of a sandboxed frame', request: form(fields, { origin: 'null' }), status: 403 },
    { what: 'a token of another purpose', request: form({ ...fields, csrf: 's-ada/sign-out' }), status: 403 },
    {
      what: 'a token of another session',
      request: form({ ...fields, csrf: `s-eve/${END_CONNECTION}` }),
      status: 403,
    },
    { what: 'a form without a token', request: form({ connection: 'g1' }), status: 400 },
    { what: 'a form without a connection', request: form({ csrf }), status: 400 },
    {
      what: 'two connections at once',
      request: form(`connection=g1&connection=g2&csrf=${csrf}`),
      status: 400,
    },
    { what: 'JSON', request: form(fields, { 'content-type': 'application/json' }), status: 415 },
    { what: 'a huge body', request: form({ ...fields, more: 'x'.repeat(20_000) }), status: 413 },
    { what: 'a GET', request: form(fields, {}, 'GET'), status: 405 },
  ])('refuses $what with $status as a page to read, and ends nothing', async ({ request, status }) => {
    const { ended, send } = setUp()
    const response = await send(request)
    expect(response.status).toBe(status)
    expect(ended).toEqual([])
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await response.text()
    expect(page).toContain('Nothing was changed')
    expect(page).toContain('request-1')
  })

  it('names the method it takes', async () => {
    const response = await setUp().send(form(fields, {}, 'GET'))
    expect(response.headers.get('allow')).toBe('POST')
  })
})
