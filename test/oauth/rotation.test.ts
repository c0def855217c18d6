import { describe, expect, it } from 'vitest'
import { type ActiveGrant, grantRecord } from '#lib/oauth/grant'
import { decideRotation, grantLifetimeMs, markUsed } from '#lib/oauth/rotation'
import { activeGrant } from '#test/support/grants'

const GRACE = 60
const DAY = 86_400
const at = 1_000_000_000_000
const rules = { now: at, graceSeconds: GRACE, idleSeconds: 30 * DAY }

/** Generation 5 is current; 3 and 4 were superseded so many seconds ago. */
const grantWith = (agoOf4: number, usedGeneration: number): ActiveGrant =>
  activeGrant({
    now: at,
    refresh: {
      salt: 'salt',
      generation: 5,
      usedGeneration,
      superseded: [
        { generation: 3, at: at - (agoOf4 + 10) * 1000 },
        { generation: 4, at: at - agoOf4 * 1000 },
      ],
    },
  })

describe('a refresh', () => {
  it.each([
    { n: 5, ago: 5000, used: 4, outcome: 'rotated', generation: 6 },
    { n: 5, ago: 5000, used: 5, outcome: 'rotated', generation: 6 },
    { n: 4, ago: 0, used: 5, outcome: 'replayed', generation: 5 },
    { n: 4, ago: 60, used: 5, outcome: 'replayed', generation: 5 },
    { n: 4, ago: 60.001, used: 5, outcome: 'reused', generation: undefined },
    { n: 4, ago: 60.001, used: 4, outcome: 'replayed', generation: 5 },
    { n: 4, ago: 29 * DAY, used: 4, outcome: 'replayed', generation: 5 },
    { n: 3, ago: 50, used: 4, outcome: 'replayed', generation: 5 },
    { n: 3, ago: 50.001, used: 4, outcome: 'reused', generation: undefined },
    { n: 2, ago: 0, used: 4, outcome: 'reused', generation: undefined },
    { n: 1, ago: 0, used: 4, outcome: 'reused', generation: undefined },
    { n: 6, ago: 5000, used: 5, outcome: 'rolled_forward', generation: 7 },
    { n: 900, ago: 5000, used: 5, outcome: 'rolled_forward', generation: 901 },
  ])(
    'with generation $n, 4 superseded $ago s ago and $used seen in use, is $outcome',
    ({ n, ago, used, outcome, generation }) => {
      const decision = decideRotation(grantWith(ago, used), { generation: n, clientId: 'client' }, rules)
      expect(decision).toMatchObject(generation === undefined ? { outcome } : { outcome, generation })
    },
  )

  it('remembers what it superseded, and 8 generations of it', () => {
    let grant: ActiveGrant = grantWith(0, 4)
    for (let generation = 5; generation < 15; generation++) {
      const decision = decideRotation(
        grant,
        { generation, clientId: 'client' },
        { ...rules, now: at + generation },
      )
      if (decision.outcome !== 'rotated') throw new Error(decision.outcome)
      grant = decision.grant
    }
    expect(grant.refresh).toMatchObject({ generation: 15, usedGeneration: 14 })
    expect(grant.refresh?.superseded.map(({ generation }) => generation)).toEqual([
      7, 8, 9, 10, 11, 12, 13, 14,
    ])
    expect(grant.renewedAt).toBe(at + 14)
  })

  it.each([
    { why: 'another client', clientId: 'other', now: at, reason: 'client_differs' },
    { why: 'idle for 30 days', clientId: 'client', now: at + 30 * DAY * 1000, reason: 'grant_expired' },
    {
      why: 'another client with an old token',
      clientId: 'other',
      now: at,
      generation: 1,
      reason: 'client_differs',
    },
  ])('is refused without effect for $why', ({ clientId, now, generation = 5, reason }) => {
    const decision = decideRotation(grantWith(0, 5), { generation, clientId }, { ...rules, now })
    expect(decision).toEqual({ outcome: 'refused', reason })
  })

  it('is refused without a grant, for a pending one, and at the end of its life', () => {
    const presented = { generation: 5, clientId: 'client' }
    expect(decideRotation(undefined, presented, rules)).toMatchObject({ reason: 'grant_unknown' })
    const { refresh: _, ...without } = grantWith(0, 5)
    expect(decideRotation(without, presented, rules)).toMatchObject({ reason: 'grant_unknown' })
    const old = { ...grantWith(0, 5), expiresAt: at }
    expect(decideRotation(old, presented, rules)).toMatchObject({ reason: 'grant_expired' })
  })
})

describe('a call', () => {
  it.each([
    { generation: 5, used: 4, becomes: 5 },
    { generation: 5, used: 5, becomes: undefined },
    { generation: 3, used: 4, becomes: undefined },
    { generation: 9, used: 4, becomes: 5 },
  ])('of generation $generation after $used marks $becomes as used', ({ generation, used, becomes }) => {
    expect(markUsed(grantWith(0, used), generation)?.refresh.usedGeneration).toBe(becomes)
  })
})

describe('the record', () => {
  it('lives as long as it may be idle, and never past its end', () => {
    const idleSeconds = 30 * DAY
    expect(grantLifetimeMs(grantWith(0, 5), { now: at, idleSeconds })).toBe(30 * DAY * 1000)
    const ending = { ...grantWith(0, 5), expiresAt: at + 5 }
    expect(grantLifetimeMs(ending, { now: at, idleSeconds })).toBe(5)
    expect(grantLifetimeMs(ending, { now: at + 9, idleSeconds })).toBe(1)
  })

  it('keeps members of later releases through an edit', () => {
    const later = { ...grantWith(0, 5), toolPermissions: { a: 'deny' } }
    const stored = grantRecord.parse(JSON.parse(JSON.stringify(later)))
    const decision = decideRotation(stored, { generation: 5, clientId: 'client' }, rules)
    expect(decision).toMatchObject({ grant: { toolPermissions: { a: 'deny' } } })
  })
})
