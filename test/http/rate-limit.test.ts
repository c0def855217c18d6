import { describe, expect, it } from 'vitest'
import { callRateCheck } from '#lib/http/rate-limit'

describe('callRateCheck', () => {
  it('counts every call of a request at once, under the account and the minute', () => {
    const { operation } = callRateCheck({ accountId: 'usr_1', calls: 3, limit: 10, now: 120_000 })
    expect(operation).toEqual({ kind: 'add', key: 'rl:usr_1:2', by: { calls: 3 }, ttlMs: 120_000 })
  })

  it.each([
    { calls: 10, now: 120_000, verdict: { ok: true, value: 10 } },
    { calls: 11, now: 120_000, verdict: { ok: false, error: { retryAfterSeconds: 60 } } },
    { calls: 11, now: 179_999, verdict: { ok: false, error: { retryAfterSeconds: 1 } } },
    { calls: 11, now: 150_500, verdict: { ok: false, error: { retryAfterSeconds: 30 } } },
  ])('decides call $calls of 10 at $now', ({ calls, now, verdict }) => {
    expect(callRateCheck({ accountId: 'usr_1', calls: 1, limit: 10, now }).decide({ calls })).toEqual(verdict)
  })
})
