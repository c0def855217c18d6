import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN_EXPIRY_TOLERANCE_SECONDS } from '#lib/config/limits'
import { type Pair, startPair } from '#test/support/deployment'
import { ERAS, listNotes, post } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  registerByFetch,
} from '#test/support/person-by-fetch'

/** Long enough for everything here, short enough to be waited for at the end. */
const ACCESS_TOKEN_SECONDS = 20
const QUIET_MS = 400

let pair: Pair
let person: FetchPerson
let token: string
let issuedAt: number
beforeAll(async () => {
  pair = await startPair({ ACCESS_TOKEN_SECONDS: String(ACCESS_TOKEN_SECONDS) })
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
  const { body } = await redeemByFetch(pair.origin, await authorizeByFetch(pair.origin, person))
  token = body.access_token ?? ''
  issuedAt = Date.now()
  // Both instances load their keys and index, and the use is noted, which is due once a minute.
  for (const era of [...ERAS, ...ERAS]) await listNotes(pair.origin, token, era)
})
afterAll(() => pair.dispose())

/** What an act costs at the store, together with what follows it. */
async function cost(act: () => Promise<unknown>): Promise<{ requests: number; commands: number }> {
  await pause(QUIET_MS)
  pair.bridge.counts.reset()
  await act()
  await pause(QUIET_MS)
  const { requests, commands } = pair.bridge.counts
  return { requests, commands }
}

const nothing = { requests: 0, commands: 0 }

describe('requests to the store', () => {
  it.each(ERAS)('are one for a call without a tool of its own in %s', async (era) => {
    const spent = await cost(() => post(pair.origin, { token, era, method: 'tools/list' }))
    expect(spent.requests).toBe(1)
    // Grant, account, client and the two of the rate counter; of 2025 the session, its end and its preferences
    // in the same request. Every 10 s the signing keys besides.
    const commands = era === '2025-11-25' ? 8 : 5
    expect([commands, commands + 1]).toContain(spent.commands)
  })

  it.each(ERAS)('are one for a tool call in %s, besides the one of the tool', async (era) => {
    const spent = await cost(async () => {
      expect((await listNotes(pair.origin, token, era)).status).toBe(200)
    })
    expect(spent.requests).toBe(2)
  })

  it('are none without a token', async () => {
    expect(
      await cost(async () => expect((await listNotes(pair.origin, undefined)).status).toBe(401)),
    ).toEqual(nothing)
  })

  it.each([
    { kind: 'that is no token', forge: () => 'garbage' },
    { kind: 'with another signature', forge: () => `${token.slice(0, -8)}AAAAAAAA` },
    { kind: 'signed with a key of its own', forge: forgedToken },
  ])('are none for a token $kind', async ({ forge }) => {
    const forged = await forge()
    // Of an unknown key one look is allowed in ten seconds: it was taken before.
    for (const _ of pair.instances) await listNotes(pair.origin, forged)
    expect(await cost(async () => expect((await listNotes(pair.origin, forged)).status).toBe(401))).toEqual(
      nothing,
    )
  })

  it('are none for a registration and for an authorization request before sign-in', async () => {
    const stranger = personByFetch(pair.origin)
    const spent = await cost(async () => {
      const app = await registerByFetch(pair.origin, 'https://app.example/callback')
      const page = await stranger.go(authorizationUrl(pair.origin, { ...app, verifier: 'v'.repeat(43) }))
      expect(page.status).toBe(200)
      expect(new URL(page.url).pathname).toBe('/sign-in')
    })
    expect(spent).toEqual(nothing)
  })

  it('are none for an expired token', async () => {
    const expired = issuedAt + (ACCESS_TOKEN_SECONDS + TOKEN_EXPIRY_TOLERANCE_SECONDS + 1) * 1000
    await pause(Math.max(0, expired - Date.now()))
    expect(await cost(async () => expect((await listNotes(pair.origin, token)).status).toBe(401))).toEqual(
      nothing,
    )
  })
})

/** A token in the right form, signed by somebody else. */
async function forgedToken(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  return new SignJWT({ client_id: 'c', scope: 'notes:read', gid: 'g', ev: 0 })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'somebody-elses' })
    .setIssuer(pair.origin)
    .setAudience(`${pair.origin}/api/mcp`)
    .setSubject('usr')
    .setJti('j')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
}
