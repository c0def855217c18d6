import { afterEach, describe, expect, it } from 'vitest'
import type { IdentityDeps } from '#lib/identity/deps'
import { createBrowser, openRig, type Rig, tokenOf } from '#test/identity/rig'

const CODE = 'correct-battery-41'

const opened: Rig[] = []
async function open(overrides: Partial<IdentityDeps> = {}): Promise<Rig> {
  const rig = await openRig(overrides)
  opened.push(rig)
  return rig
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((rig) => rig.close()))
})

const signIn = async (rig: Rig, browser = createBrowser()) => {
  const token = tokenOf(await rig.identity.mintSignInLink({}))
  await browser.post(rig.identity.signInLink, '/sign-in/link', { token })
  return browser
}

describe('the sign-in page', () => {
  it('says for which app the person is here, as text, and keeps the request in its forms', async () => {
    const { identity } = await open()
    const response = await createBrowser().get(identity.signInPage, '/sign-in?rt=sealed-request')
    const page = await response.text()
    expect(response.status).toBe(200)
    expect(page).toContain('<strong>Claude &lt;b&gt;</strong> may use Notebook as you')
    expect(page.match(/name="rt" value="sealed-request"/g)).toHaveLength(3)
    expect(page).toContain('Sign in as owner')
    expect(page).toContain('npm run gatehouse -- sign-in-link')
    expect(page).toContain('I have signed in, go on')
  })

  it('offers only what works: no passkey, no provider, no setup code', async () => {
    const { identity } = await open()
    const page = await (await createBrowser().get(identity.signInPage, '/sign-in')).text()
    expect(page).not.toMatch(/passkey|google|github|setup code/i)
  })

  it('writes nothing for a stranger', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const kinds: string[] = []
    const watched = await open({
      ownerSetupCode: CODE,
      store: {
        ...rig.store,
        run: (operation) => {
          kinds.push(operation.kind)
          return rig.store.run(operation)
        },
      },
    })
    const page = await createBrowser().get(watched.identity.signInPage, '/sign-in?rt=sealed-request')
    expect(page.status).toBe(200)
    expect(kinds).toEqual(['get'])
  })

  it('says plainly when the browser is still not signed in', async () => {
    const { identity } = await open()
    const first = await (await createBrowser().get(identity.signInPage, '/sign-in?rt=sealed-request')).text()
    const tried = await createBrowser().get(identity.signInPage, '/sign-in?rt=sealed-request&tried=1')
    expect(first).not.toContain('not signed in yet')
    expect(await tried.text()).toContain('This browser is not signed in yet')
  })

  it('goes on with the request once the browser is signed in', async () => {
    const rig = await open()
    const browser = await signIn(rig)
    const response = await browser.get(rig.identity.signInPage, '/sign-in?rt=sealed-request&tried=1')
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/oauth/authorize?rt=sealed-request')
  })

  it('leads to the dashboard when nobody waits', async () => {
    const rig = await open()
    const response = await (await signIn(rig)).get(rig.identity.signInPage, '/sign-in')
    expect(response.headers.get('location')).toBe('/dashboard')
  })

  it('sends the person back to the app when the request has expired', async () => {
    const { identity } = await open()
    const response = await createBrowser().get(identity.signInPage, '/sign-in?rt=gone')
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('Start again from the app')
  })

  it('carries the strict policy and is never cached', async () => {
    const { identity } = await open()
    const { headers } = await createBrowser().get(identity.signInPage, '/sign-in')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  })

  it('answers POST with 405', async () => {
    const { identity } = await open()
    const response = await createBrowser().post(identity.signInPage, '/sign-in', {})
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })
})

describe('the setup code', () => {
  const PATH = '/sign-in/setup-code'

  it('is asked for only while nobody owns the server', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const before = await (await createBrowser().get(rig.identity.signInPage, '/sign-in')).text()
    await signIn(rig)
    const after = await (await createBrowser().get(rig.identity.signInPage, '/sign-in')).text()
    expect(before).toContain('action="/sign-in/setup-code"')
    expect(after).not.toContain('action="/sign-in/setup-code"')
  })

  it('makes the first person who knows it the owner', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const browser = createBrowser()
    const response = await browser.post(rig.identity.setupCode, PATH, {
      code: ` ${CODE} `,
      rt: 'sealed-request',
    })
    expect(response.headers.get('location')).toBe('/oauth/authorize?rt=sealed-request')
    expect(await rig.identity.currentUser(browser.request('/'))).toMatchObject({ role: 'owner' })
    expect(rig.audited.map(({ event, why }) => [event, why])).toEqual([
      ['account_created', 'setup_code'],
      ['signed_in', 'setup_code'],
    ])
  })

  it('leads to the page that offers a passkey, where no app waits', async () => {
    const rig = await open({ ownerSetupCode: CODE, passkeyRpId: 'gatehouse.example' })
    const browser = createBrowser()
    const response = await browser.post(rig.identity.setupCode, PATH, { code: CODE })
    const next = response.headers.get('location') ?? ''
    const page = await (await browser.get(rig.identity.signInLink, next)).text()
    expect(page).toContain('href="/sign-in/passkey/new"')
  })

  it('is no way in once the server is owned', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    await signIn(rig)
    const browser = createBrowser()
    const response = await browser.post(rig.identity.setupCode, PATH, { code: CODE })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('has an owner already')
    expect(browser.jar.size).toBe(0)
  })

  it('makes one owner of 15 people who send it at once', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const browsers = Array.from({ length: 15 }, () => createBrowser())
    await Promise.all(browsers.map((browser) => browser.post(rig.identity.setupCode, PATH, { code: CODE })))
    expect(browsers.filter(({ jar }) => jar.size > 0)).toHaveLength(1)
  })

  it.each([
    { what: 'another code', code: 'correct-battery-42' },
    { what: 'its beginning', code: CODE.slice(0, -1) },
    { what: 'more than it', code: `${CODE}1` },
    { what: 'nothing', code: '' },
  ])('is not $what', async ({ code }) => {
    const rig = await open({ ownerSetupCode: CODE })
    const response = await createBrowser().post(rig.identity.setupCode, PATH, { code })
    expect(response.status).toBe(400)
    expect(await rig.identity.hasOwner()).toBe(false)
    expect(rig.logged.join()).toContain('"reason":"wrong"')
  })

  it('is looked at 20 times a minute', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const send = (code: string) => createBrowser().post(rig.identity.setupCode, PATH, { code })
    for (let attempt = 0; attempt < 20; attempt++) expect((await send('wrong')).status).toBe(400)

    const refused = await send(CODE)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    rig.advance(60_000)
    expect((await send(CODE)).status).toBe(303)
  })

  it('does not exist where none is set', async () => {
    const rig = await open()
    const response = await createBrowser().post(rig.identity.setupCode, PATH, { code: '' })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('has no setup code')
    expect(await rig.identity.hasOwner()).toBe(false)
  })

  it('is refused from another origin', async () => {
    const rig = await open({ ownerSetupCode: CODE })
    const response = await createBrowser().post(
      rig.identity.setupCode,
      PATH,
      { code: CODE },
      { Origin: 'https://evil.example' },
    )
    expect(response.status).toBe(403)
    expect(await rig.identity.hasOwner()).toBe(false)
  })
})
