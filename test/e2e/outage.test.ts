import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { ERAS, listNotes } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
  registerByFetch,
} from '#test/support/person-by-fetch'

let pair: Pair
let person: FetchPerson
let app: { clientId: string; refreshToken: string }
let token: string
beforeAll(async () => {
  pair = await startPair()
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
  const redeemable = await authorizeByFetch(pair.origin, person)
  const { body } = await redeemByFetch(pair.origin, redeemable)
  app = { clientId: redeemable.clientId, refreshToken: body.refresh_token ?? '' }
  token = body.access_token ?? ''
  for (const _ of pair.instances) await listNotes(pair.origin, token)
})
afterAll(() => pair.dispose())

const outages = ['refuse', 'hang', 'answer 500', 'drop reply'] as const

describe.each(outages)('while the store does this: %s', (outage) => {
  beforeAll(() => pair.bridge.faults.inject(outage))

  it.each(ERAS)('a call of %s is 503 with Retry-After and never 401', async (era) => {
    const response = await listNotes(pair.origin, token, era)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } })
  })

  it('a refresh is 503 and says that it is temporary', async () => {
    const answer = await refreshByFetch(pair.origin, app)
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(Number(answer.retryAfter)).toBeGreaterThan(0)
  })

  it('a page for somebody who is signed in is 503 and keeps the session', async () => {
    const client = await registerByFetch(pair.origin, 'https://app.example/callback')
    const url = authorizationUrl(pair.origin, { ...client, verifier: 'v'.repeat(43) })
    const page = await person.go(url)
    expect(page.status).toBe(503)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.getSetCookie()).toEqual([])
  })

  it('what needs no store goes on: metadata, keys, registration, the challenge, the way to sign-in', async () => {
    const paths = [
      '/.well-known/oauth-protected-resource/api/mcp',
      '/.well-known/oauth-authorization-server',
      '/.well-known/jwks.json',
    ]
    for (const path of paths) expect((await fetch(pair.origin + path)).status).toBe(200)
    expect((await listNotes(pair.origin, undefined)).status).toBe(401)
    expect((await listNotes(pair.origin, 'garbage')).status).toBe(401)
    const client = await registerByFetch(pair.origin, 'https://app.example/callback')
    const stranger = personByFetch(pair.origin)
    const url = authorizationUrl(pair.origin, { ...client, verifier: 'v'.repeat(43) })
    expect(new URL((await stranger.go(url)).url).pathname).toBe('/sign-in')
  })

  it('everything works once it is over', async () => {
    pair.bridge.faults.clear()
    expect((await listNotes(pair.origin, token)).status).toBe(200)
    const renewed = await refreshByFetch(pair.origin, app)
    expect(renewed.status).toBe(200)
    app = { ...app, refreshToken: renewed.body.refresh_token ?? '' }
    await expect(authorizeByFetch(pair.origin, person)).resolves.toMatchObject({ code: expect.any(String) })
  })
})
