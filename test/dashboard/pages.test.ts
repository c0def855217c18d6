import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import type { SignedIn } from '#lib/core/signed-in'
import type { ListedGrant } from '#lib/dashboard/connections'
import { createDashboard } from '#lib/dashboard/dashboard'
import type { ListedToken } from '#lib/dashboard/tokens'
import { Connections } from '../../app/_components/connections'
import { Landing } from '../../app/_components/landing'
import { Tokens } from '../../app/_components/tokens'

const ada: SignedIn = { accountId: 'a', epoch: 1, name: 'Ada', role: 'owner', sessionHash: 's' }

const dashboardWith = (
  grants: readonly ListedGrant[],
  serverName = 'Notebook',
  tokens: readonly ListedToken[] = [],
) =>
  createDashboard({
    origin: 'https://notes.example.com',
    serverName,
    version: '0',
    offer: { name: 'notebook', tools: [] },
    scopes: [
      { name: 'notes:read', sentence: 'Read your notes', includes: [] },
      { name: 'notes:write', sentence: 'Change your notes', includes: ['notes:read'] },
    ],
    clock: () => 1_000_000,
    random: () => 'once',
    identity: {
      currentUser: async () => ada,
      csrfOf: async (_session, purpose) => `token for ${purpose}`,
      signOutFields: async () => ({ csrf: 'token for sign-out' }),
      checkCsrf: async () => true,
      own: {
        waysIn: async () => ({ rpId: 'notes.example.com', passkeys: [], recovery: undefined }),
        browserSessions: async () => [],
        renamePasskey: async () => ({ ok: true, value: undefined }),
        removePasskey: async () => ({ ok: true, value: undefined }),
        renewRecoveryCodes: async () => ({ ok: true, value: [] }),
        endBrowserSession: async () => false,
        signOutEverywhere: async () => undefined,
      },
    },
    oauth: {
      listGrants: async () => grants,
      endGrant: async () => true,
      listPersonalTokens: async () => tokens,
      endPersonalToken: async () => true,
      createPersonalToken: async () => ({ ok: false, error: 'too_many' }),
      personalTokenDays: [7, 30, 90, 365],
    },
  })

async function connectionsPage(grants: readonly ListedGrant[], ended = false): Promise<string> {
  const dashboard = dashboardWith(grants)
  const model = await dashboard.connections(ada)
  return renderToStaticMarkup(
    createElement(Connections, { server: dashboard.landing, model, userName: ada.name, ended }),
  )
}

const grant = (name: string, verified = false): ListedGrant => ({
  id: `id of ${name}`,
  client: { name, verified },
  redirectUri: 'https://app.example/cb',
  scopes: ['notes:read'],
  createdAt: 0,
  lastUsedAt: undefined,
})

describe('the page of connections', () => {
  it('says who may do what, and names what a button ends', async () => {
    const page = await connectionsPage([grant('Claude'), grant('ChatGPT', true)])
    expect(page).toContain('2 apps can use Notebook as you.')
    expect(page).toContain('Read your notes')
    expect(page).toContain('End<span class="visually-hidden"> connection to Claude</span>')
    expect(page).toMatch(/<button[^>]*button-danger[^>]*>End connection to ChatGPT<\/button>/)
  })

  it('tells verified apps from those that registered themselves', async () => {
    expect(await connectionsPage([grant('Claude', true)])).not.toContain('Registered itself')
    expect(await connectionsPage([grant('Claude')])).toContain('Registered itself')
  })

  it('ends and signs out by plain forms, each with its own token', async () => {
    const page = await connectionsPage([grant('Claude')])
    expect(page).toContain(
      '<form action="/dashboard/connections/end" method="post"><input type="hidden" name="csrf" value="token for end-connection"/><input type="hidden" name="connection" value="id of Claude"/>',
    )
    expect(page).toContain(
      '<form action="/sign-out" method="post"><input type="hidden" name="csrf" value="token for sign-out"/>',
    )
  })

  it('shows the name of an app as text, whatever it holds', async () => {
    const page = await connectionsPage([grant('<img src=x onerror=alert(1)>')])
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;img src=x')
  })

  it('teaches how to connect when nothing is connected', async () => {
    const page = await connectionsPage([])
    expect(page).toContain('No app is connected')
    expect(page).toContain('https://notes.example.com/api/mcp')
    expect(page).toContain('type="radio"')
  })

  it('says that a connection has ended, and only then', async () => {
    expect(await connectionsPage([], true)).toContain('role="status"')
    expect(await connectionsPage([], false)).not.toContain('role="status"')
  })
})

async function tokensPage(tokens: readonly ListedToken[], ended = false): Promise<string> {
  const dashboard = dashboardWith([], 'Notebook', tokens)
  const model = await dashboard.tokens(ada)
  return renderToStaticMarkup(
    createElement(Tokens, { server: dashboard.landing, model, userName: ada.name, ended }),
  )
}

const token = (name: string): ListedToken => ({
  id: `id of ${name}`,
  name,
  scopes: ['notes:write'],
  createdAt: 0,
  expiresAt: 1_000_000 + 30 * 86_400_000,
  lastUsedAt: undefined,
})

describe('the page of tokens', () => {
  it('says what a token may do in words, until when, and whether it was used', async () => {
    const page = await tokensPage([token('Backup')])
    expect(page).toContain('Change your notes')
    expect(page).toContain('which includes: Read your notes')
    expect(page).toMatch(/Expires <time [^>]*>in 30 days/)
    expect(page).toContain('Not used yet')
    expect(page).toContain('Created')
  })

  it('ends a token by a plain form with its own CSRF token', async () => {
    expect(await tokensPage([token('Backup')])).toContain(
      '<form action="/dashboard/tokens/end" method="post"><input type="hidden" name="csrf" value="token for end-token"/><input type="hidden" name="token" value="id of Backup"/>',
    )
  })

  it('offers a plain form for a new one with the least permission ticked and no endless life', async () => {
    const page = await tokensPage([])
    expect(page).toContain('<form action="/dashboard/tokens/create" method="post">')
    expect(page).toContain('value="token for create-token"')
    expect(page).toMatch(/<input[^>]*checked=""[^>]*value="notes:read"/)
    expect(page).not.toMatch(/<input[^>]*checked=""[^>]*value="notes:write"/)
    expect([...page.matchAll(/<option value="(\d+)"/g)].map(([, days]) => days)).toEqual([
      '7',
      '30',
      '90',
      '365',
    ])
    expect(page).toMatch(/<option value="30" selected="">/)
  })

  it('shows the name of a token as text, whatever it holds', async () => {
    const page = await tokensPage([token('<img src=x onerror=alert(1)>')])
    expect(page).not.toContain('<img')
  })

  it.each([
    { page: 'connections', markup: () => connectionsPage([]), current: '/dashboard' },
    { page: 'tokens', markup: () => tokensPage([]), current: '/dashboard/tokens' },
  ])('is linked both ways, and $page says that it is the open one', async ({ markup, current }) => {
    const page = await markup()
    const links = [...page.matchAll(/<a href="(\/dashboard[^"]*)"( aria-current="page")?>/g)]
    expect(links.map(([, href]) => href)).toEqual(['/dashboard', '/dashboard/tokens', '/dashboard/account'])
    expect(links.find(([, , isCurrent]) => isCurrent)?.[1]).toBe(current)
  })
})

describe('the landing page', () => {
  const landing = (signedIn: boolean) =>
    renderToStaticMarkup(createElement(Landing, { model: dashboardWith([]).landing, signedIn }))

  it('differs in its corner alone for who is signed in', () => {
    const corner = /<nav[\s\S]*?<\/nav>/
    expect(landing(false)).toMatch(/<nav[^>]*><a class="button" href="\/sign-in">Sign in<\/a>/)
    expect(landing(true)).toMatch(/<nav[^>]*><a class="button" href="\/dashboard">Your connections<\/a>/)
    expect(landing(true).replace(corner, '')).toBe(landing(false).replace(corner, ''))
  })

  it('has one first heading, and one guide chosen to begin with', () => {
    expect(landing(false).match(/<h1/g)).toHaveLength(1)
    expect(landing(false).match(/checked=""/g)).toHaveLength(1)
  })

  it.each([
    { serverName: 'My Notes & More', name: 'my-notes-more' },
    { serverName: '笔记', name: 'notebook' },
  ])('has hosts list $serverName as $name', ({ serverName, name }) => {
    const { hosts } = dashboardWith([], serverName).landing
    expect(hosts.find(({ id }) => id === 'claude-code')?.steps[0]?.copy?.text).toContain(` ${name} https://`)
  })
})
