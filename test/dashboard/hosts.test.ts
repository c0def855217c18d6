import { describe, expect, it } from 'vitest'
import { firstGuide, type HostGuide, hostGuides } from '#lib/dashboard/hosts'

const url = 'https://notes.example.com/api/mcp'
const guides = hostGuides({ url, name: 'notebook', title: 'My Notebook' })
const of = (id: string, from: readonly HostGuide[] = guides) => {
  const guide = from.find((one) => one.id === id)
  if (!guide) throw new Error(`no guide for ${id}`)
  return guide
}
const copies = (guide: HostGuide) => guide.steps.flatMap((step) => (step.copy ? [step.copy.text] : []))

describe('the host guides', () => {
  it('name the six ways that people look for, in order of use', () => {
    expect(guides.map(({ name }) => name)).toEqual([
      'Claude',
      'Claude Code',
      'ChatGPT',
      'Cursor',
      'VS Code',
      'Other',
    ])
  })

  it.each(['claude', 'claude-code', 'chatgpt', 'other'])('give %s the URL to copy', (id) => {
    expect(copies(of(id)).join(' ')).toContain(url)
  })

  it('open Claude’s form with name and URL filled in', () => {
    const link = new URL(of('claude').install?.href ?? '')
    expect(link.origin + link.pathname).toBe('https://claude.ai/customize/connectors')
    expect(Object.fromEntries(link.searchParams)).toEqual({
      modal: 'add-custom-connector',
      connectorName: 'My Notebook',
      connectorUrl: url,
    })
  })

  it('give Cursor its configuration as base64 JSON in the link', () => {
    const link = new URL(of('cursor').install?.href ?? '')
    expect(link.href).toMatch(/^cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?/)
    expect(link.searchParams.get('name')).toBe('notebook')
    expect(JSON.parse(atob(link.searchParams.get('config') ?? ''))).toEqual({ url })
  })

  it('give VS Code its entry as encoded JSON after the question mark', () => {
    const href = of('vscode').install?.href ?? ''
    expect(href).toMatch(/^vscode:mcp\/install\?/)
    const entry: unknown = JSON.parse(decodeURIComponent(href.slice(href.indexOf('?') + 1)))
    expect(entry).toEqual({ name: 'notebook', type: 'http', url })
  })

  it.each([
    { id: 'cursor', settings: { mcpServers: { notebook: { url } } } },
    { id: 'vscode', settings: { servers: { notebook: { type: 'http', url } } } },
    { id: 'other', settings: { mcpServers: { notebook: { type: 'http', url } } } },
  ])('write the settings of $id with the keys it reads', ({ id, settings }) => {
    expect(JSON.parse(of(id).settings?.text ?? '')).toEqual(settings)
  })

  it('give Claude Code one command', () => {
    expect(copies(of('claude-code'))[0]).toBe(`claude mcp add --transport http notebook ${url}`)
  })

  it.each([
    'http://localhost:3000/api/mcp',
    'https://localhost/api/mcp',
    'https://notes.example.com:8443/api/mcp',
  ])(
    'say that hosts in a cloud cannot reach %s, offer them no button and open another guide first',
    (local) => {
      const here = hostGuides({ url: local, name: 'notebook', title: 'Notebook' })
      for (const id of ['claude', 'chatgpt']) {
        expect(of(id, here).obstacle).toContain(new URL(local).origin)
        expect(of(id, here).install).toBeUndefined()
      }
      expect(of('cursor', here).obstacle).toBeUndefined()
      expect(firstGuide(here)).toBe('claude-code')
    },
  )

  it('open the guide of Claude first on a public server', () => {
    expect(firstGuide(guides)).toBe('claude')
  })
})
