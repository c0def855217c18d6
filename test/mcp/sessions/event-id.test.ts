import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatRunPlace, formatWireId, isAfter, parseRunPlace, parseWireId } from '#lib/mcp/sessions/event-id'

const xid = fc.stringMatching(/^[\w-]{22}$/)
const epoch = fc.integer({ min: 1, max: 999_999_999 })
const number = fc.integer({ min: 0, max: 999_999_999 })

describe('ids that we give out', () => {
  it('for places in a stream are read as they were written', () => {
    fc.assert(
      fc.property(xid, epoch, number, (name, era, seq) => {
        const place = { xid: name, epoch: era, seq }
        expect(parseRunPlace(formatRunPlace(place))).toEqual(place)
      }),
    )
  })

  it('for requests of ours are read as they were written', () => {
    fc.assert(
      fc.property(xid, epoch, number, fc.boolean(), (name, era, n, parked) => {
        const id = { xid: name, epoch: era, parked, n }
        expect(parseWireId(formatWireId(id))).toEqual(id)
      }),
    )
  })

  it.each([
    '',
    'x',
    '1',
    `${'a'.repeat(22)}_0-1`,
    `${'a'.repeat(22)}_1-01`,
    `${'a'.repeat(21)}_1-1`,
    'g_1-1',
  ])('%j is no place of a stream', (text) => expect(parseRunPlace(text)).toBeUndefined())

  it.each([
    7,
    '7',
    null,
    undefined,
    {},
    `${'a'.repeat(22)}:1`,
    `${'a'.repeat(22)}:1.x0`,
    `${'a'.repeat(22)}:0.1`,
  ])('%j is no request of ours', (id) => expect(parseWireId(id)).toBeUndefined())

  it('are in the order of epoch, then number', () => {
    expect(isAfter({ epoch: 2, seq: 0 }, { epoch: 1, seq: 99 })).toBe(true)
    expect(isAfter({ epoch: 1, seq: 2 }, { epoch: 1, seq: 1 })).toBe(true)
    expect(isAfter({ epoch: 1, seq: 1 }, { epoch: 1, seq: 1 })).toBe(false)
    expect(isAfter({ epoch: 1, seq: 9 }, { epoch: 2, seq: 0 })).toBe(false)
  })
})
