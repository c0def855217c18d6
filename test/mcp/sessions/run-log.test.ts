import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { RUN_FRAME_MAX_BYTES } from '#lib/config/limits'
import { openRunLog, type RunLog, readFrames } from '#lib/mcp/sessions/run-log'
import { keys } from '#lib/store/keys'
import { read } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { localStoreLater } from '#test/support/live-parts'

const XID = 'abcdefghijklmnopqrstuv'
const SID = 'zyxwvutsrqponmlkjihgfe'
const START = { xid: XID, epoch: 1, seq: 0 }
const note = (data: unknown): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data },
})

function open(store: Store, epoch = 1): RunLog {
  return openRunLog({ sid: SID, xid: XID, epoch }, { store, channel: undefined, onFlushed: () => undefined })
}

async function readAll(store: Store, after = START) {
  const entries = await store.run(read(keys.mcpRunLog(SID, XID), { limit: 100 }))
  return { entries, ...readFrames(entries, after) }
}

/** A store whose next batches fail: after they were carried out, or before. */
function failing(store: Store, failures: ('after' | 'before')[]): Store {
  return {
    ...store,
    async batch(...operations) {
      const failure = failures.shift()
      if (failure === 'before') throw new StoreUnavailable('test')
      const answers = await store.batch(...operations)
      if (failure === 'after') throw new StoreUnavailable('test')
      return answers
    },
  }
}

describe('the log of a run', () => {
  it('holds frames of one flush in one entry, in order, and gives them back after any place', async () => {
    const store = localStoreLater()
    const log = open(store)
    const frames = [1, 2, 3].map((n) => log.add(note(n)))
    await log.flush({ end: true })
    const all = await readAll(store)
    expect(all.entries).toHaveLength(1)
    expect(all.ended).toBe(true)
    expect(all.frames).toEqual(frames)
    expect((await readAll(store, { ...START, seq: 2 })).frames).toEqual(frames.slice(2))
  })

  it('writes what waits a moment later by itself', async () => {
    const store = localStoreLater()
    open(store).add(note(1))
    await expect.poll(async () => (await readAll(store)).frames.length).toBe(1)
  })

  it.each([
    { what: 'was never carried out', failures: ['before'] as const },
    { what: 'was carried out without an answer', failures: ['after'] as const },
    { what: 'failed twice', failures: ['after', 'before'] as const },
  ])('loses nothing and repeats nothing when a write $what', async ({ failures }) => {
    const store = localStoreLater()
    const log = open(failing(store, [...failures]))
    log.add(note(1))
    for (const _ of failures) await expect(log.flush()).rejects.toThrow(StoreUnavailable)
    log.add(note(2))
    expect(await log.flush()).toMatchObject({ stale: false })
    expect((await readAll(store)).frames.map(({ place }) => place.seq)).toEqual([1, 2])
  })

  it('takes the repetition of an answered write for its own', async () => {
    const store = localStoreLater()
    const log = open(failing(store, ['after']))
    log.add(note(1))
    await expect(log.flush({ end: true })).rejects.toThrow(StoreUnavailable)
    expect(await log.flush({ end: true })).toMatchObject({ stale: false })
    expect((await readAll(store)).ended).toBe(true)
  })

  it('refuses a writer whose run was taken over', async () => {
    const store = localStoreLater()
    const [stale, current] = [open(store, 1), open(store, 2)]
    current.add(note('new'))
    await current.flush()
    stale.add(note('old'))
    expect(await stale.flush()).toMatchObject({ stale: true })
    const { frames } = await readAll(store)
    expect(frames.map(({ message }) => message)).toEqual([note('new')])
  })

  it('holds an error instead of a result that is too large, and a word instead of such a notification', async () => {
    const store = localStoreLater()
    const log = open(store)
    const large = 'x'.repeat(RUN_FRAME_MAX_BYTES)
    log.add(note(large))
    log.add({ jsonrpc: '2.0', id: 7, result: { large } })
    await log.flush()
    const { frames } = await readAll(store)
    expect(frames[0]?.message).toMatchObject({
      method: 'notifications/message',
      params: { level: 'warning' },
    })
    expect(frames[1]?.message).toMatchObject({ id: 7, error: { code: -32603 } })
  })

  it.each([[[]], [['before']], [['after', 'before']]] as const)(
    'writes a flood in as many entries as requests can carry, in order, with failures %j',
    async (failures) => {
      const store = localStoreLater()
      const log = open(failing(store, [...failures]))
      for (let n = 1; n <= 7; n++) log.add(note('x'.repeat(RUN_FRAME_MAX_BYTES / 3)))
      for (const _ of failures) await expect(log.flush({ end: true })).rejects.toThrow(StoreUnavailable)
      log.add(note('last'))
      expect(await log.flush({ end: true })).toMatchObject({ stale: false })
      const { entries, frames, ended } = await readAll(store)
      expect(frames.map(({ place }) => place.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(ended).toBe(true)
      for (const { data } of entries) expect(data.length).toBeLessThan(1.1 * RUN_FRAME_MAX_BYTES)
    },
  )
})
