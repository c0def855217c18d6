import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  type Redeemable,
  redeemByFetch,
  refreshByFetch,
} from '#test/support/person-by-fetch'

let pair: Pair
let person: FetchPerson
beforeAll(async () => {
  pair = await startPair()
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
})
afterAll(() => pair.dispose())

/** Chooses the n-th request, counted from 1. */
function nth(n: number): () => boolean {
  let seen = 0
  return () => ++seen === n
}

/** Requests to the store that an act costs. */
async function costOf(act: () => Promise<unknown>): Promise<number> {
  pair.bridge.counts.reset()
  await act()
  return pair.bridge.counts.requests
}

const authorize = (): Promise<Redeemable> => authorizeByFetch(pair.origin, person)

async function connected(): Promise<{ clientId: string; refreshToken: string }> {
  const redeemable = await authorize()
  const { body } = await redeemByFetch(pair.origin, redeemable)
  return { clientId: redeemable.clientId, refreshToken: body.refresh_token ?? '' }
}

const works = async (accessToken: string | undefined) => (await listNotes(pair.origin, accessToken)).status

describe('an answer of the store that is lost', () => {
  it('at any request of a redemption changes nothing for the app', async () => {
    const first = await authorize()
    const cost = await costOf(() => redeemByFetch(pair.origin, first))
    expect(cost).toBeGreaterThan(0)

    for (let request = 1; request <= cost; request++) {
      const redeemable = await authorize()
      pair.bridge.faults.inject('drop reply', 1, nth(request))
      const { status, body } = await redeemByFetch(pair.origin, redeemable)
      expect({ request, status }).toEqual({ request, status: 200 })
      expect(await works(body.access_token)).toBe(200)
      const renewed = await refreshByFetch(pair.origin, {
        clientId: redeemable.clientId,
        refreshToken: body.refresh_token ?? '',
      })
      expect(renewed.status).toBe(200)
    }
  })

  it('at any request of a refresh changes nothing for the app', async () => {
    const measured = await connected()
    const cost = await costOf(() => refreshByFetch(pair.origin, measured))
    expect(cost).toBeGreaterThan(0)

    for (let request = 1; request <= cost; request++) {
      const app = await connected()
      pair.bridge.faults.inject('drop reply', 1, nth(request))
      const { status, body } = await refreshByFetch(pair.origin, app)
      expect({ request, status }).toEqual({ request, status: 200 })
      expect(await works(body.access_token)).toBe(200)
      const again = await refreshByFetch(pair.origin, { ...app, refreshToken: body.refresh_token ?? '' })
      expect(again.status).toBe(200)
    }
  })

  it('for good, after the refresh was written, is 503 and the same refresh token gives the successor', async () => {
    const app = await connected()
    pair.bridge.faults.inject('drop reply', Number.POSITIVE_INFINITY, (body) => /"eval(sha)?"/i.test(body))
    const refused = await refreshByFetch(pair.origin, app)
    pair.bridge.faults.clear()
    expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })

    const { status, body } = await refreshByFetch(pair.origin, app)
    expect(status).toBe(200)
    expect(await works(body.access_token)).toBe(200)
    const onwards = await refreshByFetch(pair.origin, { ...app, refreshToken: body.refresh_token ?? '' })
    expect(onwards.status).toBe(200)
  })

  it('for good, after the redemption was written, is 503 and the same code is good, once', async () => {
    const redeemable = await authorize()
    pair.bridge.faults.inject('drop reply', Number.POSITIVE_INFINITY, (body) => /"eval(sha)?"/i.test(body))
    const refused = await redeemByFetch(pair.origin, redeemable)
    pair.bridge.faults.clear()
    expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    // The round robin gives this to the other instance, which hears of it from the store.
    const { status, body } = await redeemByFetch(pair.origin, redeemable)
    expect(status).toBe(200)
    expect(await works(body.access_token)).toBe(200)
    expect(await redeemByFetch(pair.origin, redeemable)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    expect(await works(body.access_token)).toBe(401)
  })

  it('with its retry, at a refresh, is 503 and the same refresh token still works afterwards', async () => {
    const app = await connected()
    pair.bridge.faults.inject('drop reply')
    const refused = await refreshByFetch(pair.origin, app)
    pair.bridge.faults.clear()
    expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)

    const { status, body } = await refreshByFetch(pair.origin, app)
    expect(status).toBe(200)
    expect(await works(body.access_token)).toBe(200)
  })
})

describe('an answer of Gatehouse that is lost', () => {
  it('at a refresh gives the same successor to the app that asks again', async () => {
    const app = await connected()
    const lost = await refreshByFetch(pair.origin, app)
    const again = await refreshByFetch(pair.origin, app)
    expect(again.status).toBe(200)
    expect(again.body.refresh_token).toBe(lost.body.refresh_token)
    expect(await works(again.body.access_token)).toBe(200)
    const onwards = await refreshByFetch(pair.origin, {
      ...app,
      refreshToken: again.body.refresh_token ?? '',
    })
    expect(onwards.status).toBe(200)
  })

  it('at a redemption costs the person one more consent and no other connection', async () => {
    const other = await connected()
    const redeemable = await authorize()
    await redeemByFetch(pair.origin, redeemable)
    expect(await redeemByFetch(pair.origin, redeemable)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    expect((await redeemByFetch(pair.origin, await authorize())).status).toBe(200)
    expect((await refreshByFetch(pair.origin, other)).status).toBe(200)
  })
})
