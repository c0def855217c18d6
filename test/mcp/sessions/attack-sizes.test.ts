import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { get, range, rank, read } from '#lib/store/operations'
import { initialize, post, type Reply, reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** What one account can make the store keep, or an instance hold. */

const ASKABLE = { elicitation: { form: {} }, sampling: {} }
const isQuestion = ({ method }: Reply) =>
  method === 'elicitation/create' || method === 'sampling/createMessage'
const isAnswer = ({ result, error }: Reply) => (result ?? error) !== undefined
const MEGABYTE = 1024 * 1024

let rig: AttackRig
beforeEach(async () => {
  rig = await openAttackRig()
})
afterEach(() => rig.close())

const xidOf = (stream: { readonly lastEventId: string | undefined }) => stream.lastEventId?.slice(0, 22) ?? ''

describe('what a client says of itself', () => {
  it('is cut short before it is kept', async () => {
    const clientInfo = {
      name: `n\u0007${'x'.repeat(MEGABYTE)}`,
      version: 'v'.repeat(MEGABYTE),
      title: 't'.repeat(MEGABYTE),
    }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const response = await post(rig.a, { jsonrpc: '2.0', id: 1, method: 'initialize', params })
    const sid = await rig.sidOf(response.headers.get('mcp-session-id') ?? '')
    const record = () => rig.store.run(get(keys.mcpSession(sid), { fresh: true }))
    await eventually(async () => (await record()) !== null)
    const { client } = JSON.parse((await record()) ?? '')
    expect(client).toEqual({ name: `n${'x'.repeat(39)}`, version: 'v'.repeat(20) })
  })
})

describe('the list of an account', () => {
  it('forgets sessions that nobody used for longer than their records live', async () => {
    const list = keys.mcpSessionsOf('alice')
    const old = Date.now() - 26 * 3_600_000
    for (const member of ['one', 'two']) await rig.store.run(rank(list, member, old, 60_000))
    await initialize(rig.a)
    await eventually(async () => {
      const listed = await rig.store.run(range(list, { limit: 10 }))
      return listed.length === 1 && listed[0]?.member !== 'one'
    })
  })
})

describe('what is sent to a call', () => {
  it('is kept only up to a length: a longer answer is a question that was not answered', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const stream = readStream(await session.call(rig.a, 'test_sampling', { prompt: 'Hello?' }))
    const question = await stream.until(isQuestion)
    const text = 'x'.repeat(3 * MEGABYTE)
    const result = { role: 'assistant', content: { type: 'text', text }, model: 'm' }
    expect((await session.answer(rig.b, question, result)).status).toBe(202)
    const kept = await rig.store.run(
      read(keys.mcpMailbox(await rig.sidOf(session.id), xidOf(stream)), { limit: 10 }),
    )
    expect(JSON.stringify(kept).length).toBeLessThan(MEGABYTE)
    expect((await stream.until(isAnswer)).result).toMatchObject({ isError: true })
  })

  it('is kept only up to a length while the call is parked: the person then has dismissed the question', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const args = { mark: 'x', rounds: 1, everyMs: 0 }
    const stream = readStream(await session.call(rig.a, 'gatehouse_ask', args))
    const question = await stream.until(isQuestion)
    const content = { answer: 'x'.repeat(3 * MEGABYTE) }
    expect((await session.answer(rig.b, question, { action: 'accept', content })).status).toBe(202)
    expect((await stream.until(isAnswer)).result.content[0].text).toBe('x: declined')
  })

  it('is never a fault of ours, however deep it is', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const deep = '['.repeat(500_000) + ']'.repeat(500_000)
    for (const [tool, args] of [
      ['test_sampling', { prompt: 'Hello?' }],
      ['gatehouse_ask', { mark: 'x', rounds: 1, everyMs: 0 }],
    ] as const) {
      const stream = readStream(await session.call(rig.a, tool, args))
      const question = await stream.until(isQuestion)
      const body = `{"jsonrpc":"2.0","id":${JSON.stringify(question.id)},"result":{"deep":${deep}}}`
      expect((await session.send(rig.b, body)).status).toBeLessThan(500)
      await stream.leave()
    }
  })
})

describe('the arguments of a call', () => {
  it('are not kept above a length: it cannot be parked, and its tool says so', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const args = { mark: 'x', rounds: 1, everyMs: 0, more: 'x'.repeat(3 * MEGABYTE) }
    const { result } = await reply(await session.call(rig.a, 'gatehouse_ask', args))
    expect(result).toMatchObject({ isError: true })
    const kept = rig.sent.flat().flatMap((one) => ('value' in one ? [one.value.length] : []))
    expect(Math.max(...kept)).toBeLessThan(MEGABYTE)
  })

  it('that are long or deep do not keep a reading call from ending', async () => {
    const session = await openSession(rig.a)
    const args = { mark: 'long', count: 3, everyMs: 10, more: 'x'.repeat(3 * MEGABYTE) }
    const stream = readStream(await session.call(rig.a, 'gatehouse_steps_again', args))
    await stream.until(isAnswer)
    expect(await stream.ended).toBe(true)
    const kept = rig.sent.flat().flatMap((one) => ('value' in one ? [one.value.length] : []))
    expect(Math.max(...kept)).toBeLessThan(MEGABYTE)
  })
})
