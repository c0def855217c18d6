import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const shim = fileURLToPath(new URL('./globsync-shim.mjs', import.meta.url))
const cli = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'

export interface Check {
  readonly scenario: string
  readonly id: string
  readonly status: Status
  readonly errorMessage?: string
}

/** What one run of the suite said. Its exit code is no proof: a check that never ran does not fail it. */
export interface Run {
  readonly checks: readonly Check[]
  readonly output: string
}

/** The arguments that start the suite under this Node. */
export function suiteCommand(args: readonly string[]): readonly string[] {
  const major = Number(process.versions.node.split('.')[0])
  return [...(major < 22 ? ['--import', shim] : []), cli, ...args]
}

/** Runs a requirement set of the official suite against `url` and collects every check. */
export async function runServerSuite(url: string, args: readonly string[]): Promise<Run> {
  const out = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
  try {
    const output = await run(['server', '--url', url, ...args, '-o', out])
    return { checks: await collect(out), output }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, suiteCommand(args), { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.on('close', () => resolve(output))
  })
}

/** Every check that a run wrote into its folder. */
export async function collect(folder: string): Promise<Check[]> {
  const runs = await readdir(folder)
  const files = await Promise.all(
    runs.map(async (name) => {
      const text = await readFile(join(folder, name, 'checks.json'), 'utf8')
      // server-<scenario>-<time>
      const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')
      return (JSON.parse(text) as Check[]).map((check) => ({ ...check, scenario }))
    }),
  )
  return files.flat()
}

/** How many checks of each status there are, over the scenarios that `matches` names. */
export function count(checks: readonly Check[], matches: (scenario: string) => boolean = () => true) {
  const counts: Record<Status, number> = { SUCCESS: 0, FAILURE: 0, WARNING: 0, SKIPPED: 0, INFO: 0 }
  for (const { scenario, status } of checks) if (matches(scenario)) counts[status] += 1
  return counts
}
