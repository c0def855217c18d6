import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { append, get, set } from '#lib/store/operations'
import type { Operation } from '#lib/store/port'
import type { Reply } from '#test/mcp/post'
import { eventually, openSession, type RawSession, readStream } from '#test/mcp/session'
import { type AttackRig, type Fault, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** Two things at once, where one of them must win. */

const ASKABLE = { elicitation: { form: {} } }
const isQuestion = ({ method }: Reply) => method === 'elicitation/create'
const isAnswer = ({ result, error }: Reply) => (result ?? error) !== undefined
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const accepted = { action: 'accept', content: { answer: 'yes' } }

let rig: AttackRig
beforeEach(async () => {
  rig = await openAttackRig()
})
afterEach(() => rig.close())

/** The record that a request writes when it parks a call. */
const parks = (operations: readonly Operation[]) =>
  operations.find((one) => one.kind === 'swap' && one.next !== null && /"status":"parked"/.test(one.next))

const xidOf = (operation: Operation | undefined) =>
  operation?.kind === 'swap' ? (operation.key.split(':')[2] ?? '') : ''

async function recordOf(session: RawSession, xid: string) {
  const text = await rig.store.run(get(keys.mcpRun(await rig.sidOf(session.id), xid), { fresh: true }))
  return text === null ? undefined : (JSON.parse(text) as { status: string; epoch: number })
}

describe('a call that is cancelled while it is parked', () => {
  it.each(['a', 'b'] as const)('(through %s) stays cancelled: no answer makes it go on', async (at) => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    let xid = ''
    rig.faults = async (operations): Promise<Fault> => {
      if (xid !== '' || !parks(operations)) return 'none'
      xid = xidOf(parks(operations))
      await session.notify(rig[at], 'notifications/cancelled', { requestId: 'it' })
      return 'none'
    }
    const call = session.call(rig.a, 'guarded_ask', { mark: 'it' }, { id: 'it' })
    const stream = readStream(await call)
    expect(await stream.ended).toBe(true)
    await eventually(async () => (await recordOf(session, xid))?.status === 'done')
    await session.answer(rig.b, { id: `${xid}:1.p0` }, accepted)
    await pause(200)
    expect(rig.working.size).toBe(0)
  })
})

describe('a call whose parking was written although nobody said so', () => {
  it('is answered once: an answer to its question does not run it again', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    let xid = ''
    rig.faults = (operations): Fault => {
      if (xid !== '' || !parks(operations)) return 'none'
      xid = xidOf(parks(operations))
      return 'lost'
    }
    const stream = readStream(await session.call(rig.a, 'guarded_ask', { mark: 'it' }))
    const { result } = await stream.until(isAnswer)
    expect(result).toMatchObject({ isError: true })
    await eventually(async () => (await recordOf(session, xid))?.status === 'done')
    await session.answer(rig.b, { id: `${xid}:1.p0` }, accepted)
    await pause(200)
    expect(rig.working.size).toBe(0)
  })
})

describe('a lost call that two clients read', () => {
  it('is taken up by one of them', async () => {
    const session = await openSession(rig.a)
    const sid = await rig.sidOf(session.id)
    const xid = 'X'.repeat(22)
    const args = { mark: 'again', count: 2, everyMs: 0 }
    const request = {
      jsonrpc: '2.0',
      id: 'lost',
      method: 'tools/call',
      params: { name: 'gatehouse_steps_again', arguments: args },
    }
    const record = {
      v: 1,
      status: 'running',
      epoch: 1,
      tries: 1,
      by: xid,
      rounds: 0,
      ids: ['lost'],
      requests: [request],
      repeatable: true,
    }
    await rig.store.batch(
      set(keys.mcpRun(sid, xid), JSON.stringify(record), { ttlMs: 60_000 }),
      append(keys.mcpRunLog(sid, xid), '{"m":[]}', { id: '1-1', keep: 10, ttlMs: 60_000 }),
    )
    let claims = 0
    rig.faults = async (operations): Promise<Fault> => {
      const claims2 = operations.some((one) => one.kind === 'swap' && one.key.startsWith('mr:'))
      if (claims2) claims++
      // Whoever claimed it hears of it late.
      else if (claims > 0 && operations[0]?.kind === 'set' && operations[0].key.startsWith('mo:'))
        await pause(500)
      return 'none'
    }
    const resume = async (at: 'a' | 'b') =>
      readStream(await session.get(rig[at], { 'last-event-id': `${xid}_1-0` }))
    const first = await resume('a')
    await eventually(() => claims > 0)
    const second = await resume('b')
    // The second reads now: its client came later.
    const { result, error } = await second.until(isAnswer)
    expect(error).toBeUndefined()
    expect(result.content[0].text).toBe('again: 2')
    await first.leave()
  })
})

describe('answers to one question that come at once', () => {
  it('make the call go on once', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const stream = readStream(
      await session.call(rig.a, 'gatehouse_ask', { mark: 'm', rounds: 1, everyMs: 0 }),
    )
    const question = await stream.until(isQuestion)
    const answers = ['one', 'two', 'three', 'four'].map((answer, index) =>
      session.answer(index % 2 ? rig.a : rig.b, question, { action: 'accept', content: { answer } }),
    )
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([202, 202, 202, 202])
    await stream.until(isAnswer)
    expect(await stream.ended).toBe(true)
    expect(stream.messages.filter(isAnswer)).toHaveLength(1)
  })

  it('does so too when the store did what it does not admit', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const stream = readStream(
      await session.call(rig.a, 'gatehouse_ask', { mark: 'm', rounds: 1, everyMs: 0 }),
    )
    const question = await stream.until(isQuestion)
    let lost = 0
    rig.faults = (operations): Fault =>
      lost === 0 && operations.some((one) => one.kind === 'swap') && ++lost ? 'lost' : 'none'
    const answer = { action: 'accept', content: { answer: 'here' } }
    expect((await session.answer(rig.b, question, answer)).status).toBe(503)
    // Nobody runs it: its reader finds out, and says so.
    const { result, error } = await stream.until(isAnswer)
    expect(result?.content[0].text ?? error?.data).toEqual({ reason: 'executor_lost' })
  })
})
