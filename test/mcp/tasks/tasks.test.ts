import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '#lib/store/port'
import { createTcpStore } from '#lib/store/redis/tcp'
import { modern, reply } from '#test/mcp/post'
import { openSession, readStream } from '#test/mcp/session'
import {
  about,
  backends,
  begin,
  call,
  ended,
  type Instance,
  KNOWS_TASKS,
  openRig,
  type Rig,
  SHORT,
  seen,
  status,
  TASKS,
  until,
} from '#test/mcp/tasks/rig'
import { askServer } from '#test/store/backends'
import { startRedis } from '#test/support/redis-server'

const ROUNDS = process.env['SOAK'] ? 200 : 10
const PATIENT_MS = 20_000 + ROUNDS * 1000

describe.each(backends)('tasks over $over', ({ open }) => {
  let rig: Rig
  let a: Instance
  let b: Instance

  beforeEach(async () => {
    rig = await openRig(open)
    a = rig.instance()
    b = rig.instance()
  })
  afterEach(() => rig.stop())

  it('answer a call at once, run on, and keep the result for whoever asks on any instance', async () => {
    const open1 = rig.hold('count 1')
    const { result } = await call(a, 'count', { to: 3 })
    expect(result).toMatchObject({
      resultType: 'task',
      status: 'working',
      statusMessage: '0 of 3',
      ttlMs: 86_400_000,
      pollIntervalMs: 2000,
    })
    expect(Object.keys(result).sort()).toEqual([
      '_meta',
      'content',
      'createdAt',
      'lastUpdatedAt',
      'pollIntervalMs',
      'resultType',
      'status',
      'statusMessage',
      'taskId',
      'ttlMs',
    ])
    expect(await status(b, result.taskId)).toMatchObject({ resultType: 'complete', status: 'working' })
    open1()
    const task = await ended(b, result.taskId)
    expect(task).toMatchObject({
      status: 'completed',
      result: {
        content: [{ type: 'text', text: 'counted to 3' }],
        structuredContent: { said: 'counted to 3' },
      },
    })
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2', '3 begun', '3'])
    expect(await ended(a, result.taskId)).toMatchObject({ result: task.result })
  })

  it('go on elsewhere after the last saved step when their instance is killed between two steps', async () => {
    const taskId = await begin(a, 'count', { to: 3, pauseMs: 300 })
    await seen(rig.effects, '1')
    await until(b, taskId, (task) => task.statusMessage === '1 of 3')
    a.kill()
    await rig.passes(SHORT.leaseMs + 50)
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2', '3 begun', '3'])
  })

  it('fail and say so when their instance is killed within a step that may have changed something', async () => {
    rig.hold('count 2')
    const taskId = await begin(a, 'count', { to: 3 })
    await seen(rig.effects, '2 begun')
    a.kill()
    await rig.passes(SHORT.leaseMs + 50)
    const task = await ended(b, taskId)
    expect(task).toMatchObject({
      status: 'failed',
      error: {
        code: -32603,
        message: expect.stringContaining('not known whether its last step changed anything'),
      },
    })
    expect(task.error.message).toContain('Last known: 1 of 3')
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun'])
  })

  it('run a step again that only reads, and give up on one that stops every instance', async () => {
    const open2 = rig.hold('count 2')
    const taskId = await begin(a, 'look', { to: 2 })
    await seen(rig.effects, '2 begun')
    a.kill()
    await rig.passes(SHORT.leaseMs + 50)
    await status(b, taskId)
    await until(b, taskId, () => rig.effects.filter((effect) => effect === '2 begun').length === 2)
    open2()
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })

    rig.hold('count 1')
    const killing = await begin(b, 'look', { to: 1 })
    for (let round = 0, at = b; round < 4; round++) {
      at.kill()
      at = rig.instance()
      await rig.passes(SHORT.leaseMs + 50)
      await until(at, killing, (task) => task.status === 'failed' || at.requests.length > 4)
      if (round === 3) {
        expect(await ended(at, killing)).toMatchObject({
          error: { message: expect.stringContaining('3 times') },
        })
      }
    }
  })

  it('are let go of on SIGTERM between two steps, in one request, and taken up without waiting', async () => {
    const long = rig.instance({ times: { leaseMs: 60_000, beatMs: 20_000 } })
    const taskId = await begin(long, 'count', { to: 2, pauseMs: 400 })
    const other = await begin(long, 'count', { to: 2, pauseMs: 400 })
    await until(b, taskId, (task) => task.statusMessage === '1 of 2')
    await until(b, other, (task) => task.statusMessage === '1 of 2')
    const before = long.requests.length
    await long.tasks.drain()
    expect(long.requests.slice(before)[0]).toEqual(['swap', 'swap'])
    long.kill()
    await rig.passes(450)
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(await ended(b, other)).toMatchObject({ status: 'completed' })
  })

  it('finish and save the step that SIGTERM interrupts, and leave the next one to others', async () => {
    const open2 = rig.hold('count 2')
    const long = rig.instance({ times: { leaseMs: 60_000, beatMs: 20_000 } })
    const taskId = await begin(long, 'count', { to: 3 })
    await seen(rig.effects, '2 begun')
    await long.tasks.drain()
    expect(await status(b, taskId)).toMatchObject({ status: 'working' })
    open2()
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2', '3 begun', '3'])
  })

  it('hand over before a function would be stopped', async () => {
    const short = rig.instance({ runMaxMs: 1, times: { leaseMs: 60_000, beatMs: 20_000 } })
    const open1 = rig.hold('count 1')
    const taskId = await begin(short, 'count', { to: 2 })
    open1()
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(rig.effects.filter((effect) => effect === '2')).toHaveLength(1)
  })

  it.each([
    { tool: 'look', end: 'completed', step: 'is told to stop' },
    { tool: 'count', end: 'failed', step: 'is told to stop' },
    { tool: 'look', end: 'completed', step: 'has ended' },
    { tool: 'count', end: 'failed', step: 'has ended' },
  ])(
    'of a frozen instance ($tool) are taken up; after the thaw its step $step and saves nothing',
    async ({ tool, end, step }) => {
      const open2 = rig.hold('count 2')
      const taskId = await begin(a, tool, { to: 2 })
      await seen(rig.effects, '2 begun')
      a.freeze()
      await rig.passes(SHORT.leaseMs + 50)
      await status(b, taskId)
      await until(b, taskId, (task) => task.status !== 'working' || rig.effects.length === 4)
      if (step === 'is told to stop') {
        a.thaw()
        await seen(rig.stopped, '2')
      }
      open2()
      const task = await ended(b, taskId)
      expect(task.status).toBe(end)
      a.thaw()
      // Its own time, also where the store's is moved.
      await pause(150)
      expect(await status(b, taskId)).toEqual(task)
      expect(rig.logged.filter(({ event }) => event === 'task_ended')).toHaveLength(1)
    },
  )

  it('lose no step when the reply to its save is lost', async () => {
    a.loseReply((operations) => operations[0]?.kind === 'swap' && operations[0].key.startsWith('t:'))
    const taskId = await begin(a, 'count', { to: 2 })
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2'])
  })

  it('wait for answers on no instance, take them in parts from any, and ask again what does not fit', async () => {
    const taskId = await begin(a, 'asks')
    const asking = await until(b, taskId, (task) => task.status === 'input_required')
    expect(asking.inputRequests).toEqual({
      name: { method: 'elicitation/create', params: expect.objectContaining({ message: 'Who?' }) },
    })
    a.kill()
    const answer = (name: string) => ({ action: 'accept', content: { name } })
    const ack = await reply(await about(b, 'update', taskId, { inputResponses: { name: answer('x') } }))
    expect(ack.result).toEqual({ resultType: 'complete', _meta: expect.anything() })
    const again = await until(b, taskId, (task) => task.status === 'input_required')
    expect(Object.keys(again.inputRequests)).toEqual(['name~2'])

    // The old name is answered, another was never asked: both are ignored.
    await about(b, 'update', taskId, { inputResponses: { name: answer('Eve'), other: answer('Eve') } })
    expect(await status(b, taskId)).toMatchObject({ status: 'input_required' })
    await about(b, 'update', taskId, { inputResponses: { 'name~2': answer('Ann') } })
    const two = await until(b, taskId, (task) => task.status === 'input_required')
    expect(Object.keys(two.inputRequests)).toEqual(['left', 'right'])

    const c = rig.instance()
    await about(c, 'update', taskId, { inputResponses: { left: answer('Lea') } })
    expect(Object.keys((await status(b, taskId)).inputRequests)).toEqual(['right'])
    await about(b, 'update', taskId, { inputResponses: { left: answer('Eve'), right: answer('Rob') } })
    expect(await ended(c, taskId)).toMatchObject({ result: { structuredContent: { said: 'Ann Lea Rob' } } })
    expect(rig.effects).toEqual(['prepared', 'answered'])
  })

  it(
    'take the last two answers at the same moment on two instances, and go on once',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        rig.effects.length = 0
        const taskId = await begin(a, 'asks')
        await until(b, taskId, (task) => task.status === 'input_required')
        const answer = { action: 'accept', content: { name: 'Ann' } }
        await about(a, 'update', taskId, { inputResponses: { name: answer } })
        await until(b, taskId, (task) => task.status === 'input_required')
        await Promise.all([
          about(a, 'update', taskId, { inputResponses: { left: answer } }),
          about(b, 'update', taskId, { inputResponses: { right: answer } }),
        ])
        expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
        expect(rig.effects).toEqual(['prepared', 'answered'])
      }
    },
    PATIENT_MS,
  )

  it('stop when they are cancelled from anywhere, and stay cancelled', async () => {
    const open2 = rig.hold('count 2')
    const taskId = await begin(a, 'count', { to: 9 })
    await seen(rig.effects, '2 begun')
    const ack = await reply(await about(b, 'cancel', taskId))
    expect(ack.result).toEqual({ resultType: 'complete', _meta: expect.anything() })
    expect(await status(b, taskId)).toMatchObject({ status: 'cancelled' })
    await rig.passes(SHORT.beatMs * 3)
    open2()
    await rig.passes(SHORT.beatMs)
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2'])
    expect((await reply(await about(a, 'cancel', taskId))).result).toMatchObject({ resultType: 'complete' })
    expect((await reply(await about(a, 'update', taskId))).result).toMatchObject({ resultType: 'complete' })
    expect(await status(a, taskId)).toMatchObject({ status: 'cancelled' })
  })

  it('stop at once when they are cancelled where they run', async () => {
    const slow = rig.instance({ times: { leaseMs: 60_000, beatMs: 20_000 } })
    rig.hold('count 1')
    const taskId = await begin(slow, 'count', { to: 2 })
    await seen(rig.effects, '1 begun')
    await about(slow, 'cancel', taskId)
    await seen(rig.stopped, '1')
  })

  it('are taken up by one of many that look at the same moment', async () => {
    const open2 = rig.hold('count 2')
    const taskId = await begin(a, 'look', { to: 2 })
    await seen(rig.effects, '2 begun')
    a.kill()
    await rig.passes(SHORT.leaseMs + 50)
    const others = [b, rig.instance(), rig.instance()]
    await Promise.all(others.flatMap((one) => [status(one, taskId), status(one, taskId)]))
    await until(b, taskId, () => rig.effects.length > 3)
    open2()
    expect(await ended(b, taskId)).toMatchObject({ status: 'completed' })
    expect(rig.effects.filter((effect) => effect === '2 begun')).toHaveLength(2)
  })

  it(
    'end once when they are cancelled at the moment they complete',
    async () => {
      const seenStatuses = new Set<string>()
      for (let round = 0; round < 2 * ROUNDS; round++) {
        // Of its own account: nobody may keep so many.
        const who = { token: `racer-${round}` }
        const taskId = await begin(a, 'count', { to: 1 + (round % 3) }, who)
        if (round % 2) await rig.passes(round % 4)
        await about(b, 'cancel', taskId, who)
        const task = await ended(a, taskId, who)
        seenStatuses.add(task.status)
        await rig.passes(10)
        expect(await status(b, taskId, who)).toEqual(task)
        expect('result' in task).toBe(task.status === 'completed')
      }
      expect([...seenStatuses].every((one) => ['completed', 'cancelled'].includes(one))).toBe(true)
    },
    PATIENT_MS,
  )

  it('end with the connection that began them, before the next step', async () => {
    const open2 = rig.hold('count 2')
    const taskId = await begin(a, 'count', { to: 9 }, { token: 'bob' })
    await seen(rig.effects, '2 begun')
    rig.end('bob')
    open2()
    expect(await ended(b, taskId, { token: 'bob' })).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('has ended') },
    })
    expect(rig.effects).toEqual(['1 begun', '1', '2 begun', '2'])
  })

  it('do not exist for another account or another app', async () => {
    const open1 = rig.hold('count 1')
    const taskId = await begin(a, 'count', { to: 1 }, { token: 'alice@editor' })
    for (const token of ['bob@editor', 'alice@other', 'alice']) {
      for (const method of ['get', 'update', 'cancel'] as const) {
        const answer = await reply(await about(a, method, taskId, { token }))
        expect(answer).toMatchObject({ error: { code: -32602 } })
      }
    }
    open1()
    expect(await ended(b, taskId, { token: 'alice@editor' })).toMatchObject({ status: 'completed' })
  })

  it('are listed for their person, the newest first, past one that cannot be read', async () => {
    const first = await begin(a, 'count', { to: 2 })
    await ended(a, first)
    const second = await begin(a, 'asks')
    await until(a, second, (task) => task.status === 'input_required')
    await rig.store.run({ kind: 'rank', index: 'a:alice:t', member: 'broken', score: Date.now() })
    await rig.store.run({ kind: 'rank', index: 'tasks', member: 'broken', score: Date.now() })
    await rig.store.run({ kind: 'set', key: 't:broken', value: '{"v":2}', ifAbsent: false })
    expect((await b.tasks.list('alice')).map(({ taskId, tool, status: now }) => [taskId, tool, now])).toEqual(
      [
        [second, 'asks', 'input_required'],
        [first, 'count', 'completed'],
      ],
    )
    expect(await b.tasks.list('bob')).toEqual([])
    expect(await b.tasks.cleanUp(() => undefined)).toBe(0)
  })

  it('wait for the release that can go on with them, and end when there is none any more', async () => {
    const taskId = await begin(a, 'look', { to: 2, pauseMs: 200 })
    await seen(rig.effects, '1')
    await until(b, taskId, (task) => task.statusMessage === '1 of 2')
    a.kill()
    await rig.passes(SHORT.leaseMs + 50)
    const old = rig.instance({ without: 'look' })
    await status(old, taskId)
    await rig.passes(250)
    expect(await status(old, taskId)).toMatchObject({ status: 'working' })
    const late = rig.instance({ without: 'look', clock: () => Date.now() + 11 * 60_000 })
    await status(late, taskId)
    expect(await ended(late, taskId)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('can no longer do') },
    })
  })

  it('that are too many or too large run within the call, where they may', async () => {
    rig.hold('count 1')
    for (let index = 0; index < 20; index++) await begin(a, 'count', { to: 1 }, { token: 'carol' })
    const over = await call(a, 'only_tasks', { size: 1 }, { token: 'carol' })
    expect(over.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('too many tasks') }],
    })
    const within = await call(a, 'asks', {}, { token: 'carol' })
    expect(within.result).toMatchObject({ resultType: 'input_required' })
    const other = await call(a, 'only_tasks', { size: 1 }, { token: 'dave' })
    expect(other.result).toMatchObject({ resultType: 'task' })

    rig.hold('count 1')()
    const large = await call(a, 'count', { to: 1, pad: 'x'.repeat(1024 * 1024) })
    expect(large.result).toMatchObject({ resultType: 'complete', content: [{ text: 'counted to 1' }] })
  })

  it('are found by the clean-up when nobody asks, and taken up by the right they had', async () => {
    const open2 = rig.hold('count 2')
    const kept = await begin(a, 'look', { to: 2 })
    const lost = await begin(a, 'look', { to: 2 }, { token: 'eve' })
    await rig.passes(60)
    a.kill()
    rig.end('eve')
    await rig.passes(SHORT.leaseMs + 50)
    open2()
    const work: Promise<unknown>[] = []
    expect(await b.tasks.cleanUp((one) => work.push(one))).toBe(2)
    await Promise.all(work)
    expect(await status(b, kept)).toMatchObject({ status: 'completed' })
    expect(await status(b, lost, { token: 'eve' })).toMatchObject({ status: 'failed' })
    expect(await b.tasks.cleanUp(() => undefined)).toBe(0)
    expect(await rig.store.run({ kind: 'range', index: 'tasks', limit: 10, highestFirst: false })).toEqual([])
  })
})

describe('the wire', () => {
  let rig: Rig
  let a: Instance

  beforeEach(async () => {
    rig = await openRig(backends[0]!.open)
    a = rig.instance()
  })
  afterEach(() => rig.stop())

  it('declares the extension to modern clients, and nothing of it in tools', async () => {
    const discovered = await reply(await modern(a.server, 'server/discover'))
    expect(discovered.result.capabilities.extensions).toEqual({ [TASKS]: {} })
    expect(discovered.result.capabilities.tasks).toBeUndefined()
  })

  it('refuses a client without the extension where a task is the only way, with status 400', async () => {
    const response = await modern(a.server, 'tools/call', { name: 'only_tasks', arguments: {} })
    expect(response.status).toBe(400)
    expect((await reply(response)).error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
    })
    const listening = await modern(a.server, 'subscriptions/listen', { notifications: { taskIds: ['x'] } })
    expect([listening.status, (await reply(listening)).error?.code]).toEqual([400, -32021])
  })

  it.each(['get', 'update', 'cancel'] as const)(
    'tasks/%s checks client, header and id in turn',
    async (method) => {
      const without = await about(a, method, 'x', { capabilities: {} })
      expect([without.status, (await reply(without)).error?.code]).toEqual([400, -32021])
      const mismatch = await about(a, method, 'x', { headers: { 'mcp-name': 'y' } })
      expect([mismatch.status, (await reply(mismatch)).error?.code]).toEqual([400, -32020])
      const missing = await about(a, method, 'x', { headers: { 'mcp-name': undefined } })
      expect([missing.status, (await reply(missing)).error?.code]).toEqual([400, -32020])
      for (const taskId of ['x', 'A'.repeat(22), '../x', '']) {
        const unknown = await about(a, method, taskId)
        expect([unknown.status, (await reply(unknown)).error?.code]).toEqual([200, -32602])
      }
    },
  )

  it('has no tasks where the endpoint is given none: steps run within the call', async () => {
    const bare = rig.instance({ bare: true })
    expect((await reply(await about(bare, 'get', 'x'))).error?.code).toBe(-32601)
    expect((await call(bare, 'count', { to: 2 })).result).toMatchObject({ resultType: 'complete' })
    const { capabilities } = (await reply(await modern(bare.server, 'server/discover'))).result
    expect(capabilities.extensions).toBeUndefined()
  })

  it.each(['tasks/list', 'tasks/result'])('%s does not exist', async (method) => {
    const response = await modern(a.server, method, { taskId: 'x', capabilities: KNOWS_TASKS })
    expect([response.status, (await reply(response)).error?.code]).toEqual([404, -32601])
  })

  it('asks for a missing scope before a task is made', async () => {
    const response = await modern(
      a.server,
      'tools/call',
      { name: 'count', arguments: { to: 1 }, capabilities: KNOWS_TASKS },
      { token: 'alice/notes:read' },
    )
    expect(response.status).toBe(403)
    expect(await a.tasks.list('alice')).toEqual([])
  })

  it('a fault of a step is an error without its detail; an error of the tool is a result', async () => {
    const broken = await ended(a, await begin(a, 'only_tasks', { breaks: true }))
    expect(broken).toMatchObject({ status: 'failed', error: { code: -32603 } })
    expect(JSON.stringify(broken)).not.toContain('secret detail')
    expect('result' in broken).toBe(false)
    expect(await ended(a, await begin(a, 'only_tasks'))).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ text: 'It did not work.' }] },
    })
    const large = await ended(a, await begin(a, 'only_tasks', { size: 300_000 }))
    expect(large).toMatchObject({ status: 'completed', result: { isError: true } })
  })

  it('runs the steps within the call for a client without the extension, with progress', async () => {
    const response = await modern(a.server, 'tools/call', {
      name: 'count',
      arguments: { to: 3 },
      _meta: { progressToken: 'p' },
    })
    const text = await response.text()
    expect(text.match(/"progress":\d/g)).toEqual(['"progress":0', '"progress":1', '"progress":2'])
    expect(text).toContain('counted to 3')
    expect(await a.tasks.list('alice')).toEqual([])
  })

  it('carries the state through the questions of a call, and takes each round once', async () => {
    const capabilities = { elicitation: {} }
    const answer = (name: string) => ({ action: 'accept', content: { name } })
    const first = (await call(a, 'asks', {}, { capabilities })).result
    expect(Object.keys(first.inputRequests)).toEqual(['name'])
    const more = { inputResponses: { name: answer('Ann') }, requestState: first.requestState }
    const second = (await call(a, 'asks', {}, { capabilities, more })).result
    expect(Object.keys(second.inputRequests)).toEqual(['left', 'right'])
    const last = {
      inputResponses: { left: answer('Lea'), right: answer('Rob') },
      requestState: second.requestState,
    }
    expect((await call(a, 'asks', {}, { capabilities, more: last })).result.structuredContent.said).toBe(
      'Ann Lea Rob',
    )
    expect(rig.effects).toEqual(['prepared', 'answered'])
    expect((await call(a, 'asks', {}, { capabilities, more: last })).error?.code).toBe(-32602)
  })

  it('refuses answers that are too long, and keeps nothing of what a client declares about itself', async () => {
    const bulk = 'x'.repeat(100_000)
    const { result } = await call(
      a,
      'asks',
      {},
      {
        capabilities: { ...KNOWS_TASKS, elicitation: { form: {}, bulk }, bulk },
      },
    )
    await until(a, result.taskId, (task) => task.status === 'input_required')
    const record = await rig.store.run({ kind: 'get', key: `t:${result.taskId}`, fresh: true })
    expect(record?.length).toBeLessThan(2000)
    const inputResponses = { name: { action: 'accept', content: { name: bulk } } }
    expect((await reply(await about(a, 'update', result.taskId, { inputResponses }))).error?.code).toBe(
      -32602,
    )
    expect(await status(a, result.taskId)).toMatchObject({ status: 'input_required' })
  })

  it('of the 2025 era runs within the call, and its questions and state cross instances', async () => {
    const b = rig.instance()
    const session = await openSession(a.server, { capabilities: { elicitation: {} } })
    const { result } = await reply(await session.request(a.server, 'tasks/get', { taskId: 'x' }))
    expect(result).toBeUndefined()
    expect((await reply(await session.call(b.server, 'only_tasks'))).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('needs an app that knows MCP tasks') }],
    })

    const stream = readStream(await session.call(a.server, 'asks'))
    const accepted = (name: string) => ({ action: 'accept', content: { name } })
    const asked = (message: string) =>
      stream.until(({ method, params }) => method === 'elicitation/create' && params?.['message'] === message)
    await session.answer(b.server, await asked('Who?'), accepted('Ann'))
    await session.answer(a.server, await asked('L?'), accepted('Lea'))
    await session.answer(b.server, await asked('R?'), accepted('Rob'))
    const last = await stream.until((message) => message.result !== undefined)
    expect(last.result.structuredContent).toEqual({ said: 'Ann Lea Rob' })
    expect(rig.effects).toEqual(['prepared', 'answered'])
    expect(await a.tasks.list('alice')).toEqual([])
  })

  it('costs the store requests that the decision says', async () => {
    const quiet = rig.instance({ times: { leaseMs: 60_000, beatMs: 20_000 } })
    const taskId = await begin(quiet, 'count', { to: 3 })
    await ended(rig.instance(), taskId)
    await pause(20)
    const standing = ['get']
    const saved = ['swap', 'swap']
    expect(quiet.requests).toEqual([
      ['range'],
      ['set', 'rank', 'rank', 'set', 'set'],
      // The first step is marked as begun; each save marks the next one.
      ...[standing, saved],
      ...[standing, saved],
      ...[standing, saved],
      saved,
      ['unrank', 'del'],
    ])
    quiet.requests.length = 0
    await status(quiet, taskId)
    expect(quiet.requests).toEqual([['get', 'get']])
  })

  it('holds no instance for a task that waits, where time is billed', async () => {
    const billed = rig.instance({ runMaxMs: 60_000, times: { leaseMs: 60_000, beatMs: 20_000 } })
    const taskId = await begin(billed, 'count', { to: 2, pauseMs: 6000 })
    await until(billed, taskId, (task) => task.statusMessage === '1 of 2')
    await pause(20)
    const lease = () => rig.store.run({ kind: 'get', key: `tl:${taskId}`, fresh: true })
    expect(await lease()).toBeNull()
    // Its time has not come: nobody takes it up.
    await status(a, taskId)
    await pause(20)
    expect(await lease()).toBeNull()
  })

  it('tells a task that has expired from none as little as a foreign one', async () => {
    const taskId = await begin(a, 'count', { to: 1 })
    await ended(a, taskId)
    await rig.passes(86_400_000)
    expect(await status(a, taskId)).toMatchObject({ status: 'completed' })
    await rig.passes(61_000)
    expect((await reply(await about(a, 'get', taskId))).error?.code).toBe(-32602)
  })
})

describe('what is stored of tasks', () => {
  it('has a lifetime, key by key, and holds no token', async () => {
    const redis = await startRedis()
    const stores = [0, 1].map(() => createTcpStore({ url: redis.url, prefix: 'kept' })) as [Store, Store]
    const rig = await openRig(async () => ({
      stores,
      observed: [],
      passes: (ms) => pause(ms),
      commandsOf: async () => undefined,
      stop: async () => {
        await Promise.all(stores.map((store) => store.close()))
        await redis.stop()
      },
    }))
    const a = rig.instance()
    const secret = { token: 'alice@a-very-secret-app-name/notes:write' }
    await ended(a, await begin(a, 'count', { to: 2 }, secret), secret)
    await until(a, await begin(a, 'asks', {}, secret), (task) => task.status === 'input_required', secret)
    rig.hold('count 2')
    await begin(a, 'count', { to: 3 }, secret)
    await begin(a, 'count', { to: 3, pauseMs: 5000 }, secret)
    await pause(100)

    const keys = (await askServer(redis.url, ['KEYS', '*'])) as string[]
    expect(keys.map((key) => key.replace(/^kept:/, '').replace(/:.*$/, '')).sort()).toEqual([
      'a',
      't',
      't',
      't',
      't',
      'tasks',
      'ti',
      'ti',
      'ti',
      'tl',
      'tl',
    ])
    for (const key of keys) expect(Number(await askServer(redis.url, ['PTTL', key])), key).toBeGreaterThan(0)
    for (const key of keys.filter((one) => /^kept:t[il]?:/.test(one))) {
      expect(String(await askServer(redis.url, ['GET', key]))).not.toContain(secret.token)
    }
    await rig.stop()
  })
})
