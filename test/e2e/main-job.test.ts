import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newPerson } from '#test/support/browser'
import { startLocal, startPair } from '#test/support/deployment'
import { hosts } from '#test/support/hosts'
import { connectHost } from '#test/support/journey'
import { listNotes } from '#test/support/mcp-request'
import type { Passed } from '#test/support/round-robin'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

describe('on the local store', () => {
  it.each(hosts)('$name goes from a bare URL to a tool call and a refresh', async ({ open, protocol }) => {
    const deployment = await startLocal()
    const person = await newPerson(browser)
    try {
      const { origin, ownerLink: signInLink } = deployment
      const host = await connectHost(open, { origin, person, signInLink })
      expect(await saveAndFind(host)).toContain('Tea with Ada')
      expect(host.protocol).toBe(protocol)

      const before = host.tokens
      await host.refresh()
      expect(host.tokens.refresh).not.toBe(before.refresh)
      expect(host.tokens.access).not.toBe(before.access)
      expect(await host.call('search_notes', { query: 'Ada' })).toContain('Tea with Ada')
      expect(person.complaints).toEqual([])
    } finally {
      await person.leave()
      await deployment.dispose()
    }
  })

  it('the banner names endpoint, dashboard and store, and the owner link only while nobody owns it', async () => {
    const deployment = await startLocal()
    const person = await newPerson(browser)
    try {
      const [product] = deployment.instances
      expect(product?.banner).toEqual([
        `MCP endpoint: ${deployment.origin}/api/mcp`,
        `Dashboard: ${deployment.origin}/dashboard`,
        expect.stringMatching(/^Store: \/.+/),
        expect.stringMatching(`^Sign in as owner: ${deployment.origin}/sign-in/link#\\S+$`),
      ])
      const { origin, ownerLink: signInLink } = deployment
      const host = await connectHost(hosts[1].open, { origin, person, signInLink })
      await product?.stop()
      await product?.restart()
      expect(product?.banner.map((line) => line.split(':', 1)[0])).toEqual([
        'MCP endpoint',
        'Dashboard',
        'Store',
      ])
      expect((await listNotes(origin, host.tokens.access)).status).toBe(200)
    } finally {
      await person.leave()
      await deployment.dispose()
    }
  })
})

describe('on two instances behind a round-robin that share Upstash', () => {
  it.each(hosts)('$name finds every step on the other instance', async ({ open, protocol }) => {
    const deployment = await startPair()
    const person = await newPerson(browser)
    try {
      const { origin, ownerLink: signInLink, roundRobin } = deployment
      roundRobin.passed()
      const host = await connectHost(open, { origin, person, signInLink })
      expect(await saveAndFind(host)).toContain('Tea with Ada')
      await host.refresh()
      expect(await host.call('search_notes', { query: 'Ada' })).toContain('Tea with Ada')
      expect(host.protocol).toBe(protocol)

      const passed = roundRobin.passed()
      expect(stepsThatStayed(passed)).toEqual([])
      expect(passed.map(({ path }) => path.split('?', 1)[0])).toEqual(
        expect.arrayContaining([
          '/oauth/register',
          '/oauth/authorize',
          '/oauth/consent',
          '/oauth/token',
          '/api/mcp',
        ]),
      )
      expect(passed.filter(({ status }) => status >= 500)).toEqual([])
      expect(person.complaints).toEqual([])
    } finally {
      await person.leave()
      await deployment.dispose()
    }
  })
})

async function saveAndFind(host: { call(tool: string, input: Record<string, unknown>): Promise<string> }) {
  await host.call('save_note', { title: 'Tea with Ada', text: 'On Tuesday at four, at the old mill.' })
  return host.call('search_notes', { query: 'mill' })
}

/** Steps that landed where the step before had landed. */
const stepsThatStayed = (passed: readonly Passed[]): readonly Passed[] =>
  passed.filter(({ upstream }, index) => index > 0 && upstream === passed[index - 1]?.upstream)
