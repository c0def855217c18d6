import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { connectByFetch } from '#bench/call/connect-by-fetch'
import type { Target } from '#bench/call/load'
import { freePort } from '#test/support/free-port'

const root = fileURLToPath(new URL('../..', import.meta.url))
const NODE_24 = '24.21.0'

/** A Node binary: this one, or a version that npm carries, installed on demand into `.tools`. */
export function nodeBinary(version: '20' | '24'): string {
  if (process.version.startsWith(`v${version}.`)) return process.execPath
  if (version === '20') throw new Error('the benchmark for Node 20 runs under Node 20')
  const folder = join(root, '.tools', 'node24')
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${NODE_24}`], {
      cwd: folder,
      stdio: 'ignore',
    })
  }
  return binary
}

/** Builds product and baseline where there is no build. */
export function buildBoth(): void {
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }
  if (!existsSync(join(root, '.next', 'standalone', 'server.js'))) {
    execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, env, stdio: 'inherit' })
  }
  const next = join(root, 'node_modules', 'next', 'dist', 'bin', 'next')
  execFileSync(process.execPath, [next, 'build', join(root, 'bench', 'baseline')], {
    cwd: root,
    env,
    stdio: 'ignore',
  })
}

export interface Running extends Target {
  stop(): void
}

async function start(
  node: string,
  server: string,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; port: number }> {
  const port = await freePort()
  const child = spawn(node, [server], {
    cwd: join(server, '..'),
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_ENV: 'production',
      HOSTNAME: '127.0.0.1',
      KEEP_ALIVE_TIMEOUT: '70000',
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return { child, port }
}

/** The product as shipped: standalone build, local store, everything on. */
export async function startProductUnderTest(node: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const { child, port } = await start(node, join(root, '.next', 'standalone', 'server.js'), {
    DATA_DIR: folder,
    RATE_LIMIT_PER_MINUTE: '1000000',
  })
  const link = await new Promise<string>((resolve) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      // After the banner the log is drained and dropped, as a service manager would take it.
      if (said.length < 10_000) said += chunk.toString()
      const found = /Sign in as owner: (\S+)/.exec(said)?.[1]
      if (found) resolve(found)
    })
  })
  const token = await connectByFetch(`http://localhost:${port}`, link)
  return {
    url: `http://127.0.0.1:${port}/api/mcp`,
    pid: child.pid ?? 0,
    token,
    stop: () => void child.kill('SIGKILL'),
  }
}

/** The baseline of `bench/baseline`. */
export async function startBaseline(node: string): Promise<Running> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const token = await new SignJWT({ client_id: 'bench', scope: 'notes:read notes:write', gid: 'bench-grant' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer('bench')
    .setAudience('bench')
    .setSubject('bench-account')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const server = join(root, 'bench/baseline/.next/standalone/bench/baseline/server.js')
  const { child, port } = await start(node, server, {
    BENCH_JWK: JSON.stringify(await exportJWK(publicKey)),
    DATA_DIR: folder,
  })
  child.stdout?.resume()
  const url = `http://127.0.0.1:${port}/api/mcp`
  await answering(url)
  return { url, pid: child.pid ?? 0, token, stop: () => void child.kill('SIGKILL') }
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(url, { method: 'POST' }).catch(() => undefined)
    if (response) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} does not answer`)
}
