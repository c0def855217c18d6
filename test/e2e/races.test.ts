import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  calledBack,
  type FetchPerson,
  personByFetch,
  type Redeemable,
  redeemByFetch,
  refreshByFetch,
  registerByFetch,
} from '#test/support/person-by-fetch'

const SOAK = process.env['SOAK'] === '1'
const RACERS = 50
const ROUND_MS = 20_000

/** Redis itself is a second way to the same commands: it is shown once that nothing depends on the way. */
const stores = [
  { over: 'upstash' as const, rounds: SOAK ? 200 : 10 },
  { over: 'tcp' as const, rounds: SOAK ? 200 : 2 },
]

describe.each(stores)('two instances over $over, $rounds rounds', ({ over, rounds }) => {
  let pair: Pair
  let person: FetchPerson
  beforeAll(async () => {
    pair = await startPair({ RATE_LIMIT_PER_MINUTE: '1000000' }, over)
    person = personByFetch(pair.origin)
    await person.signIn(pair.ownerLink)
  })
  afterAll(() => pair.dispose())

  /** Everyone at once, half of them at each instance. */
  const race = <Value>(run: (origin: string) => Promise<Value>, racers = RACERS): Promise<Value[]> =>
    Promise.all(
      Array.from({ length: racers }, (_, racer) =>
        run(`http://127.0.0.1:${pair.instances[racer % 2]?.port}`),
      ),
    )

  async function inRounds(act: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; round < rounds; round++) await act(round)
  }

  it(
    'fifty redemptions of one code: one success, and every other is refused',
    () =>
      inRounds(async (round) => {
        const redeemable = await authorizeByFetch(pair.origin, person)
        const answers = await race((origin) => redeemByFetch(origin, redeemable))
        const won = answers.filter(({ status }) => status === 200)
        const refused = answers.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant')
        expect({ round, won: won.length, refused: refused.length }).toEqual({
          round,
          won: 1,
          refused: RACERS - 1,
        })
        // The code was used twice, so what the one was given has ended.
        expect((await listNotes(pair.origin, won[0]?.body.access_token)).status).toBe(401)
      }),
    rounds * ROUND_MS,
  )

  it(
    'fifty uses of one refresh token: everyone is given the same successor, and every answer works',
    async () => {
      const redeemable = await authorizeByFetch(pair.origin, person)
      const { clientId } = redeemable
      const { body } = await redeemByFetch(pair.origin, redeemable)
      let refreshToken = body.refresh_token ?? ''
      await inRounds(async (round) => {
        const current = refreshToken
        const answers = await race((origin) => refreshByFetch(origin, { clientId, refreshToken: current }))
        expect(answers.map(({ status }) => status)).toEqual(Array(RACERS).fill(200))
        const successors = new Set(answers.map((answer) => answer.body.refresh_token))
        expect({ round, successors: successors.size }).toEqual({ round, successors: 1 })
        const calls = await Promise.all(answers.map((answer) => statusOfCall(answer.body.access_token)))
        expect(calls).toEqual(Array(RACERS).fill(200))
        refreshToken = answers[0]?.body.refresh_token ?? ''
        expect(refreshToken).not.toBe(current)
      })
    },
    rounds * ROUND_MS,
  )

  it(
    'the owner ends a connection while its app refreshes 25 times: it has ended',
    () =>
      inRounds(async () => {
        const redeemable = await authorizeByFetch(pair.origin, person)
        const { clientId } = redeemable
        const first = (await redeemByFetch(pair.origin, redeemable)).body
        const refreshToken = first.refresh_token ?? ''
        const form = await endForm(redeemable)
        const [page, ...answers] = await Promise.all([
          person.submit('/dashboard/connections/end', form),
          ...Array.from({ length: 25 }, (_, racer) =>
            refreshByFetch(`http://127.0.0.1:${pair.instances[racer % 2]?.port}`, { clientId, refreshToken }),
          ),
        ])
        expect(page.status).toBe(200)
        expect(answers.filter(({ status }) => status !== 200 && status !== 400)).toEqual([])

        const bodies = [first, ...answers.map(({ body }) => body)]
        const accessTokens = bodies.flatMap(({ access_token: token }) => token ?? [])
        expect(new Set(await Promise.all(accessTokens.map(statusOfCall)))).toEqual(new Set([401]))
        for (const token of new Set(bodies.flatMap(({ refresh_token }) => refresh_token ?? []))) {
          expect(await refreshByFetch(pair.origin, { clientId, refreshToken: token })).toMatchObject({
            status: 400,
            body: { error: 'invalid_grant' },
          })
        }
      }),
    rounds * ROUND_MS,
  )

  it(
    'the consent form is sent ten times: one code, and it works',
    () =>
      inRounds(async () => {
        const app = await registerByFetch(pair.origin, 'http://127.0.0.1:9/callback')
        const verifier = 'v'.repeat(43)
        const form = await person.formOf(authorizationUrl(pair.origin, { ...app, verifier }))
        form.set('decision', 'allow')
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => person.submit('/oauth/consent', form)),
        )
        const codes = (await Promise.all(answers.map(calledBack))).flatMap(
          (location) => location?.searchParams.get('code') ?? [],
        )
        expect(codes).toHaveLength(1)
        expect(answers.filter(({ status }) => status >= 500)).toEqual([])
        const redeemed = await redeemByFetch(pair.origin, { ...app, verifier, code: codes[0] ?? '' })
        expect(redeemed.status).toBe(200)
      }),
    rounds * ROUND_MS,
  )

  const statusOfCall = async (token: string | undefined) => (await listNotes(pair.origin, token)).status

  /** The form behind "End" of a connection: its id begins its code. */
  async function endForm({ code }: Redeemable): Promise<URLSearchParams> {
    const markup = await (await person.go('/dashboard')).text()
    const connection = code.split('.')[0] ?? ''
    expect(markup).toContain(connection)
    const form = /<form\b[^>]*connections\/end[\s\S]*?<\/form>/.exec(markup)?.[0] ?? ''
    const csrf = /name="csrf" value="([^"]*)"/.exec(form)?.[1] ?? ''
    return new URLSearchParams({ csrf, connection })
  }
})
