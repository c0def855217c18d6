import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { STREAM_RECHECK_MS } from '#lib/config/limits'
import { type Reply, reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** What goes on under a connection that has ended, or under less than it needs. */

const ASKABLE = { elicitation: { form: {} } }
const isQuestion = ({ method }: Reply) => method === 'elicitation/create'
const isAnswer = ({ result, error }: Reply) => (result ?? error) !== undefined

let rig: AttackRig
beforeEach(async () => {
  rig = await openAttackRig()
})
afterEach(async () => {
  vi.useRealTimers()
  await rig.close()
})

describe('a connection that ends while a call runs', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))

  it('stops the call within the time of a recheck, and tells nothing of it', async () => {
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'forever', { mark: 'read' }))
    await eventually(() => stream.frames.length > 0)
    rig.ended.add('alice')
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    expect(await stream.ended).toBe(true)
    expect(stream.messages).toEqual([])
    await eventually(() => rig.working.size === 0)
  })

  it('stops the call although its client has left', async () => {
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'forever', { mark: 'left' }))
    await eventually(() => stream.frames.length > 0)
    await stream.leave()
    rig.ended.add('alice')
    await vi.advanceTimersByTimeAsync(STREAM_RECHECK_MS)
    await eventually(() => rig.working.size === 0)
  })
})

describe('a scope that was lost between question and answer', () => {
  it('keeps the answer from being acted on; the question waits for a token that may', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const stream = readStream(await session.call(rig.a, 'guarded_ask', { mark: 'acted' }))
    const question = await stream.until(isQuestion)
    const answer = {
      jsonrpc: '2.0',
      id: question.id,
      result: { action: 'accept', content: { answer: 'yes' } },
    }
    const refused = await session.send(rig.b, answer, { token: 'alice/notes:read' })
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('notes:write')
    expect(rig.working.size).toBe(0)

    expect((await session.send(rig.b, answer)).status).toBe(202)
    const { result } = await stream.until(isAnswer)
    expect(result.content[0].text).toBe('Written with notes:read notes:write.')
  })

  it('does not let a client refuse for good what it may not answer', async () => {
    const session = await openSession(rig.a, { capabilities: ASKABLE })
    const refused = await session.call(rig.a, 'guarded_ask', { mark: 'x' }, { token: 'alice/notes:read' })
    expect(refused.status).toBe(403)
    expect((await reply(refused)).error).toBeDefined()
  })
})
