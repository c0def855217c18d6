import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createSessionStore } from '#lib/mcp/sessions/session-store'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { type AdminRig, openRig } from '#test/admin/rig'
import { request, type Tokens } from '#test/support/authorization-server'
import { liveParts } from '#test/support/live-parts'

let rig: AdminRig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

/** A connection of the account that the authorization server's tests call Ada. */
const isAdmitted = async ({ access_token }: Tokens) => (await rig.server.admit(access_token)).ok

describe('a command', () => {
  it.each([
    { command: 'nothing', input: {}, fault: 'There is no command' },
    { command: 'constructor', input: {}, fault: 'There is no command' },
    { command: '__proto__', input: {}, fault: 'There is no command' },
    { command: 'client-create', input: {}, fault: 'name' },
    { command: 'client-create', input: null, fault: 'expected object' },
    { command: 'client-create', input: { name: 'A', redirect: ['http://a.example/'] }, fault: 'https' },
    {
      command: 'client-create',
      input: { name: 'A', redirect: ['https://a.example/'], scope: 'x' },
      fault: 'scope',
    },
    { command: 'client-rotate', input: { id: 'sc_x' }, fault: 'no such client' },
    { command: 'client-delete', input: { id: '../g' }, fault: 'no such client' },
    { command: 'client-block', input: { key: 'dc1_a-client-id' }, fault: 'client key' },
    { command: 'person-block', input: { name: 'Nobody' }, fault: 'no such person' },
    { command: 'person-sign-out', input: { name: '' }, fault: 'no such person' },
    { command: 'connections-end', input: {}, fault: 'Say whose' },
    { command: 'connections-end', input: { person: 'Nobody' }, fault: 'no such person' },
    { command: 'connections-end', input: { all: true, person: 'Ann' }, fault: 'alone' },
  ])('$command with $input does nothing and says why: $fault', async ({ command, input, fault }) => {
    const said = await rig.run(command, input)
    expect(said.startsWith('!')).toBe(true)
    expect(said).toContain(fault)
  })
})

describe('clients', () => {
  it('are created with a secret that is shown once, listed, rotated, blocked and deleted', async () => {
    const input = { name: 'Portal', redirect: ['https://portal.example/cb'], scope: 'notes:read' }
    const made = await rig.run('client-create', input)
    const id = /^Client id: (sc_\S+)$/m.exec(made)?.[1]
    expect(made).toMatch(/^Client secret: gss_\S{43}$/m)

    const listed = await rig.run('client-list')
    expect(listed).toContain(`${id}  active  client_secret_basic,client_secret_post  Portal`)
    expect(listed).toContain('scope notes:read')
    expect(listed).not.toContain('gss_')
    expect(await rig.run('client-rotate', { id })).toMatch(/^Client secret: gss_\S{43}$/m)
    expect(await rig.run('client-block', { key: id })).toContain('blocked')
    expect(await rig.run('client-list')).toContain(`${id}  blocked`)
    expect(await rig.run('client-delete', { id })).toContain('deleted')
    expect(await rig.run('client-list')).toBe('No clients.')
  })

  it('without a secret have none to rotate', async () => {
    const made = await rig.run('client-create', { name: 'P', redirect: ['https://p.example/'], auth: 'none' })
    expect(made).not.toContain('secret')
    expect(await rig.run('client-rotate', { id: made.split(' ').at(-1) })).toBe('!This client has no secret.')
  })
})

describe('connections', () => {
  it('are listed with the key that other commands take, and end by it for everybody', async () => {
    const { clientId, tokens } = await rig.server.connect()
    const [grant] = await rig.server.oauth.listGrants('ada')
    expect(await isAdmitted(tokens)).toBe(true)
    await rig.run('connections-end', { client: grant?.client.key })
    expect(await isAdmitted(tokens)).toBe(false)
    expect((await rig.server.authorize(request(clientId))).status).toBe(303)
  })

  it('of a person are none before the first', async () => {
    await rig.person('Ann')
    expect(await rig.run('connections-list', { person: 'ann' })).toBe('No connections.')
    expect(await rig.run('connections-end', { person: 'Ann' })).toBe('Connections of Ann ended: 0.')
  })

  it.each([
    { command: 'connections-end', input: { all: true } },
    { command: 'keys-emergency', input: {} },
  ])('of everybody end with $command: every account is told so', async ({ command, input }) => {
    const ids = [await rig.person(), await rig.person('Ann')]
    expect(await rig.run(command, input)).toContain('of 2 people')
    for (const id of ids) {
      const check = rig.identity.accountCheck(id, 0)
      expect(check.decide(await rig.server.store.run(check.operation)).ok).toBe(false)
    }
  })
})

describe('people', () => {
  it('are listed, blocked, unblocked and signed out', async () => {
    await rig.person()
    const ann = await rig.person('Ann')
    expect(await rig.run('person-list')).toContain(`${ann}  member  active  Ann`)
    expect(await rig.run('person-block', { name: 'ANN' })).toContain('Ann is blocked')
    expect(await rig.run('person-list')).toContain(`${ann}  member  blocked  Ann`)
    expect(await rig.run('person-unblock', { name: ann })).toContain('may sign in again')
    expect(await rig.run('person-sign-out', { name: 'Ann' })).toContain('signed out')
    expect(await rig.run('person-block', { name: 'owner' })).toBe('!The owner cannot be blocked.')
  })
})

describe('sessions', () => {
  const session = (accountId: string): LiveSession => ({
    sid: 'abcdefghijklmnopqrstuv',
    accountId,
    clientKey: 'https://claude.example',
    revision: '2025-11-25',
    client: { name: 'claude-ai', version: '2' },
    capabilities: {},
    issuedAt: rig.server.deps.clock(),
    level: undefined,
    subscriptions: new Set(),
  })

  it('of a person are listed with the app, its revision and when it was used', async () => {
    const ann = await rig.person('Ann')
    expect(await rig.run('sessions-list', { person: 'Ann' })).toBe('No sessions.')
    await sessionStore(rig).begin(session(ann))
    expect(await rig.run('sessions-list', { person: 'Ann' })).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d {2}2025-11-25 {2}https:\/\/claude.example {2}claude-ai 2$/,
    )
    await sessionStore(rig).end(session(ann))
    expect(await rig.run('sessions-list', { person: 'Ann' })).toBe('No sessions.')
  })

  it('are counted by host and revision, with the streams that are open', async () => {
    const ann = await rig.person('Ann')
    expect(await rig.run('sessions-stats')).toContain('No sessions.')
    await sessionStore(rig).begin(session(ann))
    const printed = await rig.run('sessions-stats')
    expect(printed).toContain('Streams open: 0, on 0 instances.')
    expect(printed).toContain('  claude  2025-11-25  used 1  opened 1  ended 0')
    await sessionStore(rig).end(session(ann))
    expect(await rig.run('sessions-stats')).toContain('used 1  opened 1  ended 1')
  })
})

describe('keys', () => {
  it('are listed without their private halves; a rotation says when it signs', async () => {
    await rig.server.oauth.warmUp()
    const said = await rig.run('keys-rotate')
    expect(said).toContain(new Date(rig.server.now() + 300_000).toISOString())
    expect(await rig.run('keys-rotate')).toContain('was published before')
    expect(await rig.run('keys-list')).toMatch(
      /^\S{43} {2}current {2}since \S+\n\S{43} {2}next {2}since \S+$/,
    )
  })

  it('are all replaced in an emergency', async () => {
    const { tokens } = await rig.server.connect()
    const before = await rig.run('keys-list')
    await rig.run('keys-emergency')
    expect((await rig.run('keys-list')).slice(0, 43)).not.toBe(before.slice(0, 43))
    expect(await isAdmitted(tokens)).toBe(false)
  })

  it('are no less replaced, and everybody else’s connections end, while an account cannot be read', async () => {
    const broken = await rig.person()
    const ann = await rig.person('Ann')
    const { store } = rig.server
    await store.run(set(keys.account(broken), '{"v":1'))
    const epoch = async () => JSON.parse((await store.run(get(keys.account(ann)))) ?? '').epoch as number
    const before = await epoch()
    const said = await rig.run('keys-emergency')
    expect(said).toContain(`Accounts that cannot be read: ${broken}.`)
    expect(await epoch()).toBe(before + 1)
    expect(await store.run(get(keys.account(broken)))).toBe('{"v":1')
  })
})

function sessionStore({ server }: AdminRig) {
  const { clock } = server.deps
  return createSessionStore({ ...liveParts(server.store), clock })
}
