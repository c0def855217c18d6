import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { mintSignInLink } from '#lib/identity/sign-in-link'
import { type Deployment, startLocal, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizeByFetch,
  createTokenByFetch,
  endButton,
  type FetchPerson,
  personByFetch,
  type Redeemable,
  redeemByFetch,
  refreshByFetch,
  type TokenAnswer,
} from '#test/support/person-by-fetch'

const SOAK = process.env['SOAK'] === '1'
/** Codes that wait for their redemption when the dump is made. */
const WAITING = 20
/** Personal tokens are made by so many flows; every second one is ended. A person may have 50. */
const PERSONAL = SOAK ? 50 : 6
const AT_ONCE = 20
/** The shortest secret, a session cookie, has 43 characters: shorter strings are tried in the soak only. */
const SHORTEST = SOAK ? 8 : 20
/** Parts of a secret that are no id have more characters than this. */
const PART = 40
const env = { RATE_LIMIT_PER_MINUTE: '1000000', CODE_SECONDS: '600' }

/** A deployment whose store can be read from outside. */
interface Readable extends Deployment {
  memberLink(name: string): Promise<string>
  /** Everything in the store: keys and values, as text. */
  dump(): Promise<readonly string[]>
}

const kinds = [
  { store: 'Redis', flows: SOAK ? 1000 : 24, start: onRedis },
  { store: 'the data folder', flows: SOAK ? 200 : 8, start: onLocalStore },
] as const

async function onRedis(): Promise<Readable> {
  const pair = await startPair(env, 'tcp')
  return { ...pair, dump: () => dumpOf(pair.redis.url) }
}

async function onLocalStore(): Promise<Readable> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-dump-'))
  const local = await startLocal({ env: { ...env, DATA_DIR: folder } })
  const secret = readFileSync(join(folder, 'secret'), 'utf8').trim()
  const link = {
    origin: local.origin,
    keyRing: createKeyRing([secret], 'gatehouse'),
    clock: Date.now,
    random: systemRandom,
  }
  return {
    ...local,
    memberLink: (member) => mintSignInLink(link, { member }),
    // The secret has a file of its own, for its owner's eyes, that backups leave out: it is no part of the store.
    async dump() {
      expect(statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600)
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && entry.name !== 'secret',
      )
      const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      return texts.flatMap((text) => leaves(text.split('\n')))
    },
    async dispose() {
      await local.dispose()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let target: Readable
let person: FetchPerson
let waiting: Redeemable[]
let session: string
/** Whatever opened or could have opened something. */
let secrets: string[]

async function live(flows: number) {
  secrets = []
  person = personByFetch(target.origin)
  await person.signIn(target.ownerLink)
  // The banner of each instance shows a link while nobody owns the server: it is there to be used, once.
  for (const { ownerLink } of target.instances.slice(1))
    await personByFetch(target.origin).signIn(ownerLink ?? '')
  const [name = ''] = [...person.cookies().keys()].filter((cookie) => /session/.test(cookie))
  session = name
  secrets.push(person.cookies().get(session) ?? '')
  const every = Math.max(1, flows / PERSONAL)
  await inParallel(
    Array.from({ length: flows }, (_, n) => n),
    async (n) => {
      await wholeFlow()
      if (n % every === 0) await ownToken({ isEnded: n % (2 * every) === 0 })
    },
  )
  waiting = []
  for (let n = 0; n < WAITING; n++) waiting.push(await authorizeByFetch(target.origin, person))
  secrets.push(...waiting.map(({ code }) => code), new URL(await target.memberLink('Unused')).hash)
}

async function inParallel<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>) {
  let next = 0
  const worker = async () => {
    while (next < items.length) await act(items[next++] as Item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function wholeFlow(): Promise<void> {
  const redeemable = await authorizeByFetch(target.origin, person)
  const redeemed = await redeemByFetch(target.origin, redeemable)
  const refreshToken = redeemed.body.refresh_token ?? ''
  const renewed = await refreshByFetch(target.origin, { clientId: redeemable.clientId, refreshToken })
  expect((await listNotes(target.origin, renewed.body.access_token)).status).toBe(200)
  secrets.push(redeemable.code, ...tokensOf(redeemed), ...tokensOf(renewed))
}

const tokensOf = ({ body }: TokenAnswer) => [body.access_token ?? '', body.refresh_token ?? '']

async function ownToken({ isEnded }: { readonly isEnded: boolean }): Promise<void> {
  const token = await createTokenByFetch(person)
  secrets.push(token)
  if (isEnded) await (await endButton(person, 'token', token.split('.')[1] ?? ''))()
  expect((await listNotes(target.origin, token)).status).toBe(isEnded ? 401 : 200)
}

/** Every key and every value of a Redis. */
async function dumpOf(url: string): Promise<string[]> {
  const redis = await createClient({ url, RESP: 2 }).connect()
  try {
    const texts: string[] = []
    for (const key of await redis.keys('*')) {
      const type = await redis.type(key)
      const read: Record<string, string[]> = {
        string: ['GET', key],
        hash: ['HGETALL', key],
        zset: ['ZRANGE', key, '0', '-1'],
        stream: ['XRANGE', key, '-', '+'],
      }
      const command = read[type]
      if (!command) throw new Error(`a key of type ${type}`)
      texts.push(key, ...leaves(await redis.sendCommand(command)))
    }
    return texts
  } finally {
    redis.destroy()
  }
}

/** Every string in a value, and what is written in it as JSON, and the parts between colons and blanks. */
function leaves(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(leaves)
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(leaves)
  if (typeof value !== 'string') return []
  const inside = /^[[{]/.test(value) ? json(value) : undefined
  return [value, ...(inside === undefined ? value.split(/[:\s#]+/) : leaves(inside))]
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Ways in. Each gives whether it let somebody in. */
const ways: Readonly<Record<string, (text: string, like: Redeemable) => Promise<boolean>>> = {
  'access token or personal token': async (text) => (await listNotes(target.origin, text)).status === 200,
  code: async (text, like) => (await redeemByFetch(target.origin, { ...like, code: text })).status === 200,
  'refresh token': async (text, { clientId }) =>
    (await refreshByFetch(target.origin, { clientId, refreshToken: text })).status === 200,
  cookie: async (text) => {
    const headers = { cookie: `${session}=${text}` }
    // The cheapest page that asks who is there: whoever is not signed in is sent to sign in.
    const page = await fetch(`${target.origin}/oauth/consent`, { headers, redirect: 'manual' })
    await page.arrayBuffer()
    return page.headers.get('location') !== '/sign-in'
  },
  'sign-in link': async (text) => {
    const stranger = personByFetch(target.origin)
    await (await stranger.submit('/sign-in/link', new URLSearchParams({ token: text }))).body?.cancel()
    return stranger.cookies().has(session)
  },
}

/** Header values are visible ASCII; nothing else can be sent as a token or a cookie. A time is no secret. */
const sendable = (text: string) =>
  text.length >= SHORTEST && /^[!-~]{1,4000}$/.test(text) && !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)

/** Which parts of secrets stand somewhere in a text. */
function secretsIn(text: string): string[] {
  const parts = secrets.flatMap((secret) => secret.split(/[^\w-]/)).filter(({ length }) => length >= PART)
  const known = new Set(parts.map((part) => part.slice(0, PART)))
  const found: string[] = []
  for (let at = 0; at + PART <= text.length; at++) {
    const window = text.slice(at, at + PART)
    if (known.has(window)) found.push(window)
  }
  return found
}

describe.each(kinds)('after $flows whole flows, of $store', ({ flows, start }) => {
  beforeAll(async () => {
    target = await start()
    await live(flows)
  })
  afterAll(() => target.dispose())

  const logged = () => target.instances.flatMap((instance) => leaves(instance.log().split('\n')))

  it('no secret, nor a part of one, is in the store or in the log', async () => {
    expect(secrets.length).toBeGreaterThan(flows * 5)
    expect(secretsIn(secrets.join('\n')).length).toBeGreaterThan(flows * 5)
    expect(secretsIn([...(await target.dump()), ...logged()].join('\n'))).toEqual([])
  })

  it('no string of the store or of the log lets anybody in', async () => {
    const strings = [...new Set([...(await target.dump()), ...logged()])].filter(sendable)
    expect(strings.length).toBeGreaterThan(flows * 5)
    console.log(`${strings.length} strings, each tried in ${Object.keys(ways).length} ways`)
    const worked: string[] = []
    await inParallel(strings, async (text) => {
      // The client and the verifier of a code that waits: its own where the string is of that grant.
      const like = waiting.find(({ code }) => text.includes(code.slice(0, 22))) ?? waiting[0]
      if (!like) throw new Error('no code waits')
      for (const [way, isIn] of Object.entries(ways))
        if (await isIn(text, like)) worked.push(`${way}: ${text}`)
    })
    expect(worked).toEqual([])
  }, 1_800_000)

  it('the real ones do, tried in the same way', async () => {
    const [like] = waiting
    if (!like) throw new Error('no code waits')
    const { body } = await redeemByFetch(target.origin, waiting[1] ?? like)
    const { clientId } = waiting[1] ?? like
    const link = new URL(await target.memberLink('Grace')).hash.slice(1)
    expect(await ways['code']?.(like.code, like)).toBe(true)
    expect(await ways['access token or personal token']?.(body.access_token ?? '', like)).toBe(true)
    expect(await ways['refresh token']?.(body.refresh_token ?? '', { ...like, clientId })).toBe(true)
    expect(await ways['access token or personal token']?.(await createTokenByFetch(person), like)).toBe(true)
    expect(await ways['cookie']?.(person.cookies().get(session) ?? '', like)).toBe(true)
    expect(await ways['sign-in link']?.(link, like)).toBe(true)
  })
})
