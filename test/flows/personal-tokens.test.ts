import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PERSONAL_TOKENS_MAX } from '#lib/config/limits'
import { createKeyRing } from '#lib/core/key-ring'
import { mintPersonalToken } from '#lib/oauth/personal-token'
import { mintRefreshToken } from '#lib/oauth/refresh-token'
import { keys } from '#lib/store/keys'
import { get, range, set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import {
  type AuthorizationServer,
  ada,
  bob,
  startAuthorizationServer,
} from '#test/support/authorization-server'

const DAY_SECONDS = 86_400

let server: AuthorizationServer
beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(() => server.close())

let made = 0
const once = () => `once-${made++}-`.padEnd(22, 'x')
const ask = (changed: Readonly<Record<string, unknown>> = {}) =>
  server.oauth.createPersonalToken({
    user: ada,
    once: once(),
    name: 'Backup script',
    scopes: ['notes:read'],
    days: 30,
    ...changed,
  })

async function create(changed: Readonly<Record<string, unknown>> = {}) {
  const created = await ask(changed)
  if (!created.ok) throw new Error(created.error)
  const { token, summary } = created.value
  const claims = await server.oauth.readBearer(bearer(token))
  if (!claims.ok || !('secretHash' in claims.value)) throw new Error('the token does not read')
  return { token, summary, claims: claims.value }
}

const bearer = (token: string) =>
  new Request('https://gate.example/api/mcp', { headers: { authorization: `Bearer ${token}` } })

const ended = { ok: false, error: 'grant_ended' }
const invalid = { ok: false, error: { kind: 'invalid_token' } }
const recordOf = (grantId: string) => server.store.run(get(keys.grant(grantId), { fresh: true }))

describe('a call with a personal access token', () => {
  it('is admitted under the name of the token, with the scopes chosen and no others', async () => {
    const { token, summary } = await create()
    expect(await server.admit(token)).toMatchObject({
      ok: true,
      value: {
        client: { key: `pat_${summary.id}`, name: 'Backup script', verified: true },
        scopes: ['notes:read'],
      },
    })
  })

  it('asks the store for nothing to read the token, and once for its grant', async () => {
    const { token } = await create()
    const before = server.requests.length
    const claims = await server.oauth.readBearer(bearer(token))
    expect(server.requests.length).toBe(before)
    if (!claims.ok) throw new Error('refused')
    const check = server.oauth.grantCheck(claims.value)
    check.decide(await server.store.run(check.operation))
    expect(server.requests.length).toBe(before + 1)
  })

  it('is noted as a use at most once a minute', async () => {
    const { token } = await create()
    await server.admit(token)
    const first = server.now()
    server.pass(59)
    await server.admit(token)
    expect(await server.oauth.listPersonalTokens('ada')).toMatchObject([{ lastUsedAt: first }])
    server.pass(1)
    await server.admit(token)
    expect(await server.oauth.listPersonalTokens('ada')).toMatchObject([{ lastUsedAt: server.now() }])
  })

  it('carries the epoch of its owner, which the account is asked for in the same request', async () => {
    const { claims } = await create({ user: { ...ada, epoch: 7 } })
    expect(claims).toMatchObject({ accountId: 'ada', epoch: 7 })
  })

  it('is refused from the second of its expiry, without the store', async () => {
    const { token } = await create({ days: 7 })
    server.pass(7 * DAY_SECONDS - 1)
    expect(await server.admit(token)).toMatchObject({ ok: true })
    server.pass(1)
    const before = server.requests.length
    expect(await server.admit(token)).toEqual(invalid)
    expect(server.requests.length).toBe(before)
    expect(await server.oauth.listPersonalTokens('ada')).toEqual([])
  })

  it('is refused at once after the token was ended', async () => {
    const { token, summary } = await create()
    expect(await server.oauth.endPersonalToken({ accountId: 'ada', grantId: summary.id, why: 'test' })).toBe(
      true,
    )
    expect(await server.admit(token)).toEqual(ended)
    expect(await server.oauth.listPersonalTokens('ada')).toEqual([])
    expect(server.audited.map(({ event }) => event)).toEqual([
      'personal_token_created',
      'personal_token_ended',
    ])
  })
})

describe('a token that was not made here', () => {
  const keyRing = createKeyRing(['a secret of at least thirty-two bytes, first'], 'test')
  const otherRing = createKeyRing(['a secret of at least thirty-two bytes, other'], 'test')

  it('by somebody with a copy of the store alone is refused without the store', async () => {
    const { claims } = await create()
    for (const secret of [claims.secretHash, 'A'.repeat(43)]) {
      const forged = await mintPersonalToken(claims, { secret, keyRing: otherRing })
      const before = server.requests.length
      expect(await server.admit(forged)).toEqual(invalid)
      expect(server.requests.length).toBe(before)
    }
  })

  it('by somebody with AUTH_SECRET alone is refused by the grant', async () => {
    const { claims } = await create()
    expect(await server.admit(await mintPersonalToken(claims, { secret: 'A'.repeat(43), keyRing }))).toEqual(
      ended,
    )
    const invented = { ...claims, grantId: 'g'.repeat(22) }
    expect(
      await server.admit(await mintPersonalToken(invented, { secret: 'A'.repeat(43), keyRing })),
    ).toEqual(ended)
  })

  it('by somebody with both is refused too: the store has only the hash', async () => {
    const { claims } = await create()
    const forged = await mintPersonalToken(claims, { secret: claims.secretHash, keyRing })
    expect(await server.admit(forged)).toEqual(ended)
  })

  it.each([
    { what: 'another account', changed: { accountId: 'bob' } },
    { what: 'another epoch', changed: { epoch: 2 } },
  ])('in the name of $what is refused by the grant', async ({ changed }) => {
    const { token, claims } = await create()
    const secret = token.split('.')[5] ?? ''
    expect(await server.admit(await mintPersonalToken(claims, { secret, keyRing }))).toMatchObject({
      ok: true,
    })
    expect(
      await server.admit(await mintPersonalToken({ ...claims, ...changed }, { secret, keyRing })),
    ).toEqual(ended)
  })

  it('lives no longer than its record, whatever expiry it says', async () => {
    const { token, claims } = await create({ days: 7 })
    const secret = token.split('.')[5] ?? ''
    const longer = await mintPersonalToken(
      { ...claims, expiresAt: claims.expiresAt + DAY_SECONDS },
      { secret, keyRing },
    )
    server.pass(7 * DAY_SECONDS)
    expect(await server.admit(longer)).toEqual(ended)
  })

  it('for the grant of a connection is refused', async () => {
    await server.connect()
    const [connection] = await server.oauth.listGrants('ada')
    const claims = {
      grantId: connection?.id ?? '',
      accountId: 'ada',
      epoch: 1,
      expiresAt: server.now() / 1000 + 60,
    }
    const forged = await mintPersonalToken(claims, { secret: 'A'.repeat(43), keyRing })
    expect(await server.admit(forged)).toEqual(ended)
  })

  it.each([
    {
      what: 'a code',
      form: async (grantId: string) => ({
        grant_type: 'authorization_code',
        code: `${grantId}.${'A'.repeat(43)}`,
        code_verifier: 'v'.repeat(43),
      }),
    },
    {
      what: 'a refresh token',
      form: async (grantId: string) => ({
        grant_type: 'refresh_token',
        refresh_token: await mintRefreshToken({ grantId, generation: 1, salt: 'salt' }, keyRing),
      }),
    },
  ])(
    'made from a personal one as $what is invalid_grant, and the personal one lives on',
    async ({ form }) => {
      const { token, summary } = await create()
      const { client_id } = await server.register()
      const response = await server.token({ client_id, ...(await form(summary.id)) })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
      expect(await server.admit(token)).toMatchObject({ ok: true })
    },
  )
})

describe('making tokens', () => {
  it('keeps nothing of the token that could be sent', async () => {
    const { token, summary } = await create()
    const text = (await recordOf(summary.id)) ?? ''
    for (const part of token.slice('gth_pat_'.length).split('.').slice(5)) expect(text).not.toContain(part)
    for (const value of Object.values(JSON.parse(text) as Record<string, unknown>)) {
      expect(await server.admit(String(value))).toMatchObject({ ok: false })
    }
    expect(JSON.stringify(server.audited)).not.toContain('Backup script')
  })

  it('makes one when the form is sent twice', async () => {
    const form = { once: once() }
    const { token } = await create(form)
    expect(await ask(form)).toEqual({ ok: false, error: 'already_made' })
    expect(await server.admit(token)).toMatchObject({ ok: true })
    expect(await server.oauth.listPersonalTokens('ada')).toHaveLength(1)
  })

  it('makes one of many at once with the same form', async () => {
    const form = { once: once() }
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(form)))
    const tokens = answers.flatMap((answer) => (answer.ok ? [answer.value.token] : []))
    expect(tokens).toHaveLength(1)
    expect(await server.admit(tokens[0] ?? '')).toMatchObject({ ok: true })
  })

  it('gives two people with the same form a token each', async () => {
    const form = { once: once() }
    const [mine, theirs] = [await create(form), await create({ ...form, user: bob })]
    expect(await server.admit(mine.token)).toMatchObject({ ok: true })
    expect(await server.admit(theirs.token)).toMatchObject({ ok: true })
  })

  it('takes its own record, met again after a lost reply, for its own', async () => {
    await server.close()
    server = await startAuthorizationServer({ wrap: sendingTwice })
    const { token } = await create()
    expect(await server.admit(token)).toMatchObject({ ok: true })
  })

  it('stops at the limit, also for many at once, and goes on when one was ended', async () => {
    const answers = await Promise.all(Array.from({ length: PERSONAL_TOKENS_MAX + 10 }, () => ask()))
    expect(answers.filter(({ ok }) => ok).length).toBeLessThanOrEqual(PERSONAL_TOKENS_MAX)
    for (let missing = await room(); missing > 0; missing--) await create()
    expect(await ask()).toEqual({ ok: false, error: 'too_many' })
    expect(await room()).toBe(0)

    const [token] = await server.oauth.listPersonalTokens('ada')
    await server.oauth.endPersonalToken({ accountId: 'ada', grantId: token?.id ?? '', why: 'test' })
    expect(await ask()).toMatchObject({ ok: true })
  })

  it.each([
    { what: 'no name', changed: { name: ' ' }, error: 'name_invalid' },
    { what: 'no scope', changed: { scopes: [] }, error: 'scopes_invalid' },
    { what: 'an unknown scope', changed: { scopes: ['admin'] }, error: 'scopes_invalid' },
    { what: 'an endless life', changed: { days: 0 }, error: 'expiry_invalid' },
    { what: 'no sign of the form', changed: { once: '../../owner' }, error: 'form_invalid' },
  ])('refuses $what and writes nothing', async ({ changed, error }) => {
    const before = server.requests.length
    expect(await ask(changed)).toEqual({ ok: false, error })
    expect(server.requests.length).toBe(before)
  })

  it('offers previews no life beyond that of their accounts', async () => {
    await server.close()
    server = await startAuthorizationServer({ settings: { recordTtlMs: 7 * DAY_SECONDS * 1000 } })
    expect(server.oauth.personalTokenDays).toEqual([7])
    expect(await ask({ days: 30 })).toEqual({ ok: false, error: 'expiry_invalid' })
  })
})

describe('the list of tokens', () => {
  it('is apart from the connections, newest first', async () => {
    await server.connect()
    await create({ name: 'first' })
    server.pass(1)
    await create({ name: 'second' })
    expect((await server.oauth.listPersonalTokens('ada')).map(({ name }) => name)).toEqual([
      'second',
      'first',
    ])
    expect(await server.oauth.listGrants('ada')).toHaveLength(1)
    expect(await server.oauth.listPersonalTokens('bob')).toEqual([])
  })

  it('keeps a token of a year in sight for all of it', async () => {
    await create({ days: 365 })
    server.pass(364 * DAY_SECONDS)
    expect(await server.oauth.listPersonalTokens('ada')).toHaveLength(1)
  })

  it('forgets what has expired', async () => {
    await create({ days: 7 })
    await create({ days: 30 })
    server.pass(8 * DAY_SECONDS)
    await server.oauth.listPersonalTokens('ada')
    const index = range(keys.personalTokensOf('ada'), { limit: 10 })
    expect(await server.store.run(index)).toHaveLength(1)
  })

  it.each([
    {
      who: 'another account',
      end: (grantId: string) => server.oauth.endPersonalToken({ accountId: 'bob', grantId, why: 'test' }),
    },
    {
      who: 'the form of connections',
      end: (grantId: string) => server.oauth.endGrant({ accountId: 'ada', grantId, why: 'test' }),
    },
  ])('is not ended by $who', async ({ end }) => {
    const { token, summary } = await create()
    expect(await end(summary.id)).toBe(false)
    expect(await server.admit(token)).toMatchObject({ ok: true })
  })

  it('does not end a connection', async () => {
    const { tokens } = await server.connect()
    const [connection] = await server.oauth.listGrants('ada')
    const which = { accountId: 'ada', grantId: connection?.id ?? '', why: 'test' }
    expect(await server.oauth.endPersonalToken(which)).toBe(false)
    expect(await server.admit(tokens.access_token)).toMatchObject({ ok: true })
  })

  it('shows members of a record that a later release added to nobody and keeps working with them', async () => {
    const { token, summary } = await create()
    const record = JSON.parse((await recordOf(summary.id)) ?? '{}') as object
    await server.store.run(set(keys.grant(summary.id), JSON.stringify({ ...record, later: true })))
    expect(await server.oauth.listPersonalTokens('ada')).toEqual([summary])
    expect(await server.admit(token)).toMatchObject({ ok: true })
  })
})

const room = async () => PERSONAL_TOKENS_MAX - (await server.oauth.listPersonalTokens('ada')).length

/** A store whose first reply is always lost: every single operation runs twice. */
const sendingTwice = (store: Store): Store => ({
  ...store,
  run: async (operation) => {
    await store.run(operation)
    return store.run(operation)
  },
})
