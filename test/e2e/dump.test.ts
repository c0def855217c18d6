import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { listNotes } from '#test/support/mcp-request'
import {
  authorizeByFetch,
  type FetchPerson,
  personByFetch,
  type Redeemable,
  redeemByFetch,
  refreshByFetch,
} from '#test/support/person-by-fetch'

const FLOWS = process.env['SOAK'] === '1' ? 1000 : 100
/** Codes that wait for their redemption when the dump is made. */
const WAITING = 20
const AT_ONCE = 20
/** The shortest secret, a session cookie, has 43 characters: shorter strings are tried in the soak only. */
const SHORTEST = process.env['SOAK'] === '1' ? 8 : 20

let pair: Pair
let person: FetchPerson
let waiting: Redeemable[]
let session: string
beforeAll(async () => {
  pair = await startPair({ RATE_LIMIT_PER_MINUTE: '1000000', CODE_SECONDS: '600' }, 'tcp')
  person = personByFetch(pair.origin)
  await person.signIn(pair.ownerLink)
  // The banner of each instance shows a link while nobody owns the server: it is there to be used, once.
  await personByFetch(pair.origin).signIn(pair.instances[1]?.ownerLink ?? '')
  const [name = ''] = [...person.cookies().keys()].filter((cookie) => /session/.test(cookie))
  session = name
  await inParallel(Array.from({ length: FLOWS }), wholeFlow)
  waiting = []
  for (let n = 0; n < WAITING; n++) waiting.push(await authorizeByFetch(pair.origin, person))
  await pair.memberLink('Unused')
})
afterAll(() => pair.dispose())

async function inParallel<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>) {
  let next = 0
  const worker = async () => {
    while (next < items.length) await act(items[next++] as Item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function wholeFlow(): Promise<void> {
  const redeemable = await authorizeByFetch(pair.origin, person)
  const { body } = await redeemByFetch(pair.origin, redeemable)
  const refreshToken = body.refresh_token ?? ''
  const renewed = await refreshByFetch(pair.origin, { clientId: redeemable.clientId, refreshToken })
  expect((await listNotes(pair.origin, renewed.body.access_token)).status).toBe(200)
}

/** Every key and every value of the store, as text. */
async function dump(): Promise<string[]> {
  const redis = await createClient({ url: pair.redis.url, RESP: 2 }).connect()
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
  'access token or personal token': async (text) => (await listNotes(pair.origin, text)).status === 200,
  code: async (text, like) => (await redeemByFetch(pair.origin, { ...like, code: text })).status === 200,
  'refresh token': async (text, { clientId }) =>
    (await refreshByFetch(pair.origin, { clientId, refreshToken: text })).status === 200,
  cookie: async (text) => {
    const headers = { cookie: `${session}=${text}` }
    // The cheapest page that asks who is there: whoever is not signed in is sent to sign in.
    const page = await fetch(`${pair.origin}/oauth/consent`, { headers, redirect: 'manual' })
    await page.arrayBuffer()
    return page.headers.get('location') !== '/sign-in'
  },
  'sign-in link': async (text) => {
    const stranger = personByFetch(pair.origin)
    await (await stranger.submit('/sign-in/link', new URLSearchParams({ token: text }))).body?.cancel()
    return stranger.cookies().has(session)
  },
}

/** Header values are visible ASCII; nothing else can be sent as a token or a cookie. A time is no secret. */
const sendable = (text: string) =>
  text.length >= SHORTEST && /^[!-~]{1,4000}$/.test(text) && !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)

describe(`after ${FLOWS} whole flows`, () => {
  it('no string of the store or of the log lets anybody in', async () => {
    const log = pair.instances.flatMap((instance) => leaves(instance.log().split('\n')))
    const strings = [...new Set([...(await dump()), ...log])].filter(sendable)
    expect(strings.length).toBeGreaterThan(FLOWS * 5)
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
  }, 600_000)

  it('the real ones do, tried in the same way', async () => {
    const [like] = waiting
    if (!like) throw new Error('no code waits')
    const { body } = await redeemByFetch(pair.origin, waiting[1] ?? like)
    const { clientId } = waiting[1] ?? like
    const link = new URL(await pair.memberLink('Grace')).hash.slice(1)
    expect(await ways['code']?.(like.code, like)).toBe(true)
    expect(await ways['access token or personal token']?.(body.access_token ?? '', like)).toBe(true)
    expect(await ways['refresh token']?.(body.refresh_token ?? '', { ...like, clientId })).toBe(true)
    expect(await ways['cookie']?.(person.cookies().get(session) ?? '', like)).toBe(true)
    expect(await ways['sign-in link']?.(link, like)).toBe(true)
  })
})
