import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keys } from '#lib/store/keys'
import { del } from '#lib/store/operations'
import { messages, type Reply } from '#test/mcp/post'
import { eventually, openSession, type RawSession, readStream } from '#test/mcp/session'
import { type AttackRig, type Fault, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** A store that fails at each step: never a hang, never a 500, never a rejection that nobody handles. */

const ASKABLE = { elicitation: { form: {} } }
const isQuestion = ({ method }: Reply) => method === 'elicitation/create'
const isAnswer = ({ result, error }: Reply) => (result ?? error) !== undefined
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const accepted = { action: 'accept', content: { answer: 'yes' } }

let rig: AttackRig
const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)
beforeEach(async () => {
  rig = await openAttackRig()
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  await rig.close()
  await pause(20)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

async function ends(response: Promise<Response>): Promise<Response> {
  const answer = await Promise.race([response, pause(4000)])
  if (!answer) throw new Error('no answer')
  expect(answer.status).not.toBe(500)
  return answer
}

const steps: readonly { what: string; act(session: RawSession): Promise<Response> }[] = [
  { what: 'a quick call', act: (session) => session.call(rig.a, 'test_simple_text') },
  { what: 'a call that speaks', act: (session) => session.call(rig.a, 'test_tool_with_logging') },
  { what: 'a call that asks', act: (session) => session.call(rig.a, 'guarded_ask', { mark: 'x' }) },
  { what: 'a level', act: (session) => session.request(rig.a, 'logging/setLevel', { level: 'error' }) },
  { what: 'a subscription', act: (session) => session.request(rig.a, 'resources/subscribe', { uri: 'a:b' }) },
  {
    what: 'a cancellation',
    act: (session) => session.notify(rig.a, 'notifications/cancelled', { requestId: 9 }),
  },
  { what: 'a change', act: (session) => session.call(rig.a, 'change') },
  { what: 'a stream', act: (session) => session.get(rig.a) },
  { what: 'the end', act: (session) => session.delete(rig.a) },
]

describe.each([
  { fault: 'refused', which: 'every write' },
  { fault: 'lost', which: 'every write' },
  { fault: 'refused', which: 'all but the first request' },
] as const)('when $which is $fault', ({ fault, which }) => {
  it.each(steps)('$what is answered', async ({ act }) => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    await pause(20)
    let sent = 0
    rig.faults = (operations): Fault => {
      const first = sent++ === 0
      const writes = operations.some(({ kind }) => kind !== 'get' && kind !== 'read')
      return (which === 'every write' ? writes : !first) ? fault : 'none'
    }
    const response = await ends(act(session))
    if (response.headers.get('content-type')?.includes('event-stream')) {
      const stream = readStream(response)
      await pause(700)
      await stream.leave()
    } else await response.text()
  })

  it('a session is opened, or the client is told', async () => {
    let sent = 0
    rig.faults = () => (sent++ === 0 && which !== 'every write' ? 'none' : fault)
    await expect(openSession(rig.a)).resolves.toBeDefined()
    await pause(50)
  })
})

describe('each request of a call that asks, failing alone', () => {
  it.each([
    ...Array.from({ length: 7 }, (_, n) => ({ n: n + 1, fault: 'refused' as const })),
    ...Array.from({ length: 7 }, (_, n) => ({ n: n + 1, fault: 'lost' as const })),
  ])('$n $fault: it is answered in the end, or the client knows', async ({ n, fault }) => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    await pause(20)
    let sent = 0
    rig.faults = () => (++sent === n ? fault : 'none')
    const response = await ends(session.call(rig.a, 'gatehouse_ask', { mark: 'm', rounds: 1, everyMs: 0 }))
    if (response.status !== 200) return
    const stream = readStream(response)
    const first = await stream.until((message) => isQuestion(message) || isAnswer(message))
    if (!isQuestion(first)) return
    const told = await ends(session.answer(rig.b, first, accepted))
    if (told.status === 503) await ends(session.answer(rig.b, first, accepted))
    const { result, error } = await stream.until(isAnswer)
    expect(result?.content[0].text ?? error?.data).toBeDefined()
  })
})

describe('a store that loses what it knew of a running call', () => {
  it('does not leave its client without an answer', async () => {
    const session = await openSession(rig.a)
    const call = session.call(rig.a, 'gatehouse_steps', { mark: 'm', count: 12, everyMs: 300 })
    const stream = readStream(await call)
    await stream.until(({ method }) => method !== undefined)
    const xid = stream.lastEventId?.slice(0, 22) ?? ''
    await rig.store.run(del(keys.mcpRun(await rig.sidOf(session.id), xid)))
    const { result } = await stream.until(isAnswer)
    expect(result.content[0].text).toBe('m: 12')
  })
})

describe('a thousand calls', () => {
  it('leave no timer and no connection behind', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const mixed = async (n: number) => {
      if (n % 50 === 0) return messages(await session.call(rig.a, 'test_tool_with_logging'))
      if (n % 50 === 1) {
        const stream = readStream(await session.call(rig.a, 'guarded_ask', { mark: 'n' }, { id: `ask${n}` }))
        await stream.until(isQuestion)
        await session.notify(rig.b, 'notifications/cancelled', { requestId: `ask${n}` })
        return stream.ended
      }
      return messages(await session.call(n % 2 ? rig.a : rig.b, 'test_simple_text'))
    }
    for (let n = 1000; n < 1100; n++) await mixed(n)
    await pause(300)
    const before = timers()
    for (let from = 0; from < 1000; from += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => mixed(from + n)))
    }
    await eventually(() => timers() <= before + 2)
  })
})
