import { afterEach, describe, expect, it } from 'vitest'
import { RUN_DRAIN_BEAT_MS } from '#lib/config/limits'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'
import { type Reply, reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, type Fault, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** Calls that would never end, and so hold an instance for ever. */

const isAnswer = ({ result, error }: Reply) => (result ?? error) !== undefined

let rig: AttackRig
afterEach(() => rig.close())

describe('a call that never ends', () => {
  it('is answered with an error before the platform would cut it, and stopped', async () => {
    rig = await openAttackRig({ runMaxSeconds: 2 })
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'forever', { mark: 'long' }))
    const { error } = await stream.until(isAnswer)
    expect(error).toMatchObject({ code: -32603, data: { reason: 'time_limit' } })
    expect(await stream.ended).toBe(true)
    await eventually(() => rig.working.size === 0)
  })

  it('is answered although its client reads elsewhere by now', async () => {
    rig = await openAttackRig({ runMaxSeconds: 3, streamMaxSeconds: 1 })
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'forever', { mark: 'moved' }))
    expect(await stream.ended).toBe(true)
    const resumed = readStream(await session.get(rig.b, { 'last-event-id': stream.lastEventId ?? '' }))
    expect((await resumed.until(isAnswer)).error).toMatchObject({ data: { reason: 'time_limit' } })
    expect(await resumed.ended).toBe(true)
  })

  it('is a plain answer where the limit is shorter than the time for one', async () => {
    rig = await openAttackRig({ runMaxSeconds: 0.2 })
    const session = await openSession(rig.a)
    const response = await session.call(rig.a, 'forever', { mark: 'short' })
    expect(response.headers.get('content-type')).toContain('application/json')
    expect((await reply(response)).error?.data).toEqual({ reason: 'time_limit' })
    await eventually(() => rig.working.size === 0)
  })
})

describe('an id that we use ourselves', () => {
  it.each(['gatehouse:initialize', '__proto__', 'constructor'])('%s is answered like any', async (id) => {
    rig = await openAttackRig()
    const session = await openSession(rig.a)
    const response = await session.call(rig.a, 'test_simple_text', {}, { id })
    expect(await reply(response)).toMatchObject({ id, result: { content: [{ type: 'text' }] } })
  })
})

describe('a process that stops while a session ends', () => {
  it('leaves no lease behind that is renewed for ever', async () => {
    rig = await openAttackRig()
    const session = await openSession(rig.a)
    const sid = await rig.sidOf(session.id)
    let xid = ''
    rig.faults = async (operations): Promise<Fault> => {
      const [first] = operations
      if (first?.kind !== 'set' || !first.key.startsWith('mr:')) return 'none'
      xid = first.key.split(':')[2] ?? ''
      await rig.store.run(set(keys.mcpEnded(sid), '1', { ttlMs: 60_000 }))
      return 'none'
    }
    const call = session.call(rig.a, 'forever', { mark: 'ending' })
    await eventually(() => rig.working.size > 0)
    await rig.a.drain()
    await (await call).text()
    await new Promise((resolve) => setTimeout(resolve, RUN_DRAIN_BEAT_MS))
    await rig.store.run(del(keys.mcpRunLease(sid, xid)))
    await new Promise((resolve) => setTimeout(resolve, 2 * RUN_DRAIN_BEAT_MS))
    expect(await rig.store.run(get(keys.mcpRunLease(sid, xid), { fresh: true }))).toBeNull()
  })
})
