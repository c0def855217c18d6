import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RUN_FLUSH_MS } from '#lib/config/limits'
import { type Pair, startPair } from '#test/support/deployment'
import { beginSession, callOf, type OpenStream, type RawSession } from '#test/support/raw-session'
import { signedIn } from '#test/support/signed-in'
import type { WireMessage } from '#test/support/wire-tap'

const QUIET_MS = 250
const STEP_MS = 40

let pair: Pair
let token: string
let session: RawSession
const begin = () => beginSession({ origin: pair.origin, token })
beforeAll(async () => {
  pair = await startPair({ GATEHOUSE_CONFORMANCE: '1' })
  token = (await signedIn(pair)).token
  session = await begin()
  // Both instances load their keys, and the use is noted, which is due once a minute.
  for (const _ of [...pair.instances, ...pair.instances]) await session.request('ping')
})
afterAll(() => pair.dispose())

interface Cost {
  /** Requests to the store, those that follow the answer included. */
  readonly requests: number
  readonly subscriptions: number
  /** The commands of each request, for people. */
  readonly seen: readonly string[]
}

/** What an act costs at the store on both instances, together with what follows it. */
async function cost(act: () => Promise<unknown>): Promise<Cost> {
  await pause(QUIET_MS)
  pair.bridge.counts.reset()
  await act()
  await pause(QUIET_MS)
  const { requests, subscriptions, seen } = pair.bridge.counts
  return { requests, subscriptions, seen: seen.map((commands) => commands.join(' ')) }
}

const asks = ({ method }: WireMessage) => method === 'elicitation/create'
const ends = (message: WireMessage) => message.method === undefined
const steps = (count: number, everyMs = 0) => callOf('gatehouse_steps', { mark: 'm', count, everyMs })
const accepted = (answer: object) => ({ action: 'accept', content: answer })

/** A call that asks, up to its first question. */
async function asked(tool: ReturnType<typeof callOf>) {
  const stream = await session.open('tools/call', tool, `asked-${Math.random()}`)
  return { stream, id: (await stream.until(asks)).id ?? '' }
}

describe('requests to the store, in all', () => {
  it.each<{ what: string; requests: number; act: () => Promise<unknown> }>([
    // One before the answer; the record follows it, because the id says all.
    { what: 'initialize', requests: 2, act: begin },
    { what: 'initialized', requests: 1, act: () => session.notify('notifications/initialized') },
    { what: 'ping', requests: 1, act: () => session.request('ping') },
    { what: 'tools/list', requests: 1, act: () => session.request('tools/list') },
    { what: 'a call', requests: 1, act: () => session.request('tools/call', callOf('test_simple_text')) },
    { what: 'setLevel', requests: 2, act: () => session.request('logging/setLevel', { level: 'debug' }) },
    {
      what: 'subscribe',
      requests: 2,
      act: () => session.request('resources/subscribe', { uri: 'test://watched-resource' }),
    },
    {
      what: 'unsubscribe',
      requests: 2,
      act: () => session.request('resources/unsubscribe', { uri: 'test://watched-resource' }),
    },
  ])('are $requests for $what', async ({ requests, act }) => {
    expect(await cost(act)).toMatchObject({ requests })
  })

  it('are 2 for DELETE', async () => {
    const other = await begin()
    await other.notify('notifications/initialized')
    expect(await cost(() => other.end())).toMatchObject({ requests: 2 })
  })

  it('are 3 for a call that streams, whatever it says at once', async () => {
    // The channel of wake-ups is opened once, and stays open for a while.
    await session.request('tools/call', steps(1))
    await session.request('tools/call', steps(1))
    // Admission, registration, and one append with the notifications and the result. On a machine that is busy
    // the notifications may be logged before the result: the least of some counts.
    const bursts: number[] = []
    while (bursts.length < 5 && !bursts.includes(3)) {
      bursts.push((await cost(() => session.request('tools/call', steps(20)))).requests)
    }
    expect(Math.min(...bursts)).toBe(3)
    expect(Math.max(...bursts)).toBeLessThanOrEqual(4)

    const from = Date.now()
    const { requests } = await cost(() => session.request('tools/call', steps(10, STEP_MS)))
    expect(requests).toBeGreaterThanOrEqual(4)
    // Never more often than each flush: what it says costs nothing by its number.
    expect(requests).toBeLessThanOrEqual(3 + Math.ceil((Date.now() - from) / RUN_FLUSH_MS))
  })

  it('are 2 for an answer to a question that waits, and for a cancellation', async () => {
    let pushed = { stream: undefined as OpenStream | undefined, id: '' as string | number }
    const question = await cost(async () => {
      pushed = await asked(callOf('test_elicitation', { message: 'Who?' }))
    })
    // Admission, registration, and the question, which is in the store before the call waits for its answer.
    expect(question.requests).toBe(3)
    const { requests } = await cost(async () => {
      await session.answer(pushed.id, accepted({ username: 'a', email: 'a@b.c' }))
      await pushed.stream?.until(ends)
    })
    // Admission and the letter; then the last append of the call that it ends.
    expect(requests).toBe(3)

    const running = await session.open('tools/call', steps(1000, 50), 'to-cancel')
    await running.until(({ method }) => method === 'notifications/message')
    const cancelled = await cost(async () => {
      await session.notify('notifications/cancelled', { requestId: 'to-cancel' })
      await running.ended
    })
    // And the end of the log, together with a flush that was on its way.
    expect(cancelled.requests).toBeLessThanOrEqual(4)
  })

  it('are 9 for a call that asks twice and waits for nobody', async () => {
    const ask = callOf('gatehouse_ask', { mark: 'm', rounds: 2, everyMs: 0 })
    let stream: OpenStream | undefined
    const first = await cost(async () => {
      stream = (await asked(ask)).stream
    })
    // Admission, registration, and the questions with what was said before them.
    expect(first.requests, first.seen.join('\n')).toBe(3)

    const answerLast = (answer: string) => {
      const question = stream?.events.findLast(({ message }) => message && asks(message))
      return session.answer(question?.message?.id ?? '', accepted({ answer }))
    }
    const second = await cost(async () => {
      await answerLast('one')
      await stream?.until(({ params }) => params?.['message'] === 'm: 2')
    })
    // Admission with the record, the answer with the claim; then the next questions.
    expect(second.requests, second.seen.join('\n')).toBe(3)

    const last = await cost(async () => {
      await answerLast('two')
      await stream?.until(ends)
    })
    expect(last.requests, last.seen.join('\n')).toBe(3)
  })

  it('are 1 for the rest of a finished stream, and none is left after it', async () => {
    const stream = await session.open('tools/call', steps(3))
    await stream.until(ends)
    await stream.ended
    // The client has the end a moment before the log has it.
    await pause(QUIET_MS)
    const [first] = stream.events
    const last = stream.events.at(-1)
    expect(first?.id).toBeDefined()
    let status = 0
    const nothing = await cost(async () => {
      const rest = await session.listen(last?.id)
      status = rest.status
      await rest.ended
    })
    expect(status).toBe(405)
    expect(nothing).toMatchObject({ requests: 1 })

    let said = 0
    const rest = await cost(async () => {
      const again = await session.listen(first?.id)
      await again.ended
      said = again.events.filter(({ message }) => message).length
    })
    expect(said).toBe(4)
    // It is counted as resumed, after the answer.
    expect(rest.requests).toBeLessThanOrEqual(2)
  })

  it('are at most 4 for GET, 2 for a message to it from elsewhere, and none where it arrives', async () => {
    const listener = await begin()
    await listener.notify('notifications/initialized')
    let stream = await listener.listen()
    stream.close()
    await stream.ended
    const opened = await cost(async () => {
      stream = await listener.listen()
    })
    expect(opened.requests).toBeLessThanOrEqual(4)

    // The stream looks now and then whether it still may: such a moment is not counted.
    const costs: number[] = []
    for (let n = 1; n <= 4; n++) {
      const told = await cost(async () => {
        const input = { mark: 'told', from: n, count: 1, everyMs: 0 }
        await listener.request('tools/call', callOf('gatehouse_notify', input))
        await stream.until(({ params }) => (params?.['data'] as { n?: number } | undefined)?.n === n)
      })
      costs.push(told.requests)
    }
    expect(Math.min(...costs)).toBe(2)
    expect(costs.filter((one) => one <= 3)).toHaveLength(costs.length)
    stream.close()
  })
})

describe('the store', () => {
  it('keeps nothing without a lifetime but what docs/STORAGE.md says', async () => {
    const redis = createClient({ url: pair.redis.url })
    await redis.connect()
    const lasting: string[] = []
    for (const key of await redis.keys('*')) if ((await redis.pTTL(key)) === -1) lasting.push(key)
    const all = await redis.dbSize()
    redis.destroy()
    const documented = lastingKeys()
    const bare = lasting.map((key) => key.slice(key.indexOf(':') + 1))
    expect(bare.filter((key) => !documented.some((pattern) => pattern.test(key)))).toEqual([])
    // There was something to look at, of sessions too.
    expect(all).toBeGreaterThan(lasting.length + 10)
  })
})

/** The keys of the table whose lifetime is "none", as patterns. */
function lastingKeys(): RegExp[] {
  const rows = readFileSync('docs/STORAGE.md', 'utf8').split('\n')
  return rows.flatMap((row) => {
    const [, key = '', , , lives = ''] = row.split('|').map((cell) => cell.trim())
    if (!lives.startsWith('none')) return []
    return [new RegExp(`^${key.replaceAll('`', '').replaceAll(/\{\w+\}/g, '[^:]+')}$`)]
  })
}
