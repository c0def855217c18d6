import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mintAdminToken } from '#lib/admin/admin-token'
import { adminDoor } from '#lib/admin/door'
import { createKeyRing } from '#lib/core/key-ring'
import { type AdminRig, openRig } from '#test/admin/rig'

let rig: AdminRig
let door: (request: Request) => Promise<Response>

beforeEach(async () => {
  rig = await openRig()
  door = adminDoor({ ...rig.server.deps, commands: rig.commands })
})
afterEach(() => rig.close())

const BODY = '{}'
const mint = (command = 'person-list', body = BODY) => mintAdminToken({ command, body }, rig.server.deps)

const knock = (token: string | undefined, { command = 'person-list', body = BODY, method = 'POST' } = {}) =>
  door(
    new Request(`https://gate.example/api/admin/${command}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(method === 'POST' ? { body } : {}),
    }),
  )

describe('the admin door', () => {
  it('carries a command out for the token that was made for it', async () => {
    const response = await knock(await mint())
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(await response.json()).toEqual({ ok: true, lines: ['Nobody has signed in yet.'] })
  })

  it('says why a command cannot be carried out', async () => {
    const body = JSON.stringify({ name: 'Nobody' })
    const response = await knock(await mint('person-block', body), { command: 'person-block', body })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      ok: false,
      message: expect.stringContaining('no such person'),
    })
  })

  it.each([
    { attack: 'no token', knock: () => knock(undefined) },
    { attack: 'garbage', knock: () => knock('garbage') },
    { attack: 'no token and a command that does not exist', knock: () => knock(undefined, { command: 'x' }) },
    { attack: 'a token for another command', knock: async () => knock(await mint('client-list')) },
    {
      attack: 'a token for another body',
      knock: async () => knock(await mint(), { body: '{"name":"Ann"}' }),
    },
    { attack: 'a GET with a good token', knock: async () => knock(await mint(), { method: 'GET' }) },
    { attack: 'a preflight', knock: () => knock(undefined, { method: 'OPTIONS' }) },
    {
      attack: 'a token sealed with another secret',
      knock: async () =>
        knock(
          await mintAdminToken(
            { command: 'person-list', body: BODY },
            { ...rig.server.deps, keyRing: createKeyRing(['another secret'], 'test') },
          ),
        ),
    },
    {
      attack: 'a token of another deployment with the same secret',
      knock: async () =>
        knock(
          await mintAdminToken(
            { command: 'person-list', body: BODY },
            {
              ...rig.server.deps,
              keyRing: createKeyRing(['a secret of at least thirty-two bytes, first'], 'preview'),
            },
          ),
        ),
    },
    {
      attack: 'a value sealed for another purpose',
      knock: async () =>
        knock(
          await rig.server.deps.keyRing.seal('sign-in-link', JSON.stringify({ v: 1, jti: 'a', exp: 9e12 })),
        ),
    },
    {
      attack: 'a sign-in link',
      knock: async () => knock((await rig.identity.mintSignInLink({})).split('#')[1]),
    },
    {
      attack: 'a token after 60 seconds',
      knock: async () => {
        const token = await mint()
        rig.server.pass(60)
        return knock(token)
      },
    },
    {
      attack: 'a token of a clock that is an hour ahead',
      knock: async () => {
        const ahead = { ...rig.server.deps, clock: () => rig.server.now() + 3_600_000 }
        return knock(await mintAdminToken({ command: 'person-list', body: BODY }, ahead))
      },
    },
    { attack: 'a body of 100 kB', knock: async () => knock(await mint(), { body: ' '.repeat(100_000) }) },
  ])('is not there for $attack, and asks the store for nothing', async ({ knock: attempt }) => {
    rig.server.requests.length = 0
    const response = await attempt()
    expect([response.status, await response.text()]).toEqual([404, '{"error":"not_found"}'])
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(rig.server.requests).toEqual([])
  })

  it('opens once for a token, whoever comes first', async () => {
    const token = await mint()
    const statuses = (await Promise.all(Array.from({ length: 10 }, () => knock(token)))).map(
      ({ status }) => status,
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect((await knock(token)).status).toBe(404)
  })
})
