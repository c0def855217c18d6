import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newPerson, type Person, signInWithLink } from '#test/support/browser'
import { type Pair, startPair } from '#test/support/deployment'
import { ERAS, listNotes, post } from '#test/support/mcp-request'

/** What follows an answer (noting a use) has been sent by then. */
const QUIET_MS = 400

let pair: Pair
let browser: Browser
let person: Person
let page: Page
let token: string
beforeAll(async () => {
  ;[pair, browser] = await Promise.all([startPair(), launchBrowser()])
  person = await newPerson(browser)
  await person.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  page = await person.newPage()
  await signInWithLink(page, pair.ownerLink)
})
afterAll(async () => {
  await person.leave()
  await browser.close()
  await pair.dispose()
})

const tokensPage = () => `${pair.origin}/dashboard/tokens`
const row = (name: string) => page.getByRole('listitem').filter({ hasText: name }).first()

/** Fills in the form and gives the token from the page that shows it. */
async function create(tab: Page, name: string, permissions: readonly RegExp[]): Promise<string> {
  await tab.goto(tokensPage())
  await tab.getByLabel('Name').fill(name)
  for (const box of await tab.getByRole('checkbox').all()) await box.uncheck()
  for (const permission of permissions) await tab.getByRole('checkbox', { name: permission }).check()
  await tab.getByRole('button', { name: 'Create token' }).click()
  await tab.getByRole('heading', { name: 'Copy your token now' }).waitFor()
  return (await tab.locator('#token').textContent()) ?? ''
}

describe('a personal access token', () => {
  it('is created on the page of tokens and shown on a page that nothing keeps', async () => {
    const answered = page.waitForResponse((response) => response.url().endsWith('/dashboard/tokens/create'))
    token = await create(page, 'Backup script', [/^Read your notes/])
    expect(token).toMatch(/^gth_pat_[\w-]{8}(?:\.[\w-]+){4}\.[\w-]{43}\.[\w-]{43}$/)

    const response = await answered
    expect(response.status()).toBe(200)
    expect(response.headers()['cache-control']).toBe('no-store')
    expect(response.headers()['referrer-policy']).toBe('no-referrer')
    expect(page.url()).not.toContain('gth_pat_')
    expect(await page.locator('#header').textContent()).toBe(`Authorization: Bearer ${token}`)
    expect(JSON.parse((await page.locator('#settings').textContent()) ?? '')).toEqual({
      mcpServers: {
        notebook: {
          type: 'http',
          url: `${pair.origin}/api/mcp`,
          headers: { Authorization: `Bearer ${token}` },
        },
      },
    })
  })

  it('is copied by a button', async () => {
    await page.getByRole('button', { name: 'Copy the token' }).click()
    await page.getByText('Copied', { exact: true }).waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token)
  })

  it('is shown once: neither sending the form again nor the list shows it', async () => {
    page.once('dialog', (dialog) => void dialog.accept())
    await page.reload()
    expect(await page.getByRole('heading').first().textContent()).toBe('Nothing was changed')
    expect(await page.content()).not.toContain('gth_pat_')

    await page.goto(tokensPage())
    expect(await row('Backup script').textContent()).toMatch(
      /Expires in 30 days.*Read your notes.*Not used yet/,
    )
    expect(await page.content()).not.toContain('gth_pat_')
    expect(await row('Backup script').count()).toBe(1)
  })

  it.each(ERAS)('calls a tool in %s at every instance', async (era) => {
    for (const _ of pair.instances) expect((await listNotes(pair.origin, token, era)).status).toBe(200)
  })

  it.each(ERAS)('costs one store request for a call without a tool of its own in %s', async (era) => {
    for (const _ of pair.instances) await post(pair.origin, { token, era, method: 'tools/list' })
    await pause(QUIET_MS)
    pair.bridge.counts.reset()
    expect((await post(pair.origin, { token, era, method: 'tools/list' })).status).toBe(200)
    await pause(QUIET_MS)
    expect(pair.bridge.counts.requests).toBe(1)
  })

  it('is seen in the list as used', async () => {
    await page.goto(tokensPage())
    expect(await row('Backup script').textContent()).toMatch(/Used /)
  })

  it.each(ERAS)('that may only read is told with 403 which scope a change needs in %s', async (era) => {
    const params = { name: 'save_note', arguments: { title: 'T', text: 'x' } }
    const response = await post(pair.origin, { token, era, method: 'tools/call', params })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toMatch(
      /error="insufficient_scope", scope="notes:write notes:read"/,
    )
    expect(await response.text()).toContain('make a token with that permission on /dashboard/tokens')
  })

  it.each([
    { what: 'its MAC', forge: () => `${token.slice(0, -43)}${'A'.repeat(43)}` },
    { what: 'its secret', forge: () => token.replace(/[\w-]{43}(\.[\w-]{43})$/, `${'A'.repeat(43)}$1`) },
  ])('forged in $what is refused with 401 and without the store', async ({ forge }) => {
    pair.bridge.counts.reset()
    const refused = await listNotes(pair.origin, forge())
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(pair.bridge.counts.requests).toBe(0)
  })

  it('is found neither in the store nor in a log, and nothing there works as one', async () => {
    const [, , , , , secret = '', mac = ''] = token.split('.')
    const dump = await everything(pair.redis.url)
    expect(dump).toContain('Backup script')
    const logs = pair.instances.map((instance) => instance.log()).join('\n')
    for (const text of [dump, logs]) {
      expect(text).not.toContain('gth_pat_')
      expect(text).not.toContain(secret)
      expect(text).not.toContain(mac)
    }
    const candidates = new Set(dump.match(/[\w.-]{20,}/g) ?? [])
    expect(candidates.size).toBeGreaterThan(3)
    for (const candidate of candidates) {
      expect((await listNotes(pair.origin, candidate)).status).toBe(401)
      expect((await listNotes(pair.origin, `gth_pat_${candidate}`)).status).toBe(401)
    }
  })

  it('is not ended by a form without the value of its page', async () => {
    const id = token.split('.')[1] ?? ''
    const answer = await page.evaluate(
      async ({ url, body }) => (await fetch(url, { method: 'POST', body: new URLSearchParams(body) })).status,
      { url: `${pair.origin}/dashboard/tokens/end`, body: { token: id, csrf: 'made.up' } },
    )
    expect(answer).toBe(403)
    expect((await listNotes(pair.origin, token)).status).toBe(200)
  })

  it('is refused everywhere from the moment it was ended', async () => {
    await page.goto(tokensPage())
    await row('Backup script').locator('details.confirm > summary').click()
    await page.getByRole('button', { name: 'End token Backup script' }).click()
    await page.waitForURL(/\/dashboard\/tokens\?ended=/)
    expect(await page.getByRole('status').textContent()).toContain('The token has ended')
    expect(await row('Backup script').count()).toBe(0)
    for (const era of ERAS) {
      for (const _ of pair.instances) {
        const refused = await listNotes(pair.origin, token, era)
        expect(refused.status).toBe(401)
        expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
      }
    }
  })
})

describe('the tokens of an account', () => {
  it.each([
    { what: 'its epoch has risen', change: (account: { epoch: number }) => ({ epoch: account.epoch + 1 }) },
    { what: 'it was disabled', change: () => ({ state: 'ended' }) },
  ])('are refused at once when $what', async ({ change }) => {
    const made = await create(page, 'Of an account', [/^Read your notes/])
    expect((await listNotes(pair.origin, made)).status).toBe(200)

    const client = await createClient({ url: pair.redis.url }).connect()
    const [key = ''] = (await client.keys('*a:usr_*')).filter((found) => /a:usr_[\w-]+$/.test(found))
    const before = (await client.get(key)) ?? ''
    const account = JSON.parse(before) as { epoch: number }
    await client.set(key, JSON.stringify({ ...account, ...change(account) }))
    for (const _ of pair.instances) expect((await listNotes(pair.origin, made)).status).toBe(401)

    await client.set(key, before)
    client.destroy()
    expect((await listNotes(pair.origin, made)).status).toBe(200)
  })
})

it('the page of tokens works without script', async () => {
  const storageState = await person.context.storageState()
  const plain = await newPerson(browser, { javaScriptEnabled: false, storageState })
  const tab = await plain.newPage()
  const bare = await create(tab, 'Made without script', [/^Create, change/])
  expect((await listNotes(pair.origin, bare)).status).toBe(200)
  expect(await tab.getByRole('button', { name: 'Copy the token' }).isVisible()).toBe(false)

  await tab.getByRole('link', { name: /back to your tokens/ }).click()
  const made = tab.getByRole('listitem').filter({ hasText: 'Made without script' }).first()
  await made.locator('details.confirm > summary').click()
  await tab.getByRole('button', { name: 'End token Made without script' }).click()
  await tab.waitForURL(/ended=/)
  expect((await listNotes(pair.origin, bare)).status).toBe(401)
  await plain.leave()
})

it('the page of tokens sends a stranger to sign-in', async () => {
  const stranger = await newPerson(browser)
  const tab = await stranger.newPage()
  await tab.goto(tokensPage())
  expect(new URL(tab.url()).pathname).toBe('/sign-in')
  await stranger.leave()
})

it('the page of tokens is under the policy of our pages', async () => {
  const response = await page.goto(tokensPage())
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toMatch(/script-src 'self' 'nonce-/)
  expect(policy).toContain("frame-ancestors 'none'")
})

/** Every key and value of a Redis, as text. */
async function everything(url: string): Promise<string> {
  const client = await createClient({ url }).connect()
  const lines: string[] = []
  for (const key of await client.keys('*')) {
    lines.push(key, JSON.stringify(await readAny(client, key)))
  }
  client.destroy()
  return lines.join('\n')
}

async function readAny(client: Pick<ReturnType<typeof createClient>, 'sendCommand'>, key: string) {
  const type = await client.sendCommand(['TYPE', key])
  const commands: Readonly<Record<string, string[]>> = {
    string: ['GET', key],
    hash: ['HGETALL', key],
    zset: ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
    stream: ['XRANGE', key, '-', '+'],
    set: ['SMEMBERS', key],
    list: ['LRANGE', key, '0', '-1'],
  }
  const command = commands[String(type)]
  if (!command) throw new Error(`a key of the type ${String(type)}`)
  return client.sendCommand(command)
}
