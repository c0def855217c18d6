import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
} from '#test/support/person-by-fetch'

const ROUNDS = process.env['SOAK'] === '1' ? 200 : 10
const RACERS = 50
const ROUND_MS = 20_000

let pair: Pair
let person: FetchPerson
beforeAll(async () => {
  pair = await startPair({ RATE_LIMIT_PER_MINUTE: '1000000' })
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
})
afterAll(() => pair.dispose())

/** Everyone at once, half of them at each instance. */
const race = <Value>(run: (origin: string) => Promise<Value>): Promise<Value[]> =>
  Promise.all(
    Array.from({ length: RACERS }, (_, racer) => run(`http://127.0.0.1:${pair.instances[racer % 2]?.port}`)),
  )

describe(`${RACERS} at once over two instances, ${ROUNDS} rounds`, () => {
  it(
    'on one code: one success, and every other is refused',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const redeemable = await authorizeByFetch(pair.origin, person)
        const answers = await race((origin) => redeemByFetch(origin, redeemable))
        const won = answers.filter(({ status }) => status === 200)
        const refused = answers.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant')
        expect({ round, won: won.length, refused: refused.length }).toEqual({
          round,
          won: 1,
          refused: RACERS - 1,
        })
      }
    },
    ROUNDS * ROUND_MS,
  )

  it(
    'on one refresh token: everyone is given the same successor, and it works',
    async () => {
      const redeemable = await authorizeByFetch(pair.origin, person)
      const { clientId } = redeemable
      const { body } = await redeemByFetch(pair.origin, redeemable)
      let refreshToken = body.refresh_token ?? ''
      for (let round = 0; round < ROUNDS; round++) {
        const current = refreshToken
        const answers = await race((origin) => refreshByFetch(origin, { clientId, refreshToken: current }))
        expect(answers.map(({ status }) => status)).toEqual(Array(RACERS).fill(200))
        const successors = new Set(answers.map((answer) => answer.body.refresh_token))
        expect({ round, successors: successors.size }).toEqual({ round, successors: 1 })
        expect((await listNotes(pair.origin, answers[RACERS - 1]?.body.access_token)).status).toBe(200)
        refreshToken = answers[0]?.body.refresh_token ?? ''
        expect(refreshToken).not.toBe(current)
      }
    },
    ROUNDS * ROUND_MS,
  )
})
