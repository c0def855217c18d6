import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noteProgram, printedUrl, withoutBrowser } from '#test/hosts/program'
import { root } from '#test/support/build'
import { type Deployment, startLocal } from '#test/support/deployment'
import { freePort } from '#test/support/free-port'
import { type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

/** The Inspector is 70 MB and wants a newer Node than we do, so it is no dependency: it is fetched on demand. */
const INSPECTOR_VERSION = '2.12.0'
const NODE_MIN = [22, 19] as const
const NODE_VERSION = '22.23.3'
const INSTALL_TIMEOUT_MS = 120_000

const folder = join(root, '.tools/inspector')
const launcher = join(folder, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
const results: Record<string, boolean> = {}

let deployment: Deployment
let person: FetchPerson
let home: string
let skipped: string | undefined
let callbackUrl: string
beforeAll(async () => {
  skipped = install()
  if (skipped) return
  deployment = await startLocal()
  person = personByFetch(deployment.origin)
  await person.signIn(deployment.ownerLink)
  home = mkdtempSync(join(tmpdir(), 'gatehouse-inspector-'))
  callbackUrl = `http://127.0.0.1:${await freePort()}/oauth/callback`
})
afterAll(async () => {
  noteProgram({
    name: 'MCP Inspector (command line)',
    version: INSPECTOR_VERSION,
    results,
    ...(skipped ? { skipped } : {}),
  })
  await deployment?.dispose()
  if (home) rmSync(home, { recursive: true, force: true })
})

/** Gives the reason when the Inspector cannot run here. */
function install(): string | undefined {
  const wanted = [`@modelcontextprotocol/inspector@${INSPECTOR_VERSION}`]
  if (!isNewEnough()) {
    if (process.platform !== 'linux') return `it needs Node ${NODE_MIN.join('.')}`
    wanted.push(`node-linux-${process.arch}@${NODE_VERSION}`)
  }
  if (existsSync(launcher) && existsSync(node())) return undefined

  mkdirSync(folder, { recursive: true })
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional']
  const { status } = spawnSync('npm', ['install', '--prefix', folder, ...options, ...wanted], {
    stdio: 'ignore',
    timeout: INSTALL_TIMEOUT_MS,
  })
  return status === 0 && existsSync(launcher) && existsSync(node()) ? undefined : 'npm could not install it'
}

function isNewEnough(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

function node(): string {
  return isNewEnough() ? process.execPath : join(folder, `node_modules/node-linux-${process.arch}/bin/node`)
}

/** `mcp-inspector --cli <url> …`, as its documentation says. */
function inspector(...options: readonly string[]) {
  const url = `${deployment.origin}/api/mcp`
  const child: ChildProcess = spawn(
    node(),
    [launcher, '--cli', url, '--transport', 'http', '--callback-url', callbackUrl, ...options],
    {
      // A person is there although nobody is at a terminal, and tokens do not belong in their keychain.
      env: {
        ...withoutBrowser(home),
        MCP_AUTO_OPEN_ENABLED: 'true',
        MCP_INSPECTOR_SECRET_STORE: 'file',
      } as never,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let printed = ''
  let complained = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    complained += chunk.toString()
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    authorizationUrl: printedUrl(child.stderr),
    async ended() {
      const [code] = await closed
      return { code, printed, complained }
    },
  }
}

describe('the MCP Inspector on the command line', () => {
  it('registers, sends the person to the browser, and lists the tools', async ({ skip }) => {
    skip(skipped !== undefined, skipped)
    const run = inspector('--method', 'tools/list', '--strict', '--format', 'json')
    await fetch(await person.allow(await run.authorizationUrl()))
    const { code, printed, complained } = await run.ended()
    expect(complained).not.toContain('error-severity')
    expect(code).toBe(0)
    expect(printed).toContain('save_note')
    results['registration, consent, `tools/list --strict`'] = true
  })

  it.for(['legacy', 'modern', 'auto'])(
    'calls a tool in the %s era with the token that it stored',
    async (era, { skip }) => {
      skip(skipped !== undefined, skipped)
      const call = [
        '--method',
        'tools/call',
        '--tool-name',
        'save_note',
        '--tool-arg',
        `title=${era}`,
        'text=x',
      ]
      const { code, printed, complained } = await inspector(
        '--stored-auth-only',
        ...call,
        '--protocol-era',
        era,
      ).ended()
      expect({ code, printed }, complained).toMatchObject({ code: 0, printed: expect.stringContaining(era) })
      results[`a tool call, \`--protocol-era ${era}\``] = true
    },
  )

  it.for(['prompts/list', 'resources/list', 'resources/templates/list'])(
    'asks for %s',
    async (method, { skip }) => {
      skip(skipped !== undefined, skipped)
      const { code, complained } = await inspector('--stored-auth-only', '--method', method).ended()
      expect(code, complained).toBe(0)
      results[`\`${method}\``] = true
    },
  )
})
