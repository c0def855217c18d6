import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StaticClientRequest } from '#lib/oauth/static-client'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import {
  type AuthorizationServer,
  CALLBACK,
  request,
  startAuthorizationServer,
  type Tokens,
  VERIFIER,
} from '#test/support/authorization-server'

let server: AuthorizationServer

beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(() => server.close())

async function create(asked: Partial<StaticClientRequest> = {}) {
  const made = await server.another().staticClients.create({
    name: 'Portal',
    redirectUris: [CALLBACK],
    auth: 'secret',
    ...asked,
  })
  if (!made.ok) throw new Error(made.error)
  return { id: made.value.id, secret: made.value.secret ?? '' }
}

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })

/** Redeems a new code, authenticating in one way. */
async function redeem(id: string, how: { header?: Record<string, string>; form?: Record<string, string> }) {
  const code = await server.code(id)
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, ...how.form }
  return server.token(form, how.header)
}
const isAdmitted = async (access_token: string) => (await server.admit(access_token)).ok

describe('a static client', () => {
  it.each([
    { auth: 'secret', way: 'header', status: 200 },
    { auth: 'secret', way: 'form', status: 200 },
    { auth: 'secret', way: 'none', status: 401 },
    { auth: 'basic', way: 'header', status: 200 },
    { auth: 'basic', way: 'form', status: 401 },
    { auth: 'post', way: 'form', status: 200 },
    { auth: 'post', way: 'header', status: 401 },
    { auth: 'none', way: 'none', status: 200 },
    { auth: 'none', way: 'form', status: 401 },
  ] as const)('with --auth $auth that authenticates by $way gets $status', async ({ auth, way, status }) => {
    const { id, secret } = await create({ auth })
    const ways = {
      header: { header: basic(id, secret) },
      form: { form: { client_id: id, client_secret: secret || 'guess' } },
      none: { form: { client_id: id } },
    }
    expect((await redeem(id, ways[way])).status).toBe(status)
  })

  it('refreshes and calls, and is shown as verified', async () => {
    const { id, secret } = await create()
    const tokens = (await (await redeem(id, { header: basic(id, secret) })).json()) as Tokens
    const refreshed = await server.token(
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
      basic(id, secret),
    )
    expect(refreshed.status).toBe(200)
    const admitted = await server.admit(tokens.access_token)
    expect(admitted.ok && admitted.value.client).toMatchObject({ key: id, name: 'Portal', verified: true })
  })

  it('asks for no more than its ceiling', async () => {
    const { id, secret } = await create({ scope: 'notes:read' })
    const tokens = (await (await redeem(id, { header: basic(id, secret) })).json()) as Tokens
    expect(tokens.scope).toBe('notes:read')
  })

  it.each([
    { what: 'the secret of another client', secret: async () => (await create()).secret },
    { what: 'the hash in the store', secret: async (id: string) => hashOf(id) },
    { what: 'nothing', secret: async () => '' },
  ])('is refused with $what', async ({ secret }) => {
    const { id } = await create()
    expect((await redeem(id, { header: basic(id, await secret(id)) })).status).toBe(401)
  })

  it('keeps the secret before the last until the next rotation, or not at all', async () => {
    const { id, secret: first } = await create()
    const { staticClients } = server.oauth
    const rotate = async (dropOld: boolean) => {
      const made = await staticClients.rotate(id, { dropOld })
      return made.ok ? made.value.secret : ''
    }
    const works = async (secret: string) => (await redeem(id, { header: basic(id, secret) })).status === 200
    const second = await rotate(false)
    expect([await works(first), await works(second)]).toEqual([true, true])
    const third = await rotate(false)
    expect([await works(first), await works(second), await works(third)]).toEqual([false, true, true])
    const fourth = await rotate(true)
    expect([await works(third), await works(fourth)]).toEqual([false, true])
  })

  it('takes its connections along when it is deleted, on the next call', async () => {
    const { id, secret } = await create()
    const tokens = (await (await redeem(id, { header: basic(id, secret) })).json()) as Tokens
    expect(await isAdmitted(tokens.access_token)).toBe(true)
    expect(await server.another().staticClients.remove(id)).toBe(true)
    expect(await isAdmitted(tokens.access_token)).toBe(false)
    expect((await server.authorize(request(id))).status).toBe(400)
    expect(await server.oauth.staticClients.list()).toEqual([])
    expect(await server.oauth.staticClients.remove(id)).toBe(false)
  })

  it('is listed without anything that opens it', async () => {
    const { id, secret } = await create()
    const [listed] = await server.oauth.staticClients.list()
    expect(listed).toEqual({
      id,
      name: 'Portal',
      redirectUris: [CALLBACK],
      authMethods: ['client_secret_basic', 'client_secret_post'],
      scopes: undefined,
      secretsSince: [server.now()],
      createdAt: server.now(),
    })
    const stored = await server.store.run(get(keys.staticClient(id)))
    expect(stored).not.toContain(secret)
  })
})

describe('the id of a static client before sign-in', () => {
  it('costs one read and no write', async () => {
    const { id } = await create({ auth: 'none' })
    server.requests.length = 0
    expect((await server.authorize(request(id))).status).toBe(303)
    expect(server.requests.map(({ kinds }) => kinds)).toEqual([['get']])
  })

  it.each([
    { what: 'one that does not exist', id: `sc_${'x'.repeat(22)}`, reads: 1 },
    { what: 'one in no form of ours', id: 'sc_nothing', reads: 0 },
    { what: 'one with a path in it', id: `sc_${'x'.repeat(20)}:g`, reads: 0 },
  ])('is a page of our own for $what, after $reads reads', async ({ id, reads }) => {
    server.requests.length = 0
    const page = await server.authorize(request(id))
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
    expect(server.requests).toHaveLength(reads)
  })

  it('sends nobody to another address than its own', async () => {
    const { id } = await create()
    const page = await server.authorize({ ...request(id), redirect_uri: `${CALLBACK}/x` })
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
  })
})

async function hashOf(id: string): Promise<string> {
  const record = JSON.parse((await server.store.run(get(keys.staticClient(id)))) ?? '{}')
  return record.secrets[0].hash
}
