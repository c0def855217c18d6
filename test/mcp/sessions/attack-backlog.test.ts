import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '#test/mcp/post'
import { eventually, openSession, readStream } from '#test/mcp/session'
import { type AttackRig, openAttackRig } from '#test/mcp/sessions/attack-rig'

/** Streams that say more than a connection holds. */

let rig: AttackRig
beforeEach(async () => {
  rig = await openAttackRig()
})
afterEach(() => rig.close())

const numbers = (all: readonly Reply[]) =>
  all.flatMap(({ method, params }) =>
    method === 'notifications/message' ? [(params as { data: { n: number } }).data.n] : [],
  )
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const isAnswer = ({ result }: Reply) => result !== undefined

describe('a call that says more at once than a connection holds', () => {
  it('reaches a client that reads, whole and in order', async () => {
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'burst', { count: 40, bytes: 100_000 }))
    await stream.until(isAnswer)
    expect(await stream.ended).toBe(true)
    expect(numbers(stream.messages)).toEqual(upTo(40))
  })

  it('is read again whole by a client that comes back', async () => {
    const session = await openSession(rig.a)
    const response = await session.call(rig.a, 'burst', { count: 40, bytes: 100_000 })
    const stream = readStream(response)
    await eventually(() => stream.frames.length > 0)
    const first = stream.frames[0]?.id ?? ''
    await stream.leave()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const again = readStream(await session.get(rig.b, { 'last-event-id': first }))
    await again.until(isAnswer)
    expect(await again.ended).toBe(true)
    expect(numbers(again.messages)).toEqual(upTo(40))
  })

  it('leaves nothing behind when its reader does not read', async () => {
    const session = await openSession(rig.a)
    const stream = readStream(await session.call(rig.a, 'burst', { count: 40, bytes: 100_000 }))
    await stream.until(({ method }) => method === 'notifications/message')
    const [first] = stream.frames
    await stream.leave()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const unread = await session.get(rig.b, { 'last-event-id': first?.id ?? '' })
    await unread.body?.cancel()
    rig.sent.length = 0
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(rig.sent).toEqual([])
  })
})
