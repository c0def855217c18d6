import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newPerson, type Person } from '#test/support/browser'
import { type Deployment, startLocal, startPair } from '#test/support/deployment'
import type { Host } from '#test/support/hosts'
import { hostV2 } from '#test/support/hosts'
import { connectHost } from '#test/support/journey'
import { listNotes } from '#test/support/mcp-request'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

describe.each([
  { where: 'on the local store', start: startLocal },
  { where: 'on two instances', start: startPair },
])('the dashboard $where', ({ start }) => {
  let deployment: Deployment
  let person: Person
  let page: Page
  let host: Host
  beforeAll(async () => {
    deployment = await start()
    person = await newPerson(browser)
    const { origin, ownerLink: signInLink } = deployment
    host = await connectHost(hostV2, { origin, person, signInLink })
    page = await person.newPage()
  })
  afterAll(async () => {
    await person.leave()
    await deployment.dispose()
  })

  it('lists a connection with its name, what it may do and when it was used', async () => {
    await host.call('list_notes', {})
    await page.goto(`${deployment.origin}/dashboard`)
    const row = page.getByRole('listitem').filter({ hasText: 'Host on SDK v2' }).first()
    expect(await row.textContent()).toMatch(/Create, change and delete your notes/)
    expect(await row.textContent()).toMatch(/Used /)
  })

  it('ends a connection, and the next call is refused with 401 at every instance', async () => {
    const token = host.tokens.access
    expect((await listNotes(deployment.origin, token)).status).toBe(200)

    await page.goto(`${deployment.origin}/dashboard`)
    await page.locator('details.confirm > summary').click()
    await page.getByRole('button', { name: 'End connection to Host on SDK v2' }).click()
    await page.waitForURL(/\/dashboard\?ended=/)
    expect(await page.getByRole('status').textContent()).toContain('ended')
    expect(await page.getByRole('listitem').filter({ hasText: 'Host on SDK v2' }).count()).toBe(0)

    for (const _ of deployment.instances) {
      const refused = await listNotes(deployment.origin, token)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
    }
    await expect(host.refresh()).rejects.toThrow()
  })

  it('sends a stranger to sign-in', async () => {
    const stranger = await newPerson(browser)
    const tab = await stranger.newPage()
    await tab.goto(`${deployment.origin}/dashboard`)
    expect(new URL(tab.url()).pathname).toBe('/sign-in')
    await stranger.leave()
  })

  it('complains about nothing on the console', () => {
    expect(person.complaints).toEqual([])
  })
})
