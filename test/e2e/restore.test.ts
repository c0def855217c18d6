import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient, RESP_TYPES } from '@redis/client'
import { describe, expect, it } from 'vitest'
import { ensureBuilt, root } from '#test/support/build'
import { startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizeByFetch,
  createTokenByFetch,
  endButton,
  type FetchPerson,
  personByFetch,
  redeemByFetch,
  refreshByFetch,
} from '#test/support/person-by-fetch'
import { startProduct } from '#test/support/product'

const run = promisify(execFile)

/** The runbook's command, as an operator types it. */
function endAgain(log: string, since: string, env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
  const file = join(folder, 'gatehouse.log')
  writeFileSync(file, log)
  const args = ['bin/gatehouse.ts', 'connections', 'end', '--from-log', file, '--since', since]
  const options = {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' as const, ...env },
  }
  return run(join(root, 'node_modules', '.bin', 'tsx'), args, options).finally(() =>
    rmSync(folder, { recursive: true }),
  )
}

interface App {
  readonly clientId: string
  readonly grantId: string
  refreshToken: string
  accessToken: string
}

async function connect(origin: string, person: FetchPerson): Promise<App> {
  const redeemable = await authorizeByFetch(origin, person)
  const { body } = await redeemByFetch(origin, redeemable)
  const { clientId, code } = redeemable
  return {
    clientId,
    grantId: code.split('.')[0] ?? '',
    refreshToken: body.refresh_token ?? '',
    accessToken: body.access_token ?? '',
  }
}

async function refresh(origin: string, app: App): Promise<number> {
  const { status, body } = await refreshByFetch(origin, app)
  app.refreshToken = body.refresh_token ?? app.refreshToken
  app.accessToken = body.access_token ?? app.accessToken
  return status
}

interface Place {
  readonly origin: string
  readonly person: FetchPerson
  copy(): Promise<void>
  /** Puts the copy back and follows the runbook. */
  restore(since: string): Promise<void>
}

/**
 * Three apps and two tokens, a copy, three refreshes of two of the apps, the end of the third and of a token, and
 * the copy again.
 */
async function goBackInTime({ origin, person, copy, restore }: Place): Promise<void> {
  const [quiet, busy, ended] = [
    await connect(origin, person),
    await connect(origin, person),
    await connect(origin, person),
  ]
  const own = { kept: await createTokenByFetch(person), ended: await createTokenByFetch(person) }
  await copy()
  const since = new Date().toISOString()
  for (let times = 0; times < 3; times++) {
    expect(await refresh(origin, busy)).toBe(200)
    expect((await listNotes(origin, busy.accessToken)).status).toBe(200)
  }
  expect(await refresh(origin, quiet)).toBe(200)
  await (await endButton(person, 'connection', ended.grantId))()
  await (await endButton(person, 'token', own.ended.split('.')[1] ?? ''))()
  for (const token of [ended.accessToken, own.ended])
    expect((await listNotes(origin, token)).status).toBe(401)

  await restore(since)
  for (const app of [quiet, busy]) {
    expect((await listNotes(origin, app.accessToken)).status).toBe(200)
    const before = app.refreshToken
    expect(await refresh(origin, app)).toBe(200)
    expect(app.refreshToken).not.toBe(before)
    expect((await listNotes(origin, app.accessToken)).status).toBe(200)
    expect(await refresh(origin, app)).toBe(200)
  }
  for (const token of [ended.accessToken, own.ended])
    expect((await listNotes(origin, token)).status).toBe(401)
  expect((await listNotes(origin, own.kept)).status).toBe(200)
  expect(await refresh(origin, ended)).toBe(400)
  expect(new URL((await person.go('/dashboard')).url).pathname).toBe('/dashboard')
}

describe('a store that was restored from an older copy', () => {
  it('logs nobody out and brings nothing back: the folder of the local store', async () => {
    await ensureBuilt()
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-restore-'))
    const [data, kept] = [join(folder, 'data'), join(folder, 'copy')]
    const product = await startProduct({ env: { DATA_DIR: data } })
    try {
      const person = personByFetch(product.url)
      await person.signIn(product.ownerLink ?? '')
      await goBackInTime({
        origin: product.url,
        person,
        copy: async () => cpSync(data, kept, { recursive: true, filter: (path) => !path.includes('lock') }),
        async restore(since) {
          await product.stop()
          rmSync(data, { recursive: true })
          cpSync(kept, data, { recursive: true })
          const { stdout } = await endAgain(product.log(), since, { DATA_DIR: data })
          expect(stdout).toContain('carried out again: 2.')
          await product.restart()
        },
      })
    } finally {
      await product.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('logs nobody out and brings nothing back: every key of Redis', async () => {
    const env = { AUTH_SECRET: randomBytes(32).toString('base64url'), KEY_PREFIX: 'test' }
    const pair = await startPair(env)
    const redis = await createClient({
      url: pair.redis.url,
      RESP: 2,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    }).connect()
    try {
      const person = personByFetch(pair.origin)
      await person.signIn(pair.ownerLink)
      const kept: { key: string; ttl: number; value: Buffer }[] = []
      await goBackInTime({
        origin: pair.origin,
        person,
        async copy() {
          for (const found of (await redis.sendCommand(['KEYS', '*'])) as unknown as Buffer[]) {
            const key = found.toString()
            const ttl = Number(await redis.sendCommand(['PTTL', key]))
            const value = (await redis.sendCommand(['DUMP', key])) as unknown as Buffer
            kept.push({ key, ttl: Math.max(0, ttl), value })
          }
        },
        async restore(since) {
          await redis.sendCommand(['FLUSHALL'])
          for (const { key, ttl, value } of kept) {
            await redis.sendCommand(['RESTORE', key, String(ttl), value])
          }
          const log = pair.instances.map((instance) => instance.log()).join('')
          const shell = { ...env, PUBLIC_URL: pair.origin, REDIS_URL: pair.redis.url }
          const { stdout } = await endAgain(log, since, shell)
          expect(stdout).toContain('carried out again: 2.')
        },
      })
    } finally {
      redis.destroy()
      await pair.dispose()
    }
  })
})
