import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  approve,
  deny,
  goOn,
  launchBrowser,
  newPerson,
  type Person,
  signInWithLink,
} from '#test/support/browser'
import { root } from '#test/support/build'
import { type Deployment, startLocal } from '#test/support/deployment'
import { freePort } from '#test/support/free-port'

let deployment: Deployment
let browser: Browser
let person: Person
beforeAll(async () => {
  ;[deployment, browser] = await Promise.all([startLocal(), launchBrowser()])
  person = await newPerson(browser)
})
afterAll(async () => {
  await browser.close()
  await deployment.dispose()
})

interface Connect {
  /** The URL that it printed for the browser. */
  url(): Promise<string>
  ended(): Promise<{ readonly code: number | null; readonly said: string }>
}

function connect(url: string): Connect {
  const child: ChildProcess = spawn('npm', ['run', '--silent', 'connect', url, '--', '--no-open'], {
    cwd: root,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  }
  const closed = once(child, 'close') as Promise<[number | null]>
  return {
    async url() {
      for (;;) {
        const printed = /^ {2}(https?:\S+)$/m.exec(said)?.[1]
        if (printed) return printed
        if (child.exitCode !== null) throw new Error(said)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async ended() {
      const [code] = await closed
      return { code, said }
    },
  }
}

describe('npm run connect', () => {
  it('takes a newcomer from the bare URL to a note that is found again', async () => {
    const run = connect(`${deployment.origin}/api/mcp`)
    const tab = await person.newPage()
    await tab.goto(await run.url())
    const other = await person.newPage()
    await signInWithLink(other, deployment.ownerLink)
    await goOn(tab)
    await approve(tab)

    const { code, said } = await run.ended()
    expect(said).toContain('✓ Found it again with search_notes')
    expect(said).toContain('protocol 2026-07-28')
    expect(said).toContain('✓ Renewed the token without asking you')
    expect(said).not.toContain('✗')
    expect(code).toBe(0)
  })

  it('says so when the person does not allow it', async () => {
    const run = connect(`${deployment.origin}/api/mcp`)
    const tab = await person.newPage()
    await tab.goto(await run.url())
    await deny(tab)
    const { code, said } = await run.ended()
    expect(said).toContain('✗ Ask for permission: you did not allow it')
    expect(code).toBe(1)
  })

  it('says what is wrong where nothing listens', async () => {
    const { code, said } = await connect(`http://localhost:${await freePort()}/api/mcp`).ended()
    expect(said).toMatch(/✗ Reach http:\/\/localhost:\d+\/api\/mcp: .*ECONNREFUSED/)
    expect(said).toContain('npm start')
    expect(code).toBe(1)
  })

  it('says what is wrong where no MCP server is', async () => {
    const { code, said } = await connect(`${deployment.origin}/api/health`).ended()
    expect(said).toMatch(/✗ Ask .* without a token: expected 401, got \d+/)
    expect(code).toBe(1)
  })
})
