import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import type { SignedIn } from '#lib/core/signed-in'
import type { ListedGrant } from '#lib/dashboard/connections'
import { createDashboard } from '#lib/dashboard/dashboard'
import { Connections } from '../../app/_components/connections'
import { Landing } from '../../app/_components/landing'

const ada: SignedIn = { accountId: 'a', epoch: 1, name: 'Ada', role: 'owner', sessionHash: 's' }

const dashboardWith = (grants: readonly ListedGrant[], serverName = 'Notebook') =>
  createDashboard({
    origin: 'https://notes.example.com',
    serverName,
    version: '0',
    offer: { name: 'notebook', tools: [] },
    scopes: [{ name: 'notes:read', sentence: 'Read your notes', includes: [] }],
    clock: () => 1_000_000,
    identity: {
      currentUser: async () => ada,
      csrfOf: async (_session, purpose) => `token for ${purpose}`,
      signOutFields: async () => ({ csrf: 'token for sign-out' }),
      checkCsrf: async () => true,
    },
    oauth: { listGrants: async () => grants, endGrant: async () => true },
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
