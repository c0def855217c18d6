import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REQUEST_STATE_MS, SESSION_IDLE_MS } from '#lib/config/limits'
import { keys } from '#lib/store/keys'
import { del, get } from '#lib/store/operations'
import { openPair, type Pair } from '#test/mcp/pair'
import { initialize, messages, type Reply, reply } from '#test/mcp/post'
import { eventually, openSession, type RawSession, readStream } from '#test/mcp/session'

/**
 * What the official suite does not check of the 2025 era: sessions that two instances serve together. Each of
 * them has its own memory, and every request of a test may go to either.
 */

const ASKABLE = { elicitation: { form: {} }, sampling: {}, roots: {} }

// Polling takes its time: the whole table without wake-ups is for the soak, and others show it every day.
const polling = process.env['SOAK'] ? [{ over: 'Redis', wakeUps: false } as const] : []

describe.each([
  { over: 'the local store', wakeUps: true } as const,
  { over: 'Redis', wakeUps: true } as const,
  ...polling,
])('over $over, wake-ups $wakeUps', (where) => {
  let pair: Pair
  beforeAll(async () => {
    pair = await openPair(where)
  })
  afterAll(() => pair.close())

  const open = (how: Parameters<typeof openSession>[1] = {}) => openSession(pair.a, how)
  const codeOf = async (response: Response) => (await reply(response)).error?.code
  let marks = 0
  const mark = () => `m${++marks}`
  const steps = (
    session: RawSession,
    server: Pair['a'],
    how: { count: number; everyMs: number; mark?: string },
  ) => session.call(server, 'gatehouse_steps', { mark: mark(), ...how })
  /** The numbers that a slow tool said on a stream. */
  const numbers = (all: readonly Reply[]) =>
    all.flatMap(({ method, params }) =>
      method === 'notifications/message' ? [(params as { data: { n: number } }).data.n] : [],
    )
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

  describe('initialize', () => {
    it.each([
      { asked: '2024-11-05', given: '2024-11-05' },
      { asked: '2025-03-26', given: '2025-03-26' },
      { asked: '2025-06-18', given: '2025-06-18' },
      { asked: '2025-11-25', given: '2025-11-25' },
      { asked: '1900-01-01', given: '2025-11-25' },
      { asked: '2026-07-28', given: '2025-11-25' },
    ])('with $asked is answered with $given and a session', async ({ asked, given }) => {
      const session = await open({ version: asked })
      expect(session.version).toBe(given)
      expect((await reply(await session.request(pair.b, 'ping'))).result).toEqual({})
    })

    it('on a live session is 400', async () => {
      const session = await open()
      const response = await initialize(pair.b, { headers: { 'mcp-session-id': session.id } })
      expect(response.status).toBe(400)
      expect(response.headers.get('mcp-session-id')).toBeNull()
    })

    it('gives ids of visible ASCII that nobody can guess: a thousand, none like another', async () => {
      const ids = await Promise.all(
        Array.from({ length: 1000 }, async (_, index) => {
          const response = await initialize(index % 2 === 0 ? pair.a : pair.b)
          return response.headers.get('mcp-session-id') ?? ''
        }),
      )
      expect(new Set(ids).size).toBe(1000)
      expect(ids.every((id) => /^[!-~]{22,512}$/.test(id))).toBe(true)
      // An id that differs in one character is no id.
      const [id = ''] = ids
      const last = id.at(-1) === 'A' ? 'B' : 'A'
      for (const forged of [id.slice(0, -1) + last, id.slice(0, -1), `${id}A`, 'x', id.toLowerCase()]) {
        const session = { ...(await open()), id: forged }
        const response = await session.send(
          pair.a,
          { jsonrpc: '2.0', id: 1, method: 'ping' },
          {
            headers: { 'mcp-session-id': forged },
          },
        )
        expect(response.status, forged).toBe(404)
      }
    })
  })

  describe('the session id', () => {
    const methods = [
      {
        what: 'a POST',
        send: (s: RawSession, id: string | undefined, at: Pair['a']) =>
          s.request(at, 'tools/list', {}, { headers: { 'mcp-session-id': id } }),
      },
      {
        what: 'a notification',
        send: (s: RawSession, id: string | undefined, at: Pair['a']) =>
          s.send(
            at,
            { jsonrpc: '2.0', method: 'notifications/initialized' },
            { headers: { 'mcp-session-id': id } },
          ),
      },
      {
        what: 'a GET',
        send: (s: RawSession, id: string | undefined, at: Pair['a']) =>
          s.get(at, { 'mcp-session-id': id ?? '' }),
      },
      { what: 'a DELETE', send: (s: RawSession, _id: string | undefined, at: Pair['a']) => s.delete(at) },
    ]

    it('is asked for: without one a request is 400', async () => {
      const session = await open()
      const response = await session.request(
        pair.a,
        'tools/list',
        {},
        { headers: { 'mcp-session-id': undefined } },
      )
      expect(response.status).toBe(400)
    })

    it.each(methods.slice(0, 3))('that nobody gave out makes $what 404', async ({ send }) => {
      const session = await open()
      for (const id of ['unknown', '00000000-0000-4000-8000-000000000000']) {
        expect((await send(session, id, pair.b)).status).toBe(404)
      }
    })

    it.each([
      { whose: 'another person', token: 'bob' },
      { whose: 'another app of the same person', token: 'alice@other' },
    ])('of $whose is 404, and theirs goes on', async ({ token }) => {
      const session = await open()
      expect((await session.request(pair.b, 'tools/list', {}, { token })).status).toBe(404)
      expect((await session.get(pair.b, {}, token)).status).toBe(404)
      expect((await session.delete(pair.b, token)).status).toBe(404)
      expect((await session.request(pair.a, 'tools/list')).status).toBe(200)
    })

    it('is 404 everywhere after DELETE, to a second DELETE too', async () => {
      const session = await open()
      expect((await session.delete(pair.b)).status).toBe(200)
      for (const at of [pair.a, pair.b]) {
        for (const { send } of methods) expect((await send(session, session.id, at)).status).toBe(404)
      }
    })

    it.runIf(where.over === 'the local store')(
      'lives by being used, and goes on when its record has expired',
      async () => {
        const session = await open()
        pair.passes(SESSION_IDLE_MS - 1000)
        expect((await session.request(pair.b, 'tools/list')).status).toBe(200)
        const sid = await pair.sidOf(session.id)
        pair.passes(SESSION_IDLE_MS - 1000)
        expect(await pair.store.run(get(keys.mcpSession(sid)))).not.toBeNull()
        pair.passes(2000)
        expect(await pair.store.run(get(keys.mcpSession(sid)))).toBeNull()
        expect((await session.request(pair.a, 'tools/list')).status).toBe(200)
        await eventually(async () => (await pair.store.run(get(keys.mcpSession(sid)))) !== null)
      },
    )

    it('is served although the store lost its record, by whichever instance is asked, and has one again', async () => {
      // Instances whose clock is a minute ahead of the store are not for the other tests.
      const later = await openPair(where)
      const session = await openSession(later.a)
      await session.request(later.a, 'logging/setLevel', { level: 'error' })
      const sid = await later.sidOf(session.id)
      const recorded = async () =>
        (await later.store.run(get(keys.mcpSession(sid), { fresh: true }))) !== null
      await eventually(recorded)
      await later.store.run(del(keys.mcpSession(sid)))
      later.passes(60_000)
      // Its log level is kept with it.
      expect(await messages(await session.call(later.b, 'test_tool_with_logging'))).toHaveLength(1)
      await eventually(recorded)
      await later.close()
    })

    it('is 404 after its record expired where SESSION_READOPT=false', async () => {
      const strict = await openPair({ ...where, readopt: false })
      const session = await openSession(strict.a)
      expect((await session.request(strict.b, 'tools/list')).status).toBe(200)
      const sid = await strict.sidOf(session.id)
      await strict.store.run(del(keys.mcpSession(sid)))
      strict.passes(60_000)
      expect((await session.request(strict.b, 'tools/list')).status).toBe(404)
      await strict.close()
    })
  })

  describe('the protocol version of a session', () => {
    it.each([
      { header: '1999-01-01', status: 400 },
      { header: 'x', status: 400 },
      { header: undefined, status: 200 },
      { header: '2025-06-18', status: 200 },
    ])('in the header is $header: $status', async ({ header, status }) => {
      const session = await open({ version: '2025-06-18' })
      const response = await session.request(
        pair.b,
        'tools/list',
        {},
        { headers: { 'mcp-protocol-version': header } },
      )
      expect(response.status).toBe(status)
    })

    it.each([
      { version: '2025-03-26', status: 200 },
      { version: '2025-06-18', status: 400 },
      { version: '2025-11-25', status: 400 },
    ])(
      '$version answers a batch with $status, also when the header is left out',
      async ({ version, status }) => {
        const session = await open({ version })
        const batch = [1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'ping' }))
        for (const headers of [{}, { 'mcp-protocol-version': undefined }]) {
          const response = await session.send(pair.b, batch, { headers })
          expect(response.status).toBe(status)
          if (status === 200) expect(await response.json()).toHaveLength(2)
        }
      },
    )
  })

  describe('a quick answer', () => {
    it.each([
      { accept: 'application/json, text/event-stream', type: 'application/json' },
      { accept: 'text/event-stream, application/json', type: 'text/event-stream' },
      { accept: 'text/event-stream;q=0.5, application/json', type: 'application/json' },
      { accept: 'application/json;q=0.5, text/event-stream', type: 'text/event-stream' },
      { accept: '*/*', type: 'application/json' },
      { accept: 'text/event-stream, */*', type: 'application/json' },
    ])('comes as $type where Accept is $accept', async ({ accept, type }) => {
      const session = await open()
      const response = await session.request(pair.b, 'tools/list', {}, { headers: { accept } })
      expect(response.headers.get('content-type')).toBe(type)
      expect((await reply(response)).result.tools.length).toBeGreaterThan(0)
    })
  })

  describe('a GET', () => {
    it('that takes no event stream is 406', async () => {
      const session = await open()
      expect((await session.get(pair.b, { accept: 'application/json' })).status).toBe(406)
    })

    it('of a server that has no streams is 405', async () => {
      const without = await openPair({ ...where, streamMaxSeconds: 0 })
      const session = await openSession(without.a)
      const response = await session.get(without.b)
      expect(response.status).toBe(405)
      await without.close()
    })

    it('takes the stream over from an older one: each message is on one stream only, and none is lost', async () => {
      const session = await open()
      const first = readStream(await session.get(pair.a))
      await eventually(() => first.frames.length > 0)
      await session.call(pair.b, 'gatehouse_notify', { mark: 'one', from: 1, count: 3, everyMs: 0 })
      await first.until((message) => numbers([message])[0] === 3)

      const second = readStream(await session.get(pair.b))
      expect(await first.ended).toBe(true)
      await session.call(pair.a, 'gatehouse_notify', { mark: 'one', from: 4, count: 3, everyMs: 0 })
      await second.until((message) => numbers([message])[0] === 6)
      expect([...numbers(first.messages), ...numbers(second.messages)]).toEqual(upTo(6))
      await second.leave()
    })

    it('of one session hears nothing of another, of the same person or of somebody else', async () => {
      const [own, other, foreign] = [await open(), await open(), await open({ token: 'bob' })]
      const streams = await Promise.all(
        [own, other, foreign].map(async (one) => readStream(await one.get(pair.a))),
      )
      const [ownStream, ...others] = streams
      await eventually(() => streams.every(({ frames }) => frames.length > 0))
      await own.call(pair.b, 'gatehouse_notify', { mark: 'own', from: 1, count: 1, everyMs: 0 })
      await ownStream?.until((message) => numbers([message])[0] === 1)
      expect(others.flatMap((stream) => numbers(stream.messages))).toEqual([])
      await Promise.all(streams.map((stream) => stream.leave()))
    })
  })

  describe('Last-Event-ID', () => {
    it('goes on with that stream on the other instance: in order, each message once, nothing of another', async () => {
      const session = await open()
      const [first, other] = [
        readStream(await steps(session, pair.a, { count: 12, everyMs: 50 })),
        readStream(await steps(session, pair.a, { count: 12, everyMs: 50 })),
      ]
      await first.until((message) => numbers([message])[0] === 4)
      const { lastEventId = '' } = first
      await first.leave()

      const resumed = readStream(await session.get(pair.b, { 'last-event-id': lastEventId }))
      const final = await resumed.until(({ result }) => result !== undefined)
      expect(await resumed.ended).toBe(true)
      expect(resumed.frames[0]).toMatchObject({ id: lastEventId })
      expect([...numbers(first.messages), ...numbers(resumed.messages)]).toEqual(upTo(12))
      expect(final.id).not.toBe(other.messages.at(-1)?.id)
      await other.ended
      expect(numbers(other.messages)).toEqual(upTo(12))
    })

    it('may be sent again and again: each time the same follows', async () => {
      const session = await open()
      const stream = readStream(await steps(session, pair.a, { count: 4, everyMs: 10 }))
      await stream.ended
      const [, second] = stream.frames.filter(({ message }) => message !== undefined)
      for (const at of [pair.a, pair.b, pair.a]) {
        const again = readStream(await session.get(at, { 'last-event-id': second?.id ?? '' }))
        await again.ended
        expect(numbers(again.messages)).toEqual([3, 4])
        expect(again.messages.at(-1)?.result).toBeDefined()
      }
    })

    it('after which nothing is left is 405: an empty stream would bring the client back', async () => {
      const session = await open()
      const stream = readStream(await steps(session, pair.a, { count: 2, everyMs: 10 }))
      await stream.ended
      // The end is told to the client first and to the log a moment later.
      await eventually(async () => {
        const response = await session.get(pair.b, { 'last-event-id': stream.lastEventId ?? '' })
        await response.body?.cancel()
        return response.status === 405
      })
    })

    it('of another session, or of nobody, brings no message of it', async () => {
      const [session, other] = [await open(), await open()]
      const stream = readStream(await steps(session, pair.a, { count: 4, everyMs: 10 }))
      await stream.ended
      const early = stream.frames[0]?.id ?? ''
      for (const id of [early, `${'A'.repeat(22)}_1-0`, 'x', '']) {
        const response = await other.get(pair.b, { 'last-event-id': id })
        if (response.status !== 200) continue
        const reading = readStream(response)
        await eventually(() => reading.frames.length > 0)
        expect(reading.messages).toEqual([])
        await reading.leave()
      }
    })
  })

  describe('a question of a call', () => {
    it.each([
      {
        tool: 'test_elicitation',
        args: { message: 'Who?' },
        method: 'elicitation/create',
        result: { action: 'accept', content: { username: 'ann', email: 'ann@example.com' } },
        said: 'ann@example.com',
      },
      {
        tool: 'test_sampling',
        args: { prompt: 'Hello?' },
        method: 'sampling/createMessage',
        result: { role: 'assistant', content: { type: 'text', text: 'Hello!' }, model: 'm' },
        said: 'Hello!',
      },
      {
        tool: 'gatehouse_ask',
        args: { mark: 'parked', rounds: 1, everyMs: 0 },
        method: 'elicitation/create',
        result: { action: 'accept', content: { answer: 'here' } },
        said: 'parked: here',
      },
    ])('($tool) is answered through the other instance, and the answer reaches it', async (how) => {
      const session = await open({ capabilities: ASKABLE })
      for (const [asking, answering] of [
        [pair.a, pair.b],
        [pair.b, pair.a],
      ] as const) {
        const stream = readStream(await session.call(asking, how.tool, how.args))
        const question = await stream.until(({ method }) => method === how.method)
        const accepted = await session.answer(answering, question, how.result)
        expect([accepted.status, await accepted.text()]).toEqual([202, ''])
        const { result } = await stream.until((message) => message.result !== undefined)
        expect(result.content[0].text).toContain(how.said)
        expect(await stream.ended).toBe(true)
      }
    })

    it.each([
      { tool: 'test_elicitation', args: { message: 'Who?' }, capabilities: { sampling: {} } },
      { tool: 'test_sampling', args: { prompt: 'Hello?' }, capabilities: { elicitation: {} } },
      {
        tool: 'gatehouse_ask',
        args: { mark: 'x', rounds: 1, everyMs: 0 },
        capabilities: { sampling: {}, roots: {} },
      },
    ])(
      '($tool) is never put to a client that did not declare it: the tool fails or does without',
      async (how) => {
        const session = await open({ capabilities: how.capabilities })
        const all = await messages(await session.call(pair.b, how.tool, how.args))
        expect(all).toHaveLength(1)
        expect(all[0]?.result.content[0].text).toMatch(/not support|not declare|Nobody can be asked/)
      },
    )

    it('that nobody answers times out: the tool fails, and its stream ends', async () => {
      const session = await open({ capabilities: ASKABLE })
      const stream = readStream(await session.call(pair.a, 'impatient'))
      const { result } = await stream.until((message) => message.result !== undefined)
      expect(result).toMatchObject({
        isError: true,
        content: [{ text: expect.stringMatching(/timed out/i) }],
      })
      expect(await stream.ended).toBe(true)
    })

    it('that a parked call waits for in vain ends it with an error, which the client is told', async () => {
      const later = await openPair(where)
      const session = await openSession(later.a, { capabilities: ASKABLE })
      const stream = readStream(
        await session.call(later.a, 'gatehouse_ask', { mark: 'x', rounds: 1, everyMs: 0 }),
      )
      await stream.until(({ method }) => method === 'elicitation/create')
      later.passes(REQUEST_STATE_MS + 1000)
      const { error } = await stream.until((message) => message.error !== undefined)
      expect(error).toMatchObject({ code: -32603, data: { reason: 'not_answered' } })
      expect(await stream.ended).toBe(true)
      await later.close()
    })

    it('counts once: what answers it again, or answers what nobody asked, is taken and dropped', async () => {
      const session = await open({ capabilities: ASKABLE })
      const stream = readStream(
        await session.call(pair.a, 'gatehouse_ask', { mark: 'two', rounds: 2, everyMs: 0 }),
      )
      const first = await stream.until(({ method }) => method === 'elicitation/create')
      const answered = (answer: string) => ({ action: 'accept', content: { answer } })
      for (const [at, answer] of [
        [pair.b, 'right'],
        [pair.a, 'late'],
        [pair.b, 'later'],
      ] as const) {
        expect((await session.answer(at, first, answered(answer))).status).toBe(202)
      }
      const second = await stream.until(
        ({ method, id }) => method === 'elicitation/create' && id !== first.id,
      )
      for (const id of ['1', 0, `${'A'.repeat(22)}:1.p0`, String(second.id).replace(/\d+$/, '7')]) {
        expect((await session.answer(pair.b, { id }, answered('forged'))).status).toBe(202)
      }
      const thief = await open({ capabilities: ASKABLE })
      expect((await thief.answer(pair.b, second, answered('stolen'))).status).toBe(202)
      await session.answer(pair.a, second, answered('end'))
      const { result } = await stream.until((message) => message.result !== undefined)
      expect(result.content[0].text).toBe('two: right, end')
    })
  })

  describe('notifications/cancelled', () => {
    it.each([
      { what: 'this instance', at: 'a' as const },
      { what: 'the other instance', at: 'b' as const },
    ])('through $what stops the work and closes the stream without a response', async ({ at }) => {
      const session = await open()
      const name = mark()
      const stream = readStream(
        await session.call(
          pair.a,
          'gatehouse_steps',
          { mark: name, count: 1000, everyMs: 20 },
          { id: 'long' },
        ),
      )
      await stream.until((message) => numbers([message])[0] === 3)
      const cancelled = await session.notify(pair[at], 'notifications/cancelled', { requestId: 'long' })
      expect([cancelled.status, await cancelled.text()]).toEqual([202, ''])
      expect(await stream.ended).toBe(true)
      expect(
        stream.messages.every((message) => message.result === undefined && message.error === undefined),
      ).toBe(true)

      const made = () => pair.steps.filter((step) => step.mark === name).length
      const before = made()
      await new Promise((resolve) => setTimeout(resolve, 150))
      expect(made()).toBeLessThanOrEqual(before + 1)
    })

    it('ends a call that waits for its person', async () => {
      const session = await open({ capabilities: ASKABLE })
      const stream = readStream(
        await session.call(pair.a, 'gatehouse_ask', { mark: 'x', rounds: 1, everyMs: 0 }, { id: 'parked' }),
      )
      await stream.until(({ method }) => method === 'elicitation/create')
      await session.notify(pair.b, 'notifications/cancelled', { requestId: 'parked' })
      expect(await stream.ended).toBe(true)
      expect(stream.messages.filter(({ result }) => result !== undefined)).toEqual([])
    })

    it('of what nobody asked for is 202', async () => {
      const session = await open()
      for (const requestId of ['nothing', 77]) {
        expect((await session.notify(pair.b, 'notifications/cancelled', { requestId })).status).toBe(202)
      }
    })
  })

  describe('a client that leaves without a word', () => {
    it('cancels nothing: the call ends, and its result is told when the client is back', async () => {
      const session = await open()
      const name = mark()
      const stream = readStream(await steps(session, pair.a, { count: 8, everyMs: 40, mark: name }))
      await stream.until((message) => numbers([message])[0] === 2)
      const { lastEventId = '' } = stream
      await stream.leave()
      await eventually(() => pair.steps.filter((step) => step.mark === name).length === 8)

      const back = readStream(await session.get(pair.b, { 'last-event-id': lastEventId }))
      const { result } = await back.until((message) => message.result !== undefined)
      expect(result.content[0].text).toBe(`${name}: 8`)
      expect([...numbers(stream.messages), ...numbers(back.messages)]).toEqual(upTo(8))
    })
  })

  describe('logging/setLevel', () => {
    it.each([
      { level: 'debug', heard: 3 },
      { level: 'info', heard: 3 },
      { level: 'error', heard: 0 },
    ])(
      '$level: of three lines of level info $heard are heard, on either instance',
      async ({ level, heard }) => {
        const session = await open()
        expect((await reply(await session.request(pair.a, 'logging/setLevel', { level }))).result).toEqual({})
        for (const at of [pair.a, pair.b]) {
          const all = await messages(await session.call(at, 'test_tool_with_logging'))
          expect(all.filter(({ method }) => method === 'notifications/message')).toHaveLength(heard)
        }
      },
    )

    it('knows no level loud: -32602, and the level stays', async () => {
      const session = await open()
      await session.request(pair.a, 'logging/setLevel', { level: 'error' })
      for (const level of ['loud', 7, null, undefined]) {
        expect(await codeOf(await session.request(pair.b, 'logging/setLevel', { level }))).toBe(-32602)
      }
      expect(await messages(await session.call(pair.b, 'test_tool_with_logging'))).toHaveLength(1)
    })
  })

  describe('changes', () => {
    it('of a resource are told while it is subscribed to, once each, whichever instance makes them', async () => {
      const session = await open()
      const stream = readStream(await session.get(pair.a))
      await eventually(() => stream.frames.length > 0)
      const changed = () =>
        stream.messages.flatMap(({ method, params }) =>
          method === 'notifications/resources/updated' ? [params?.['uri']] : [],
        )
      const uri = 'test://watched-resource'
      const change = (server: Pair['a'], of: string) => session.call(server, 'change', { uri: of })

      await change(pair.b, uri)
      expect((await reply(await session.request(pair.b, 'resources/subscribe', { uri }))).result).toEqual({})
      await change(pair.b, 'test://other')
      await change(pair.b, uri)
      await eventually(() => changed().length > 0)
      await session.request(pair.a, 'resources/unsubscribe', { uri })
      await change(pair.b, uri)
      await session.request(pair.b, 'resources/subscribe', { uri: 'test://last' })
      await change(pair.a, 'test://last')
      await stream.until(({ params }) => params?.['uri'] === 'test://last')
      expect(changed()).toEqual([uri, 'test://last'])
      await stream.leave()
    })

    it.each([
      { kind: 'tools', tool: 'test_trigger_tool_change' },
      { kind: 'prompts', tool: 'test_trigger_prompt_change' },
      { kind: 'resources', tool: 'change' },
    ])(
      'of the list of $kind are told on every stream of the person, and to nobody else',
      async ({ kind, tool }) => {
        const [one, two, foreign] = [await open(), await openSession(pair.b), await open({ token: 'bob' })]
        const streams = [
          readStream(await one.get(pair.a)),
          readStream(await two.get(pair.b)),
          readStream(await foreign.get(pair.b)),
        ]
        await eventually(() => streams.every(({ frames }) => frames.length > 0))
        await two.call(pair.a, tool)
        const told = ({ method }: Reply) => method === `notifications/${kind}/list_changed`
        await Promise.all(streams.slice(0, 2).map((stream) => stream.until(told)))
        expect(streams.map((stream) => stream.messages.filter(told).length)).toEqual([1, 1, 0])
        await Promise.all(streams.map((stream) => stream.leave()))
      },
    )
  })

  describe('what cannot be done', () => {
    it.each([
      { what: 'an unknown tool', method: 'tools/call', params: { name: 'nothing' }, code: -32602 },
      {
        what: 'an unknown resource',
        method: 'resources/read',
        params: { uri: 'test://nothing' },
        code: -32002,
      },
      { what: 'an unknown prompt', method: 'prompts/get', params: { name: 'nothing' }, code: -32602 },
      { what: 'an unknown method', method: 'nothing/here', params: {}, code: -32601 },
      { what: 'the discovery of 2026-07-28', method: 'server/discover', params: {}, code: -32601 },
    ])('$what is $code on 200', async ({ method, params, code }) => {
      const session = await open()
      const response = await session.request(pair.b, method, params)
      expect(response.status).toBe(200)
      expect(await codeOf(response)).toBe(code)
    })

    it('wrong arguments are a result with isError, for the model to read', async () => {
      const session = await open()
      const { result } = await reply(await session.call(pair.b, 'test_sampling', { prompt: 7 }))
      expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('prompt') }] })
    })
  })
})
