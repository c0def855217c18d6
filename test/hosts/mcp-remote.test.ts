import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noteProgram, printedUrl, withoutBrowser } from '#test/hosts/program'
import { type Deployment, startLocal } from '#test/support/deployment'
import { type FetchPerson, personByFetch } from '#test/support/person-by-fetch'

const require = createRequire(import.meta.url)
const packageFile = require.resolve('mcp-remote/package.json')
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }
/** It refreshes whatever expires within minutes: with these tokens, before each request. */
const ACCESS_TOKEN_SECONDS = 60
const ROUNDS = 10

let deployment: Deployment
let person: FetchPerson
let home: string
beforeAll(async () => {
  deployment = await startLocal({ env: { ACCESS_TOKEN_SECONDS: String(ACCESS_TOKEN_SECONDS) } })
  person = personByFetch(deployment.origin)
  await person.signIn(deployment.ownerLink)
  home = mkdtempSync(join(tmpdir(), 'gatehouse-mcp-remote-'))
})
afterAll(async () => {
  noteProgram({ name: 'mcp-remote', version, results })
  await deployment.dispose()
  rmSync(home, { recursive: true, force: true })
})

const results: Record<string, boolean> = {}

/** The package as Claude Desktop starts it: a program that speaks MCP over its standard streams. */
function start(...options: readonly string[]) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(dirname(packageFile), 'dist/proxy.js'), `${deployment.origin}/api/mcp`, ...options],
    env: { ...withoutBrowser(home), MCP_REMOTE_CONFIG_DIR: home },
    stderr: 'pipe',
  })
  const client = new Client({ name: 'desktop-app', version: '1.0.0' })
  return {
    client,
    authorizationUrl: printedUrl(transport.stderr),
    connected: client.connect(transport as never),
  }
}

describe('mcp-remote', () => {
  it('registers, sends the person to the browser, and calls a tool', async () => {
    const { client, connected, authorizationUrl } = start()
    const answer = await person.allow(await authorizationUrl())
    await fetch(answer)
    await connected

    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('save_note')
    const saved = await client.callTool({
      name: 'save_note',
      arguments: { title: 'Remote', text: 'By proxy.' },
    })
    expect(saved.isError).not.toBe(true)
    await client.close()
    results['registration, consent, a tool call'] = true
  })

  it('needs nobody when it starts again, twice at once', async () => {
    const both = [start(), start()]
    await Promise.all(both.map(({ connected }) => connected))
    for (const { client } of both) {
      const { content } = await client.callTool({ name: 'list_notes', arguments: {} })
      expect(JSON.stringify(content)).toContain('Remote')
    }
    await Promise.all(both.map(({ client }) => client.close()))
    results['two instances with one stored token'] = true
  })

  it('speaks 2026-07-28 when it is told to find out', async () => {
    const { client, connected } = start('--protocol', 'auto')
    await connected
    const { content } = await client.callTool({ name: 'list_notes', arguments: {} })
    expect(JSON.stringify(content)).toContain('Remote')
    await client.close()
    results['`--protocol auto`'] = true
  })

  it('stays signed in while two instances refresh one stored token before every call', async () => {
    const both = [start(), start()]
    await Promise.all(both.map(({ connected }) => connected))
    for (const _round of Array.from({ length: ROUNDS })) {
      const answers = await Promise.all(
        both.map(({ client }) => client.callTool({ name: 'list_notes', arguments: {} })),
      )
      for (const { content } of answers) expect(JSON.stringify(content)).toContain('Remote')
    }
    await Promise.all(both.map(({ client }) => client.close()))
    results['two instances refresh at once'] = true
  })
})
