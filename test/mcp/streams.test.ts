import { describe, expect, it } from 'vitest'
import { type After, createStreams } from '#lib/mcp/streams'

describe('the budget of streams', () => {
  const later: { ms: number; act: () => void; cancelled: boolean }[] = []
  const after: After = (ms, act) => {
    const timer = { ms, act, cancelled: false }
    later.push(timer)
    return () => {
      timer.cancelled = true
    }
  }
  const stream = (accountId: string, atMostSeconds = 3600) => ({
    accountId,
    atMostSeconds,
    end: () => undefined,
  })

  it('counts by account and over all', () => {
    const streams = createStreams({ maxSeconds: 240, perAccount: 2, perInstance: 3 }, after)
    const release = streams.hold(stream('alice'))
    streams.hold(stream('alice'))
    expect(streams.hasRoom('alice')).toBe(false)
    expect(streams.hasRoom('bob')).toBe(true)
    streams.hold(stream('bob'))
    expect(streams.hasRoom('carol')).toBe(false)
    release()
    release()
    expect(streams.open).toBe(2)
    expect(streams.hasRoom('alice')).toBe(true)
  })

  it.each([
    { left: 3600, ms: 240_000 },
    { left: 30, ms: 30_000 },
    { left: -1, ms: 0 },
  ])('ends a stream whose token lives $left s after $ms ms', ({ left, ms }) => {
    const streams = createStreams({ maxSeconds: 240, perAccount: 2, perInstance: 3 }, after)
    const release = streams.hold(stream('alice', left))
    expect(later.at(-1)?.ms).toBe(ms)
    release()
    expect(later.at(-1)?.cancelled).toBe(true)
  })
})
