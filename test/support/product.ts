import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '#test/support/build'
import { freePort } from '#test/support/free-port'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000

export interface ProductOptions {
  /** Added to an otherwise bare environment: nothing of the tester's own leaks in. */
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
  /** A folder with a standalone `server.js`; the repository's own build when absent. */
  readonly buildDir?: string
}

/** The built product as a process of its own. */
export interface Product {
  /** Where this process listens, e.g. `http://localhost:4711`. With a `PUBLIC_URL` that is another one. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Lines of the start-up banner, e.g. `MCP endpoint: …`. */
  readonly banner: readonly string[]
  /** From the banner; `undefined` once somebody owns the server. */
  readonly ownerLink: string | undefined
  /** Everything printed since the first start. */
  log(): string
  /** SIGTERM. Gives the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts again after `stop` or `kill`: same port, same data. */
  restart(): Promise<void>
  /** Stops it and forgets its data. */
  dispose(): Promise<void>
}

/** Starts the standalone server and waits for its banner. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const port = options.port ?? (await freePort())
  const dataDir = options.env?.['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'gatehouse-data-'))
  const env = { ...bareEnvironment(), PORT: String(port), DATA_DIR: dataDir, ...options.env }

  let printed = ''
  let child: ChildProcess | undefined
  let banner: readonly string[] = []

  async function start(): Promise<void> {
    const from = printed.length
    const started = launch(env, options.buildDir)
    child = started
    const collect = (chunk: Buffer) => {
      printed += chunk.toString()
    }
    started.stdout?.on('data', collect)
    started.stderr?.on('data', collect)
    banner = await bannerOf(started, () => printed.slice(from))
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const [code] = (await exited) as [number | null]
    clearTimeout(timer)
    return code
  }

  await start()
  return {
    url: `http://localhost:${port}`,
    port,
    get pid() {
      return child?.pid ?? 0
    },
    get banner() {
      return banner
    },
    get ownerLink() {
      return banner.find((line) => line.startsWith('Sign in as owner: '))?.slice('Sign in as owner: '.length)
    },
    log: () => printed,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL')
    },
    restart: start,
    dispose: async () => {
      await end('SIGTERM')
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * Starts the server where it is expected to refuse, and gives what it said and its exit code.
 *
 * @param without - variables that a product of the tests otherwise has
 */
export async function startRefused(
  env: Readonly<Record<string, string>>,
  without: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly said: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-data-'))
  const port = await freePort()
  const given = { ...bareEnvironment(), PORT: String(port), DATA_DIR: dataDir, ...env }
  const child = launch(
    Object.fromEntries(
      Object.entries(given).filter(([name]) => !without.includes(name)),
    ) as NodeJS.ProcessEnv,
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  rmSync(dataDir, { recursive: true, force: true })
  return { code, said }
}

function bareEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
    BIND_HOST: '127.0.0.1',
  }
}

function launch(env: NodeJS.ProcessEnv, buildDir?: string): ChildProcess {
  // `npm start` would build now, in every test anew when the build fails.
  if (!buildDir && !existsSync(join(root, '.next', 'standalone', 'server.js')))
    throw new Error('there is no build')
  const standalone = { HOSTNAME: '127.0.0.1', KEEP_ALIVE_TIMEOUT: '70000', ...env }
  const child = buildDir
    ? spawn(process.execPath, [join(buildDir, 'server.js')], { cwd: buildDir, env: standalone })
    : spawn(process.execPath, [join(root, 'bin/start.mjs')], { cwd: root, env })
  // A test run that is interrupted leaves no server behind.
  const cleanUp = () => child.kill('SIGKILL')
  process.once('exit', cleanUp)
  child.once('exit', () => process.off('exit', cleanUp))
  return child
}

/** The banner is printed at once, after the server answers; its last line comes with the others. */
async function bannerOf(child: ChildProcess, said: () => string): Promise<readonly string[]> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!/^Store: .*\n/m.test(said())) {
    if (child.exitCode !== null) throw new Error(`the server exited with ${child.exitCode}:\n${said()}`)
    if (child.signalCode !== null || Date.now() > deadline) throw new Error(`no banner:\n${said()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return said()
    .split('\n')
    .filter((line) => /^(MCP endpoint|Dashboard|Store|Sign in as owner): /.test(line))
}
