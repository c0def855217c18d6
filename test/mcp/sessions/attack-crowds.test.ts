import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CALLS_PER_ACCOUNT, READERS_PER_ACCOUNT } from '#lib/config/limits'
import type { Reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** One account that wants the whole instance. */

const ASKABLE = { elicitation: { form: {} } }
const isQuestion = ({ method }: Reply) => method === 'elicitation/create'
const isAnswer = ({ result }: Reply) => result !== undefined

let rig: AttackRig
beforeEach(async () => {
  rig = await openAttackRig()
})
afterEach(() => rig.close())

describe('calls that never end', () => {
  it('leave room for others: one too many is told to come back', async () => {
    const session = await openSession(rig.a)
    const calls = Array.from({ length: CALLS_PER_ACCOUNT }, (_, n) =>
      session.call(rig.a, 'forever', { mark: `${n}` }),
    )
    await eventually(() => rig.working.size === CALLS_PER_ACCOUNT)
    const refused = await session.call(rig.a, 'test_simple_text')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])

    const other = await openSession(rig.a, { token: 'bob' })
    expect((await other.call(rig.a, 'test_simple_text')).status).toBe(200)
    await session.delete(rig.a)
    await Promise.all(calls.map(async (call) => (await call).body?.cancel()))
    await eventually(() => rig.working.size === 0)
    const again = await openSession(rig.a)
    expect((await again.call(rig.a, 'test_simple_text')).status).toBe(200)
  })
})

describe('questions that nobody answers', () => {
  it('are not all read at once: the oldest stream ends, and goes on when its client comes back', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const ask = async (mark: string) => {
      const stream = readStream(await session.call(rig.a, 'guarded_ask', { mark }))
      return { stream, question: await stream.until(isQuestion) }
    }
    const oldest = await ask('oldest')
    for (let n = 1; n < READERS_PER_ACCOUNT; n++) await ask(`${n}`)
    expect(await Promise.race([oldest.stream.ended, 'open'])).toBe('open')
    await ask('one too many')
    expect(await oldest.stream.ended).toBe(true)

    const { lastEventId = '' } = oldest.stream
    await session.answer(rig.b, oldest.question, { action: 'accept', content: { answer: 'yes' } })
    const back = readStream(await session.get(rig.b, { 'last-event-id': lastEventId }))
    expect((await back.until(isAnswer)).result.content[0].text).toContain('Written')
  })
})
