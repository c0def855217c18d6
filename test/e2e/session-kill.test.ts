import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { authorizeByFetch, personByFetch, redeemByFetch } from '#test/support/person-by-fetch'
import { newSeed } from '#test/support/seeded'
import { type Ending, makeChaos } from '#test/support/session-chaos'
import type { ClientKind } from '#test/support/session-clients'
import { judge } from '#test/support/session-verdict'

const SOAK = process.env['SOAK'] === '1'
const ROUNDS = Number(process.env['ROUNDS'] ?? (SOAK ? 200 : 10))
/** A machine that stalls can break the time limits once. A fault of ours comes again, and the soak forgives none. */
const RETRIES = SOAK ? 0 : 1
/** Enough that every kill hits several calls, few enough for two cores. */
const KINDS: readonly ClientKind[] = ['v1', 'v2 legacy', 'v2 auto', 'v1', 'v2 legacy', 'v1', 'v2 legacy']

/** With wake-ups off an instance learns what others did by asking, four times a second. */
const setups: readonly { wakeUps: string; rounds: number; env: Record<string, string> }[] = [
  { wakeUps: 'on', rounds: ROUNDS, env: {} },
  { wakeUps: 'off', rounds: SOAK ? ROUNDS : 2, env: { GATEHOUSE_POLL_ONLY: '1' } },
]

describe.each(setups)('with wake-ups $wakeUps, when the instance of a call', ({ wakeUps, rounds, env }) => {
  let pair: Pair
  let token: string
  beforeAll(async () => {
    pair = await startPair({ GATEHOUSE_CONFORMANCE: '1', RATE_LIMIT_PER_MINUTE: '100000', ...env })
    const person = personByFetch(pair.origin)
    await person.signIn(pair.ownerLink)
    const { body } = await redeemByFetch(pair.origin, await authorizeByFetch(pair.origin, person))
    token = body.access_token ?? ''
  })
  afterAll(() => pair.dispose())

  it.for<{ title: string; ending: Ending }>([
    {
      title: 'is killed, nothing comes twice or out of order and nothing older than 150 ms is lost',
      ending: 'SIGKILL',
    },
    { title: 'is stopped and killed 500 ms later, nothing that was said before is lost', ending: 'SIGTERM' },
  ])('$title', { timeout: 60_000 + rounds * 15_000, retry: RETRIES }, async ({ ending }, { skip }) => {
    // Half a minute more for what differs from the others by the poll alone.
    if (ending === 'SIGTERM' && wakeUps === 'off' && !SOAK) skip()
    const seed = newSeed()
    const chaos = await makeChaos(pair, { kinds: KINDS, token, rounds, seed, ending })
    const verdict = judge(chaos)
    console.log(JSON.stringify({ ending, wakeUps, seed, ...verdict }))
    expect(verdict.faults, `seed ${seed}`).toEqual([])
    // Calls were under way whenever an instance went.
    expect(verdict.lost + verdict.results).toBeGreaterThan(rounds)
  })
})
