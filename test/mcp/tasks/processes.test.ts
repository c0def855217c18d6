import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RUN_LEASE_MS } from '#lib/config/limits'
import { type RedisServer, startRedis } from '#test/support/redis-server'

const PROGRAM = fileURLToPath(new URL('instance.ts', import.meta.url))
const VERSION = '2026-07-28'

interface Instance {
  readonly url: string
  readonly child: ChildProcess
}

/** Processes of their own, ended by signals, with the leases of the product. */
describe('a task whose process', () => {
  let redis: RedisServer
  const running: Instance[] = []

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL')
  })
  afterAll(() => redis.stop())

  async function start(): Promise<Instance> {
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, redis.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const instance = { url: said.toString().trim(), child }
    running.push(instance)
    return instance
  }

  async function ask({ url }: Instance, method: string, params: Record<string, unknown>) {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': VERSION,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {
        elicitation: {},
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    }
    const response = await fetch(`${url}/api/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: 'Bearer alice',
        'mcp-protocol-version': VERSION,
        'mcp-method': method,
        'mcp-name': String(params['name'] ?? params['taskId']),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    })
    const { result } = (await response.json()) as { result: { taskId: string; status: string } }
    return result
  }

  async function ended(at: Instance, taskId: string) {
    for (;;) {
      const task = await ask(at, 'tasks/get', { taskId })
      if (task.status !== 'working') return task
      await pause(100)
    }
  }

  const slow = { name: 'slow_compute', arguments: { seconds: 3, label: 'slow' } }

  it.each([
    { what: 'is killed', signal: 'SIGKILL', withinMs: 3000 + RUN_LEASE_MS + 2000 },
    { what: 'is told to stop, and killed 500 ms later', signal: 'SIGTERM', withinMs: 3000 + 2000 },
  ] as const)(
    '$what is taken up by another, and completes',
    async ({ signal, withinMs }) => {
      const [first, second] = await Promise.all([start(), start()])
      const { taskId } = await ask(first, 'tools/call', slow)
      await pause(1200)
      const stoppedAt = Date.now()
      first.child.kill(signal)
      await once(first.child, 'exit')

      expect(await ended(second, taskId)).toMatchObject({
        status: 'completed',
        result: { structuredContent: {}, content: [{ type: 'text', text: 'slow: done' }] },
      })
      expect(Date.now() - stoppedAt).toBeLessThan(withinMs)
    },
    40_000,
  )

  it('asked its person is gone, with every other, goes on in a new one with the answer', async () => {
    const [first, second] = await Promise.all([start(), start()])
    const { taskId } = await ask(first, 'tools/call', {
      name: 'confirm_delete',
      arguments: { filename: 'a.txt' },
    })
    const asking = await ended(second, taskId)
    expect(asking.status).toBe('input_required')
    for (const { child } of [first, second]) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const third = await start()
    const inputResponses = { confirm: { action: 'accept', content: { confirm: true } } }
    await ask(third, 'tasks/update', { taskId, inputResponses })
    expect(await ended(third, taskId)).toMatchObject({
      status: 'completed',
      result: { content: [{ text: 'Deleted a.txt' }] },
    })
  }, 40_000)
})
