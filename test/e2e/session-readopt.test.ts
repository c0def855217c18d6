import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SESSION_BEGINS_MS } from '#lib/config/limits'
import { type Pair, startPair } from '#test/support/deployment'
import { type Product, startProduct } from '#test/support/product'
import { beginSession, callOf, type RawSession } from '#test/support/raw-session'
import { signedIn, tokenFor } from '#test/support/signed-in'

let pair: Pair
let token: string
let redis: ReturnType<typeof createClient>
/** Begun before everything else: a record counts as lost only some seconds after `initialize`. */
let lost: RawSession
let raced: RawSession
let refused: RawSession
let begunAt: number
const others: { title: string; session: RawSession }[] = []

beforeAll(async () => {
  pair = await startPair({ GATEHOUSE_CONFORMANCE: '1' })
  const signed = await signedIn(pair)
  token = signed.token
  redis = createClient({ url: pair.redis.url })
  await redis.connect()

  const options = { origin: pair.origin, token }
  ;[lost, raced, refused] = [
    await beginSession(options),
    await beginSession(options),
    await beginSession(options),
  ]
  begunAt = Date.now()
  const stranger = await signedIn(pair, await pair.memberLink('Another person'))
  const otherApp = await tokenFor(pair.origin, signed.person, 'https://another.example/callback')
  const ended = await beginSession(options)
  expect(await ended.end()).toBe(200)
  others.push(
    { title: 'that was deleted', session: ended },
    { title: 'of another account', session: lost.as({ token: stranger.token }) },
    { title: 'of another app of the same account', session: lost.as({ token: otherApp }) },
    { title: 'with a changed id', session: lost.as({ id: changed(lost.id) }) },
    { title: 'with an id of no form', session: lost.as({ id: 'x' }) },
  )
})
afterAll(async () => {
  redis.destroy()
  await pair.dispose()
})

/** Another letter in the middle of the sealed text. */
function changed(id: string): string {
  const middle = id.length >> 1
  return `${id.slice(0, middle)}${id[middle] === 'A' ? 'B' : 'A'}${id.slice(middle + 1)}`
}

const records = () => redis.keys('*ms:*').then((found) => found.filter((key) => !key.endsWith(':ms')))
const forget = async () => {
  const found = await records()
  if (found.length > 0) await redis.del(found)
}
const becomesLost = () => pause(Math.max(0, begunAt + SESSION_BEGINS_MS + 1000 - Date.now()))

/** On both instances, whose turn it ever is. */
async function statuses(session: RawSession): Promise<number[]> {
  return [(await session.request('ping')).status, (await session.request('ping')).status]
}

describe('a session', () => {
  it('is 404 when it was deleted, is of another account or app, or is forged; with and without its record', async () => {
    for (const { title, session } of others) expect(await statuses(session), title).toEqual([404, 404])
    for (const { title, session } of others) expect((await session.listen()).status, title).toBe(404)
    await forget()
    await becomesLost()
    for (const { title, session } of others) expect(await statuses(session), title).toEqual([404, 404])
  })

  it('whose record was lost goes on, keeps its subscriptions and its level, and its client is told to refresh', async () => {
    await becomesLost()
    await lost.request('resources/subscribe', { uri: 'test://tick/0' })
    await lost.request('logging/setLevel', { level: 'error' })
    await forget()
    expect(await records()).toEqual([])

    const called = await lost.request('tools/call', callOf('test_simple_text'))
    expect(called).toMatchObject({ status: 200, messages: [{ result: { content: [{ type: 'text' }] } }] })
    await expect.poll(() => records().then(({ length }) => length)).toBe(1)

    const stream = await lost.listen()
    for (const list of ['tools', 'prompts', 'resources']) {
      await stream.until(({ method }) => method === `notifications/${list}/list_changed`)
    }
    const change = (uris: number) =>
      lost.request(
        'tools/call',
        callOf('gatehouse_notify', { mark: 'm', from: 1, count: 1, everyMs: 0, uris }),
      )
    await change(1)
    await stream.until(({ params }) => params?.['uri'] === 'test://tick/0')
    // What was not subscribed to, and what is below its level, does not come.
    await change(2)
    await lost.request('tools/call', callOf('gatehouse_notify', { mark: 'm', from: 1, count: 1, everyMs: 0 }))
    await change(1)
    await expect.poll(() => stream.events.filter(({ message }) => message?.params?.['uri']).length).toBe(2)
    expect(stream.events.filter(({ message }) => message?.method === 'notifications/message')).toEqual([])
    stream.close()
  })

  it('that two requests find lost at once gets one record, and both are served', async () => {
    await becomesLost()
    await forget()
    const both = await Promise.all(Array.from({ length: 10 }, () => raced.request('ping')))
    expect(both.map(({ status }) => status)).toEqual(both.map(() => 200))
    await expect.poll(() => records().then(({ length }) => length)).toBe(1)
    const [key = ''] = await records()
    expect(JSON.parse((await redis.get(key)) ?? '')).toMatchObject({ v: 1, readoptions: 1 })
    expect(await redis.pTTL(key)).toBeGreaterThan(0)
  })

  it('whose record was lost is 404 where SESSION_READOPT=false', async () => {
    await becomesLost()
    const strict: Product = await startProduct({ env: { ...pair.env, SESSION_READOPT: 'false' } })
    try {
      pair.roundRobin.use([strict.port])
      await forget()
      expect(await statuses(refused)).toEqual([404, 404])
      // One whose record stands is served there too.
      const fresh = await beginSession({ origin: pair.origin, token })
      expect(await statuses(fresh)).toEqual([200, 200])
    } finally {
      await strict.dispose()
    }
  })
})
