import { describe, expect, it } from 'vitest'
import {
  blocked,
  clientStanding,
  endedSoFar,
  GOOD_STANDING,
  standingFault,
  unblocked,
} from '#lib/oauth/client-standing'

describe('how a client stands', () => {
  it.each([
    { what: 'nothing was decided', standing: GOOD_STANDING, fault: undefined },
    { what: 'it was ended', standing: endedSoFar(GOOD_STANDING), fault: 'client_ended' },
    { what: 'it is blocked', standing: blocked(GOOD_STANDING), fault: 'client_blocked' },
    {
      what: 'it was blocked and unblocked',
      standing: unblocked(blocked(GOOD_STANDING)),
      fault: 'client_ended',
    },
    { what: 'it was unblocked without a block', standing: unblocked(GOOD_STANDING), fault: undefined },
  ])('makes what was given before $fault when $what', ({ standing, fault }) => {
    expect(standingFault(standing, undefined)).toBe(fault)
    expect(standingFault(standing, 0)).toBe(fault)
  })

  it('lets what was given after an ending work, until the next', () => {
    const once = endedSoFar(GOOD_STANDING)
    expect(standingFault(once, once.epoch)).toBeUndefined()
    expect(standingFault(endedSoFar(once), once.epoch)).toBe('client_ended')
  })

  it('never lets a blocked client through, under whatever epoch', () => {
    const standing = blocked(GOOD_STANDING)
    for (const epoch of [0, standing.epoch, standing.epoch + 1]) {
      expect(standingFault(standing, epoch)).toBe('client_blocked')
    }
  })

  it('keeps members of a later release', () => {
    const record = clientStanding.parse({ ...GOOD_STANDING, note: 'later' })
    expect(unblocked(blocked(endedSoFar(record)))).toMatchObject({ note: 'later', epoch: 2 })
  })
})
