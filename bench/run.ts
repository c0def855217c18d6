// `npm run bench`: an authenticated tools/call through the product against the same tool behind mcp-handler.

import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import {
  type Call,
  callOf,
  type Era,
  type Measured,
  measure,
  openSession,
  type Target,
} from '#bench/call/load'
import {
  buildBoth,
  nodeBinary,
  type Running,
  startBaseline,
  startProductUnderTest,
} from '#bench/call/servers'
import { median, publish } from '#bench/publish'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7)
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5)
const WARM_UP_SECONDS = 4
const versions = (process.env['BENCH_NODES'] ?? '20,24').split(',') as ('20' | '24')[]
const eras: readonly Era[] = ['2026-07-28', '2025-11-25']

interface Row {
  readonly node: string
  readonly era: Era
  readonly product: Measured
  readonly baseline: Measured
}

function middle(runs: readonly Measured[]): Measured {
  const of = (pick: (run: Measured) => number) => median(runs.map(pick))
  return {
    requestsPerSecond: of((run) => run.requestsPerSecond),
    cpuMs: of((run) => run.cpuMs),
    p50Ms: of((run) => run.p50Ms),
    p99Ms: of((run) => run.p99Ms),
  }
}

async function callAt(target: Target, era: Era): Promise<Call> {
  const call = callOf(era, 'list_notes', {})
  const session = era === '2025-11-25' ? await openSession(target) : {}
  return { ...call, headers: { ...call.headers, ...session } }
}

/** Product and baseline in turn, so that a noisy minute hits both. */
async function compare(node: string, era: Era, pair: { product: Running; baseline: Running }): Promise<Row> {
  const calls = { product: await callAt(pair.product, era), baseline: await callAt(pair.baseline, era) }
  await measure(pair.product, calls.product, WARM_UP_SECONDS)
  await measure(pair.baseline, calls.baseline, WARM_UP_SECONDS)
  const product: Measured[] = []
  const baseline: Measured[] = []
  for (let round = 0; round < ROUNDS; round++) {
    product.push(await measure(pair.product, calls.product, SECONDS))
    baseline.push(await measure(pair.baseline, calls.baseline, SECONDS))
  }
  return { node, era, product: middle(product), baseline: middle(baseline) }
}

function table(rows: readonly Row[]): string {
  const cell = (value: number, digits: number) => value.toFixed(digits)
  const lines = rows.flatMap(({ node, era, product, baseline }) => [
    `| ${node} | ${era} | Gatehouse | ${cell(product.requestsPerSecond, 0)} | ${cell(product.cpuMs, 2)} | ${cell(product.p50Ms, 0)} | ${cell(product.p99Ms, 0)} |`,
    `| | | mcp-handler | ${cell(baseline.requestsPerSecond, 0)} | ${cell(baseline.cpuMs, 2)} | ${cell(baseline.p50Ms, 0)} | ${cell(baseline.p99Ms, 0)} |`,
    `| | | **ratio** | **${cell(product.requestsPerSecond / baseline.requestsPerSecond, 2)}** | **${cell(product.cpuMs / baseline.cpuMs, 2)}** | | **${cell(product.p99Ms / baseline.p99Ms, 2)}** |`,
  ])
  return [
    '| Node | Era | Server | requests/s | CPU ms/request | p50 ms | p99 ms |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** The parts are measured in a process of each Node version: their CPU, in microseconds. */
function partsOf(nodes: readonly ('20' | '24')[]): string {
  const measured = nodes.map((version) => {
    const args = ['--import', 'tsx', 'bench/call/parts.ts']
    const printed = execFileSync(nodeBinary(version), args, { encoding: 'utf8' })
    return JSON.parse(printed.split('\n').at(-2) ?? '{}') as Record<string, number>
  })
  const names = Object.keys(measured[0] ?? {})
  return [
    `| Part | ${nodes.map((version) => `Node ${version}`).join(' | ')} |`,
    `| --- | ${nodes.map(() => '---').join(' | ')} |`,
    ...names.map((name) => `| ${name} | ${measured.map((one) => one[name]?.toFixed(0)).join(' | ')} |`),
  ].join('\n')
}

buildBoth()
const rows: Row[] = []
for (const version of versions) {
  const node = nodeBinary(version)
  const pair = { product: await startProductUnderTest(node), baseline: await startBaseline(node) }
  for (const era of eras) {
    rows.push(await compare(version, era, pair))
    console.log(table(rows.slice(-1)))
  }
  pair.product.stop()
  pair.baseline.stop()
}
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${ROUNDS} interleaved runs of ${SECONDS} s each, median`
publish('call', `${machine}\n\n${table(rows)}`)
publish('parts', partsOf(versions))
process.exit(0)
