import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a build is made of. */
const SOURCES = [
  'app',
  'lib',
  'public',
  'next.config.ts',
  'package-lock.json',
  'bin/after-build.mjs',
  'proxy.ts',
]
const LOCK = join(root, 'out', 'build.lock')
const LOCK_STALE_MS = 10 * 60_000

/**
 * Builds the product when there is no build or a source is newer. `test/run.mjs` has built once for all
 * projects and says so with `GATEHOUSE_BUILT=1`.
 */
export async function ensureBuilt(): Promise<void> {
  if (process.env['GATEHOUSE_BUILT'] === '1' || isFresh()) return

  mkdirSync(join(root, 'out'), { recursive: true })
  while (!lock()) await new Promise((resolve) => setTimeout(resolve, 500))
  try {
    if (!isFresh()) build()
  } finally {
    rmSync(LOCK, { recursive: true, force: true })
  }
}

function build(): void {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build', '--silent'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}\n${stderr}`)
}

function isFresh(): boolean {
  const built = join(root, '.next', 'standalone', 'server.js')
  if (!existsSync(built)) return false
  const builtAt = statSync(join(root, '.next', 'BUILD_ID'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return SOURCES.every((source) => newest(join(root, source)) <= builtAt)
}

function newest(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return 0
  if (!found.isDirectory()) return found.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

/** Two test files must not build at the same time; a lock whose owner died is broken after a while. */
function lock(): boolean {
  const since = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs
  if (since !== undefined && Date.now() - since > LOCK_STALE_MS)
    rmSync(LOCK, { recursive: true, force: true })
  try {
    mkdirSync(LOCK)
    return true
  } catch {
    return false
  }
}
