import { describe, expect, it } from 'vitest'
import { decideRedemption } from '#lib/oauth/redemption'
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
