import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import type { Reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** What somebody else's names are good for: nothing. */

const ASKABLE = { elicitation: { form: {} } }
const isQuestion = ({ method }: Reply) => method === 'elicitation/create'
const accepted = { action: 'accept', content: { answer: 'stolen' } }
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

let rig: AttackRig
beforeAll(async () => {
  rig = await openAttackRig()
})
afterAll(() => rig.close())

describe.each([
  { whose: 'another person', token: 'mallory' },
  { whose: 'another app of the person', token: 'alice@other' },
  { whose: 'another session of the same app', token: 'alice' },
])('$whose', ({ token }) => {
  it('neither reads, answers, cancels nor ends a call by its ids', async () => {
    const own = await openSession(rig.a, { capabilities: ASKABLE })
    const stream = readStream(await own.call(rig.a, 'guarded_ask', { mark: token }, { id: 'theirs' }))
    const question = await stream.until(isQuestion)
    const first = stream.frames[0]?.id ?? ''

    const thief = await openSession(rig.b, { token, capabilities: ASKABLE })
    const reading = await thief.get(rig.b, { 'last-event-id': first }, token)
    expect(reading.status).toBe(405)
    await thief.answer(rig.b, question, accepted)
    await thief.notify(rig.b, 'notifications/cancelled', { requestId: 'theirs' })
    await thief.notify(rig.b, 'notifications/progress', { progressToken: question.id, progress: 1 })
    if (token !== 'alice') {
      // With the id of the session itself, but under their own token.
      const headers = { 'mcp-session-id': own.id }
      const answer = { jsonrpc: '2.0', id: question.id, result: accepted }
      expect((await thief.send(rig.b, answer, { token, headers })).status).toBe(404)
      expect((await own.get(rig.b, { 'last-event-id': first }, token)).status).toBe(404)
      expect((await own.delete(rig.b, token)).status).toBe(404)
    }
    await pause(100)
    expect(rig.working.has(token)).toBe(false)
    const xid = first.slice(0, 22)
    const sid = await rig.sidOf(own.id)
    const record = await rig.store.run(get(keys.mcpRun(sid, xid), { fresh: true }))
    expect(JSON.parse(record ?? '')).toMatchObject({ status: 'parked', answers: {} })
    await own.answer(rig.b, question, { action: 'accept', content: { answer: 'mine' } })
    expect((await stream.until(({ result }) => result !== undefined)).result.isError).toBeUndefined()
    rig.working.clear()
  })
})

describe('names that are none', () => {
  it.each([
    `${'A'.repeat(22)}_999999999-999999999`,
    `${'A'.repeat(22)}_1-1\tretry: 1`,
    `g_${'9'.repeat(400)}-0`,
    'g_-1-0',
    'x'.repeat(10_000),
    '__proto__',
  ])('%# as Last-Event-ID are harmless', async (id) => {
    const session = await openSession(rig.a)
    const response = await session.get(rig.a, { 'last-event-id': id })
    expect(response.status).toBeLessThan(500)
    if (response.status === 200) {
      const stream = readStream(response)
      await eventually(() => stream.frames.length > 0)
      expect(JSON.stringify(stream.frames)).not.toContain('retry: 1')
      await stream.leave()
    }
  })

  it.each([
    { id: `${'A'.repeat(22)}:999999999.p999999999`, result: {} },
    { id: `${'A'.repeat(22)}:1.0`, error: { code: 1, message: 'x', data: { __proto__: 1 } } },
    { id: '__proto__', result: JSON.parse('{"__proto__":{"action":"accept"}}') },
    { method: 'notifications/cancelled', params: { requestId: '__proto__', reason: 'x\r\ny' } },
    { method: 'notifications/cancelled', params: { requestId: { a: 1 } } },
    { method: 'notifications/progress', params: { progressToken: ['a'], progress: 'x' } },
    { method: 'notifications/roots/list_changed', params: null },
  ])('%# as messages are taken and dropped, or refused', async (message) => {
    const session = await openSession(rig.a)
    expect((await session.send(rig.b, { jsonrpc: '2.0', ...message })).status).toBeLessThan(500)
    expect((await session.request(rig.b, 'ping')).status).toBe(200)
  })
})

describe('a batch of everything at once (2025-03-26)', () => {
  it('is answered whole, each request once, in whatever form', async () => {
    const session = await openSession(rig.a, { version: '2025-03-26' })
    const request = (id: unknown, method: string, params: object = {}) => ({
      jsonrpc: '2.0',
      id,
      method,
      params,
    })
    const call = (id: unknown, name: string, args: object = {}) =>
      request(id, 'tools/call', { name, arguments: args })
    const response = await session.send(rig.b, [
      request(1, 'ping'),
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } },
      call('1', 'test_simple_text'),
      request(2, 'resources/subscribe', { uri: 'a:b' }),
      request(3, 'logging/setLevel', { level: 'loud' }),
      call(4, 'test_tool_with_logging'),
      { jsonrpc: '2.0', id: 'nobody', result: {} },
      request(5, 'nothing/here'),
      request(6, 'resources/subscribe', { uri: 'c:d' }),
    ])
    const stream = readStream(response)
    expect(await stream.ended).toBe(true)
    const ids = stream.messages.flatMap(({ id }) => (id === undefined ? [] : [id]))
    expect(ids.map(String).sort()).toEqual(['1', '1', '2', '3', '4', '5', '6'])
    const kept = await rig.store.run(get(keys.mcpPreferences(await rig.sidOf(session.id)), { fresh: true }))
    expect(JSON.parse(kept ?? '').subscriptions).toEqual(['a:b', 'c:d'])
  })
})
