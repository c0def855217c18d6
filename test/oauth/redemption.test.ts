import { describe, expect, it } from 'vitest'
import { decideRedemption, mayBeUnanswered, withoutUnanswered } from '#lib/oauth/redemption'
import { activeGrant, pendingGrant } from '#test/support/grants'

const now = 1_000_000_000_000
const attempt = {
  clientId: 'client',
  redirectUri: undefined,
  codeMatches: true,
  verifierMatches: true,
  requestId: 'second',
}
const activation = { now, refreshMaxSeconds: 90, accessTokenSeconds: 30, salt: 'salt' }

describe('a redemption', () => {
  const wrong = [
    { what: 'the code of another grant', change: { codeMatches: false }, reason: 'code_unknown' },
    { what: 'another client', change: { clientId: 'other' }, reason: 'client_differs' },
    {
      what: 'another redirect',
      change: { redirectUri: 'https://x.example/' },
      reason: 'redirect_uri_differs',
    },
    { what: 'a wrong verifier', change: { verifierMatches: false }, reason: 'verifier_differs' },
  ]
  it.each(wrong)('with $what is refused, whether the code was spent or not', ({ change, reason }) => {
    for (const grant of [pendingGrant(now), activeGrant({ now })]) {
      const decision = decideRedemption(grant, { ...attempt, ...change }, activation)
      expect(decision).toEqual({ outcome: 'refused', reason })
    }
  })

  it.each([
    { after: 59_999, outcome: 'redeemed' },
    { after: 60_000, outcome: 'refused' },
  ])('after $after ms is $outcome', ({ after, outcome }) => {
    const decision = decideRedemption(pendingGrant(now), attempt, { ...activation, now: now + after })
    expect(decision.outcome).toBe(outcome)
  })

  it('makes the grant active, keeps what tells a replay, and forgets what only waited', () => {
    const decision = decideRedemption(pendingGrant(now), attempt, activation)
    expect(decision).toMatchObject({
      outcome: 'redeemed',
      grant: {
        status: 'active',
        redeemedBy: 'second',
        codeHash: 'hash',
        codeChallenge: 'challenge',
        expiresAt: now + 90_000,
        refresh: { salt: 'salt', generation: 1, usedGeneration: 0, superseded: [] },
      },
    })
    expect(decision).not.toHaveProperty('grant.codeExpiresAt')
  })

  it('gives a client without refresh tokens a grant as short as its access token', () => {
    const grant = pendingGrant(now)
    const client = { ...grant.client, grantTypes: ['authorization_code'] }
    const decision = decideRedemption({ ...grant, client }, attempt, activation)
    expect(decision).toMatchObject({ grant: { expiresAt: now + 30_000 } })
    expect(decision).not.toHaveProperty('grant.refresh')
  })

  it('of a spent code is a replay, except for the request that spent it', () => {
    expect(decideRedemption(activeGrant({ now }), attempt, activation)).toEqual({ outcome: 'replayed' })
    const same = { ...attempt, requestId: 'first' }
    expect(decideRedemption(activeGrant({ now }), same, activation)).toMatchObject({ outcome: 'repeated' })
  })

  it('of nothing is refused', () => {
    expect(decideRedemption(undefined, attempt, activation)).toMatchObject({ reason: 'code_unknown' })
  })
})

describe('an unanswered redemption', () => {
  const unanswered = { grantId: 'grant', requestId: 'first', codeExpiresAt: now + 60_000 }

  it('that was carried out leaves the grant as it was before, and says so', () => {
    expect(withoutUnanswered(activeGrant({ now }), unanswered, now + 1000)).toEqual({
      ...pendingGrant(now),
      withdrawn: ['first'],
    })
  })

  it('that was not carried out changes the record, so that it no longer can be', () => {
    const once = withoutUnanswered(pendingGrant(now), unanswered, now)
    expect(once).toEqual({ ...pendingGrant(now), withdrawn: ['first'] })
    expect(withoutUnanswered(once ?? undefined, { ...unanswered, requestId: 'second' }, now)).toEqual({
      ...pendingGrant(now),
      withdrawn: ['first', 'second'],
    })
  })

  it('is taken back once', () => {
    const once = withoutUnanswered(activeGrant({ now }), unanswered, now) ?? undefined
    expect(withoutUnanswered(once, unanswered, now)).toBeUndefined()
  })

  it('takes nothing from the request that was answered', () => {
    const other = { ...unanswered, requestId: 'second' }
    expect(withoutUnanswered(activeGrant({ now }), other, now)).toBeUndefined()
    expect(withoutUnanswered(undefined, unanswered, now)).toBeUndefined()
  })

  it('ends with its code', () => {
    expect(withoutUnanswered(activeGrant({ now }), unanswered, now + 60_000)).toBeNull()
  })

  it.each([
    { what: 'just spent', grant: activeGrant({ now }), after: 0, is: true },
    { what: 'spent as long ago as a code lives', grant: activeGrant({ now }), after: 60_000, is: false },
    { what: 'pending', grant: pendingGrant(now), after: 0, is: false },
  ])('is possible for a grant that is $what: $is', ({ grant, after, is }) => {
    expect(mayBeUnanswered(grant, now + after, 60)).toBe(is)
  })

  it('is not possible for a grant in use', () => {
    const refresh = { salt: 'salt', generation: 1, usedGeneration: 1, superseded: [] }
    expect(mayBeUnanswered(activeGrant({ now, refresh }), now, 60)).toBe(false)
  })
})
