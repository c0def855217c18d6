// Open GET streams of sessions: their memory, the way of one event to 2,000 of them, and what an idle one costs.
// `npx tsx bench/sessions/streams.ts`, about four minutes.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { cpus } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { publish } from '#bench/publish'
import type { InstanceReport } from '#bench/sessions/instance'
import { NAP_RETRY_MAX_MS, NAP_RETRY_MIN_MS, NAP_STAY_MS, STREAM_MAX_SECONDS } from '#lib/config/limits'
import { startRedis } from '#test/support/redis-server'

const STREAMS = Number(process.env['BENCH_STREAMS'] ?? 2000)
const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 30)
const IDLE_SECONDS = Number(process.env['BENCH_IDLE_SECONDS'] ?? 60)
/** Idle streams that are watched together, each of an account of its own. */
const IDLE_STREAMS = 20
const PER_ACCOUNT = 16
const AT_ONCE = 20
const HOUR_MS = 3_600_000
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const MiB = 1024 * 1024

interface Instance {
  readonly url: string
  report(): Promise<InstanceReport>
  stop(): void
}

interface OpenStream {
  /** When each `resources/updated` arrived, by performance.now(). */
  readonly arrived: number[]
  readonly ended: Promise<number>
  close(): void
}

async function startInstance(env: Record<string, string>): Promise<Instance> {
  const child: ChildProcess = fork('bench/sessions/instance.ts', {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    env: { ...process.env, ...env },
  })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return {
    url,
    async report() {
      child.send('report')
      const [report] = (await once(child, 'message')) as [InstanceReport]
      return report
    },
    stop: () => void child.kill('SIGKILL'),
  }
}

const headersOf = (account: string, more: Record<string, string> = {}) => ({
  authorization: `Bearer ${account}`,
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  ...more,
})

function ask(url: string, method: string, headers: Record<string, string>, body?: object) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(`${url}/api/mcp`, { method, headers, agent }, resolve).on('error', reject)
    sent.end(body && JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }))
  })
}

async function post(url: string, account: string, body: object, more: Record<string, string> = {}) {
  const response = await ask(url, 'POST', headersOf(account, more), body)
  for await (const _ of response);
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}`)
  return response
}

async function beginSession(url: string, account: string): Promise<Record<string, string>> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  }
  const { headers } = await post(url, account, { method: 'initialize', params })
  const own = { 'mcp-session-id': `${headers['mcp-session-id']}`, 'mcp-protocol-version': '2025-11-25' }
  await post(url, account, { method: 'resources/subscribe', params: { uri: 'thing://a' } }, own)
  return own
}

async function openStream(url: string, account: string, own: Record<string, string>): Promise<OpenStream> {
  const response = await ask(url, 'GET', headersOf(account, own))
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}`)
  const arrived: number[] = []
  let begun: () => void = () => undefined
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  response.on('data', (chunk: Buffer) => {
    begun()
    const updates = chunk.toString().split('notifications/resources/updated').length - 1
    for (let n = 0; n < updates; n++) arrived.push(performance.now())
  })
  const ended = new Promise<number>((resolve) => response.on('close', () => resolve(performance.now())))
  await beginning
  return { arrived, ended, close: () => response.destroy() }
}

/** Does something for each number below `count`, a few at a time. */
async function each<Value>(count: number, act: (n: number) => Promise<Value>): Promise<Value[]> {
  const results: Value[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const n = next++
      results[n] = await act(n)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

const accountOf = (n: number) => `account${Math.floor(n / PER_ACCOUNT)}`

async function memoryOfStreams(redisUrl: string): Promise<string[]> {
  const instance = await startInstance({ BENCH_REDIS_URL: redisUrl })
  const sessions = await each(STREAMS, (n) => beginSession(instance.url, accountOf(n)))
  // What serving so many calls left behind is not the streams'.
  await pause(12_000)
  const before = await instance.report()
  const streams = await each(STREAMS, (n) => openStream(instance.url, accountOf(n), sessions[n] ?? {}))
  await pause(3000)
  const open = await instance.report()
  await post(
    instance.url,
    accountOf(0),
    { method: 'tools/call', params: { name: 'write', arguments: { text: 'a' } } },
    sessions[0],
  )
  await pause(1000)
  const told = streams.filter(({ arrived }) => arrived.length === 1).length
  instance.stop()
  const perStream = (of: 'rssBytes' | 'heapBytes') =>
    `${((open[of] - before[of]) / STREAMS / 1024).toFixed(1)} kB`
  return [
    `| open streams on one instance | ${STREAMS.toLocaleString('en')} |`,
    `| resident memory per stream, its socket included | ${perStream('rssBytes')} |`,
    `| heap per stream | ${perStream('heapBytes')} |`,
    `| resident memory of the instance with all of them | ${(open.rssBytes / MiB).toFixed(0)} MB |`,
    `| streams that heard a change of one account with ${PER_ACCOUNT} streams | ${told} |`,
  ]
}

async function fanOut(redisUrl: string): Promise<string[]> {
  const env = { BENCH_REDIS_URL: redisUrl, BENCH_STREAMS_PER_ACCOUNT: String(STREAMS) }
  const instances = [await startInstance(env), await startInstance(env)] as const
  const at = (n: number) => instances[n % 2 ? 1 : 0].url
  const sessions = await each(STREAMS, (n) => beginSession(at(n), 'fan'))
  const streams = await each(STREAMS, (n) => openStream(at(n), 'fan', sessions[n] ?? {}))
  await pause(3000)
  // An account with so many sessions is told at the opening that everything may have changed.
  for (const { arrived } of streams) arrived.length = 0
  const late: number[] = []
  for (let event = 0; event < EVENTS; event++) {
    const begun = performance.now()
    await post(
      at(event),
      'fan',
      { method: 'tools/call', params: { name: 'write', arguments: { text: 'a' } } },
      sessions[event],
    )
    const deadline = begun + 10_000
    while (performance.now() < deadline && streams.some(({ arrived }) => arrived.length <= event))
      await pause(5)
    for (const { arrived } of streams) late.push((arrived[event] ?? Number.POSITIVE_INFINITY) - begun)
    await pause(200)
  }
  for (const instance of instances) instance.stop()
  late.sort((one, other) => one - other)
  const quantile = (of: number) => late[Math.min(late.length - 1, Math.floor(late.length * of))] ?? 0
  const missing = late.filter((ms) => !Number.isFinite(ms)).length
  const doubled = streams.filter(({ arrived }) => arrived.length > EVENTS).length
  return [
    `| one event to ${STREAMS.toLocaleString('en')} streams on two instances, from the call that makes it: p50 | ${quantile(0.5).toFixed(0)} ms |`,
    `| p99 | ${quantile(0.99).toFixed(0)} ms |`,
    `| the last of all | ${quantile(1).toFixed(0)} ms |`,
    `| of ${late.length.toLocaleString('en')} deliveries missing, doubled | ${missing}, ${doubled} |`,
  ]
}

interface Idle {
  readonly commands: number
  readonly requests: number
  readonly seconds: number
}

/** What the streams of a mode cost from their opening to their end, or while they are watched. */
async function idle(redisUrl: string, mode: 'live' | 'nap'): Promise<{ opening: Idle; staying: Idle }> {
  const instance = await startInstance({ BENCH_REDIS_URL: redisUrl, BENCH_MODE: mode })
  const sessions = await each(IDLE_STREAMS, (n) => beginSession(instance.url, `${mode}${n}`))
  await pause(500)
  const begun = performance.now()
  const before = await instance.report()
  const streams = await each(IDLE_STREAMS, (n) => openStream(instance.url, `${mode}${n}`, sessions[n] ?? {}))
  await pause(1000)
  const opened = await instance.report()
  if (mode === 'live') await pause(IDLE_SECONDS * 1000)
  else await Promise.all(streams.map(({ ended }) => ended))
  const seconds = (performance.now() - begun) / 1000
  await pause(500)
  const after = await instance.report()
  for (const { close } of streams) close()
  instance.stop()
  const between = (from: InstanceReport, to: InstanceReport): Idle => ({
    commands: (to.storeCommands - from.storeCommands) / IDLE_STREAMS,
    requests: (to.storeRequests - from.storeRequests) / IDLE_STREAMS,
    seconds,
  })
  return { opening: between(before, opened), staying: between(opened, after) }
}

/** Naps in an hour from the first on, while nothing happens. */
function napsInAnHour(): number {
  let at = 0
  let naps = 0
  for (; at < HOUR_MS; naps++)
    at += NAP_STAY_MS + Math.min(NAP_RETRY_MIN_MS * 2 ** (naps + 1), NAP_RETRY_MAX_MS)
  return naps
}

async function idleCost(redisUrl: string): Promise<string[]> {
  const live = await idle(redisUrl, 'live')
  const nap = await idle(redisUrl, 'nap')
  const openings = 3600 / STREAM_MAX_SECONDS
  const anHour = (of: 'commands' | 'requests') =>
    live.opening[of] * openings + (live.staying[of] / live.staying.seconds) * 3600
  const steady = HOUR_MS / (NAP_STAY_MS + NAP_RETRY_MAX_MS)
  const first = napsInAnHour()
  const row = (mode: string, of: { commands: number; requests: number; seconds: number }) =>
    `| ${mode} | ${of.commands.toFixed(0)} | ${of.requests.toFixed(0)} | ${of.seconds.toFixed(0)} |`
  const napping = (naps: number) => ({
    commands: naps * (nap.opening.commands + nap.staying.commands),
    requests: naps * (nap.opening.requests + nap.staying.requests),
    seconds: (naps * NAP_STAY_MS) / 1000,
  })
  return [
    '| Mode | Commands | Store requests | Seconds of function time |',
    '| --- | --- | --- | --- |',
    row('`live`', { commands: anHour('commands'), requests: anHour('requests'), seconds: 3600 }),
    row('`nap`, the first hour', napping(first)),
    row('`nap`, later', napping(steady)),
    '| `off` | 0 | 0 | 0 |',
  ]
}

const redis = await startRedis()
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`
const memory = await memoryOfStreams(redis.url)
console.log(memory.join('\n'))
const events = await fanOut(redis.url)
console.log(events.join('\n'))
publish(
  'streams',
  [`${machine}, ${EVENTS} events`, '', '| | |', '| --- | --- |', ...memory, ...events].join('\n'),
)
const idling = await idleCost(redis.url)
console.log(idling.join('\n'))
publish('idle-streams', idling.join('\n'))
await redis.stop()
process.exit(0)
