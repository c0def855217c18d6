import { systemClock } from '#lib/core/clock'
import { systemRandom } from '#lib/core/random'
import { createConformanceFactory } from '#lib/mcp/conformance/factory'
import { createTcpStore } from '#lib/store/redis/tcp'
import { inProcess, listen } from '#test/mcp/in-process'
import { tasksOver } from '#test/mcp/tasks/over'
import { liveParts } from '#test/support/live-parts'

/**
 * A process that serves the fixture's long tools over a shared Redis. It says where on standard output. On
 * SIGTERM it lets go of its tasks; half a second later it is gone, as on a serverless platform.
 */
const [redisUrl = ''] = process.argv.slice(2)
const store = createTcpStore({ url: redisUrl, prefix: 'processes' })
const factory = createConformanceFactory({
  store,
  clock: systemClock,
  random: systemRandom,
  log: () => undefined,
})
const tasks = tasksOver({ store, factory })
const server = await listen(inProcess({ ...liveParts(store), factory, tasks }).fetch)

process.once('SIGTERM', () => {
  void tasks.drain()
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500)
})
process.stdout.write(`${server.url}\n`)
