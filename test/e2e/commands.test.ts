import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureBuilt } from '#test/support/build'
import { gatehouse } from '#test/support/command-line'
import { startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizationUrl,
  authorizeByFetch,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
} from '#test/support/person-by-fetch'
import { startProduct } from '#test/support/product'

let folder: string
beforeAll(async () => {
  await ensureBuilt()
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-commands-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('commands on the local store', () => {
  it('are carried out here while no server runs, and by the server while one does', async () => {
    const env = { DATA_DIR: join(folder, 'local') }
    const create = ['client', 'create', '--name', 'Portal', '--redirect', 'https://portal.example/cb']
    const made = await gatehouse(create, env)
    expect(made).toMatchObject({ code: 0, faults: '' })
    const id = /^Client id: (\S+)$/m.exec(made.said)?.[1] ?? ''

    const product = await startProduct({ env })
    const running = { ...env, PORT: String(product.port) }
    expect((await gatehouse(['client', 'list'], running)).said).toContain(id)
    const person = personByFetch(product.url)
    await person.signIn(product.ownerLink ?? '')
    const { app, body } = await connect(product.url, person)
    expect((await listNotes(product.url, body.access_token)).status).toBe(200)

    const listed = await gatehouse(['connections', 'list', '--person', 'owner'], running)
    const key = /dcr_\S+/.exec(listed.said)?.[0] ?? ''
    expect(await gatehouse(['client', 'block', key], running)).toMatchObject({ code: 0, faults: '' })
    expect((await listNotes(product.url, body.access_token)).status).toBe(401)
    const page = await person.go(authorizationUrl(product.url, app))
    expect(page.status).toBe(403)
    expect(await page.text()).toContain('client_blocked')

    expect((await gatehouse(['client', 'delete', id], running)).code).toBe(0)
    expect(product.log()).not.toMatch(/gss_|"args"/)
    await product.dispose()
    const after = await gatehouse(['client', 'list'], env)
    expect([after.code, after.said]).toEqual([0, 'No clients.\n'])
  })

  it('say where they looked when the server listens elsewhere', async () => {
    const env = { DATA_DIR: join(folder, 'elsewhere') }
    const product = await startProduct({ env })
    const lost = await gatehouse(['keys', 'list'], { ...env, PORT: '9' })
    expect(lost.code).toBe(1)
    expect(lost.faults).toContain('Set PORT')
    const stranger = await fetch(`${product.url}/api/admin/keys-list`, { method: 'POST', body: '{}' })
    expect([stranger.status, await stranger.json()]).toEqual([404, { error: 'not_found' }])
    await product.dispose()
  })

  it.each([
    { args: ['client'], code: 64 },
    { args: ['client', 'rotate'], code: 64 },
    { args: ['client', 'list', 'extra'], code: 64 },
    { args: ['keys', 'list', '--all'], code: 64 },
    { args: ['connections', 'end'], code: 1 },
    { args: ['help'], code: 0 },
  ])('$args ends with $code and a word of help', async ({ args, code }) => {
    const outcome = await gatehouse(args, { DATA_DIR: join(folder, 'usage') })
    expect(outcome.code).toBe(code)
    expect(outcome.faults).not.toBe('')
  })

  it('read public keys from a file', async () => {
    const env = { DATA_DIR: join(folder, 'keys') }
    const file = join(folder, 'jwks.json')
    writeFileSync(file, JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] }))
    const args = ['client', 'create', '--name', 'Job', '--redirect', 'https://job.example/cb']
    const made = await gatehouse([...args, '--auth', 'private_key_jwt', '--jwks', file], env)
    expect(made.said).toMatch(/^Client id: sc_\S+\n$/)
    const missing = await gatehouse([...args, '--auth', 'private_key_jwt'], env)
    expect([missing.code, missing.faults]).toEqual([1, expect.stringContaining('--jwks')])
  })
})

describe('commands on a shared store', () => {
  it('count on every instance from the next call on', async () => {
    const pair = await startPair()
    const { env } = pair
    const person = personByFetch(pair.origin)
    await person.signIn(pair.ownerLink)
    const everywhere = async (token: string | undefined) =>
      Promise.all(pair.instances.map(async () => (await listNotes(pair.origin, token)).status))

    const first = (await connect(pair.origin, person)).body
    expect(await everywhere(first.access_token)).toEqual([200, 200])
    expect((await gatehouse(['connections', 'end', '--all'], env)).code).toBe(0)
    expect(await everywhere(first.access_token)).toEqual([401, 401])

    const { app, body: second } = await connect(pair.origin, person)
    expect((await gatehouse(['keys', 'rotate'], env)).said).toContain('A new key is published.')
    expect(await everywhere(second.access_token)).toEqual([200, 200])
    const refreshed = await refreshByFetch(pair.origin, {
      clientId: app.clientId,
      refreshToken: second.refresh_token ?? '',
    })
    expect(await everywhere(refreshed.body.access_token)).toEqual([200, 200])

    const emergency = await gatehouse(['keys', 'emergency'], env)
    expect(emergency).toMatchObject({ code: 0, said: expect.stringContaining('dropped') })
    expect(await everywhere(refreshed.body.access_token)).toEqual([401, 401])
    const again = (await connect(pair.origin, person)).body
    expect(await everywhere(again.access_token)).toEqual([200, 200])

    expect((await gatehouse(['person', 'sign-out', 'owner'], env)).code).toBe(0)
    expect(new URL((await person.go('/dashboard')).url).pathname).toBe('/sign-in')
    expect(await everywhere(again.access_token)).toEqual([200, 200])
    await pair.dispose()
  })
})

async function connect(origin: string, person: ReturnType<typeof personByFetch>) {
  const app = await authorizeByFetch(origin, person)
  return { app, body: (await redeemByFetch(origin, app)).body }
}
