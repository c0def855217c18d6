import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CONSENT_MEMORY_DAYS } from '#lib/config/limits'
import type { OAuthSettings } from '#lib/oauth/endpoints/deps'
import {
  type AuthorizationServer,
  ada,
  bob,
  request,
  startAuthorizationServer,
} from '#test/support/authorization-server'
import { createDocumentHosts } from '#test/support/documents'

const APP = 'https://app.example/client.json'
const CALLBACK = 'https://app.example/callback'
const LOOPBACK = 'http://127.0.0.1/callback'
const ELSEWHERE = 'https://other.example/callback'
const document = {
  client_id: APP,
  client_name: 'Doc App',
  redirect_uris: [CALLBACK, LOOPBACK, ELSEWHERE],
  grant_types: ['authorization_code', 'refresh_token'],
}

let server: AuthorizationServer
async function start(settings: Partial<OAuthSettings>) {
  const { fetchDocument } = createDocumentHosts({ [APP]: document })
  server = await startAuthorizationServer({ settings, fetchDocument })
}
beforeEach(() => start({ consentMemory: true }))
afterEach(() => server.close())

const asked = (more: Readonly<Record<string, string>> = {}) => ({
  ...request(APP),
  redirect_uri: CALLBACK,
  ...more,
})
/** What the app redeemed last, and what it got. */
let last: { readonly code: string; readonly refreshToken: string }
/** The person allows on the page, and the app redeems. */
async function allow(query: Readonly<Record<string, string>> = asked(), user = ada) {
  const { tx, csrf, markup } = await server.consentForm(query, user)
  const answer = await server.decide({ tx, csrf, decision: 'allow' }, { user })
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
  const redeemed = await server.redeem(query['client_id'] ?? '', code)
  const { refresh_token: refreshToken } = (await redeemed.json()) as { refresh_token: string }
  last = { code, refreshToken }
  return markup
}
/** Whether the next request is shown to the person, or answered at once. */
async function next(
  query: Readonly<Record<string, string>> = asked(),
  user = ada,
): Promise<'asked' | 'answered'> {
  const response = await server.authorize(query, user)
  expect(response.status).toBe(303)
  const location = response.headers.get('location') ?? ''
  return location.startsWith('/oauth/consent?tx=') ? 'asked' : 'answered'
}

describe('consent that is remembered', () => {
  it('answers the same request at once, with a code that works, and says so beforehand', async () => {
    expect(await next()).toBe('asked')
    expect(await allow()).toContain('Your answer is remembered for 30 days')
    const response = await server.authorize(asked(), ada)
    const answer = new URL(response.headers.get('location') ?? '')
    expect(answer.origin + answer.pathname).toBe(CALLBACK)
    expect([...answer.searchParams.keys()]).toEqual(['code', 'state', 'iss'])
    expect((await server.redeem(APP, answer.searchParams.get('code') ?? '')).status).toBe(200)
    expect(server.audited.filter(({ why }) => why === 'remembered')).toHaveLength(1)
  })

  it.each([
    { what: 'less', more: { scope: 'notes:read' }, becomes: 'answered' },
    { what: 'more', more: { scope: 'notes:read notes:write notes:purge' }, becomes: 'asked' },
    { what: 'the same with prompt=consent', more: { prompt: 'consent' }, becomes: 'asked' },
    { what: 'the same with prompt=login', more: { prompt: 'login' }, becomes: 'asked' },
    { what: 'the same with prompt=none', more: { prompt: 'none' }, becomes: 'answered' },
    { what: 'the answer on this machine', more: { redirect_uri: LOOPBACK }, becomes: 'asked' },
    { what: 'the answer at another host', more: { redirect_uri: ELSEWHERE }, becomes: 'asked' },
  ])('is $becomes when the app wants $what', async ({ more, becomes }) => {
    await allow()
    expect(await next(asked(more))).toBe(becomes)
  })

  it('is each person’s own', async () => {
    await allow()
    expect(await next(asked(), bob)).toBe('asked')
  })

  it('is never kept of an answer to this machine or to another host, nor of a self-registered app', async () => {
    const { client_id } = await server.register()
    for (const query of [
      asked({ redirect_uri: LOOPBACK }),
      asked({ redirect_uri: ELSEWHERE }),
      request(client_id),
    ]) {
      expect(await allow(query)).not.toContain('remembered')
      expect(await next(query)).toBe('asked')
    }
  })

  it.each([
    { what: 'after its days', forget: async () => server.pass(CONSENT_MEMORY_DAYS * 86_400) },
    {
      what: 'when the connection is ended',
      forget: async () => {
        const [grant] = await server.oauth.listGrants('ada')
        await server.oauth.endGrant({ accountId: 'ada', grantId: grant?.id ?? '', why: 'ended_by_owner' })
      },
    },
    {
      what: 'when all connections of the person are ended',
      forget: () => server.oauth.endGrantsOf({ accountId: 'ada', why: 'ended_by_owner' }),
    },
    {
      what: 'when the operator ends all connections of the app',
      forget: async () => {
        const [grant] = await server.oauth.listGrants('ada')
        await server.oauth.clientStanding.endConnections(grant?.client.key ?? '')
      },
    },
    {
      what: 'when the app hands its token back',
      forget: async () => {
        await server.revoke({ client_id: APP, token: last.refreshToken })
      },
    },
    {
      what: 'when a code comes back that was spent',
      forget: async () => {
        expect((await server.redeem(APP, last.code)).status).toBe(400)
      },
    },
    {
      what: 'when the person says no',
      forget: async () => {
        const { tx, csrf } = await server.consentForm(asked({ prompt: 'consent' }))
        await server.decide({ tx, csrf, decision: 'deny' })
      },
    },
  ])('is forgotten $what', async ({ forget }) => {
    await allow()
    expect(await next()).toBe('answered')
    await forget()
    expect(await next()).toBe('asked')
  })

  it('is replaced by the latest answer', async () => {
    await allow()
    await allow(asked({ prompt: 'consent', scope: 'notes:read' }))
    expect(await next(asked({ scope: 'notes:read' }))).toBe('answered')
    expect(await next()).toBe('asked')
  })
})

it('nothing is remembered where the operator did not ask for it', async () => {
  await server.close()
  await start({})
  expect(await allow()).not.toContain('remembered')
  expect(await next()).toBe('asked')
})
