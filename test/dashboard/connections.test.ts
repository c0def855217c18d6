import { describe, expect, it } from 'vitest'
import { connectionsOf, initialsOf, type ListedGrant } from '#lib/dashboard/connections'
import { groupByPermission, permissionsOf } from '#lib/dashboard/permissions'
import { moment } from '#lib/dashboard/relative-time'

const scopes = [
  { name: 'notes:read', sentence: 'Read your notes', includes: [] },
  { name: 'notes:write', sentence: 'Change your notes', includes: ['notes:read'] },
]
const now = Date.UTC(2026, 10, 22, 15, 34, 47)
const HOUR = 3_600_000
const DAY = 24 * HOUR

const grant = (changes: Partial<ListedGrant> = {}): ListedGrant => ({
  id: 'g1',
  client: { name: 'Claude', verified: false },
  redirectUri: 'https://claude.ai/api/mcp/auth_callback',
  scopes: ['notes:read'],
  createdAt: now - DAY,
  lastUsedAt: undefined,
  ...changes,
})
const shown = (changes: Partial<ListedGrant>) => connectionsOf([grant(changes)], { scopes, now })[0]

describe('a list of connections', () => {
  it('begins with what was used last, counting a new connection as used', () => {
    const list = connectionsOf(
      [
        grant({ id: 'idle', createdAt: now - 90 * DAY, lastUsedAt: now - 60 * DAY }),
        grant({ id: 'new', createdAt: now - HOUR }),
        grant({ id: 'busy', createdAt: now - 90 * DAY, lastUsedAt: now - 1000 }),
      ],
      { scopes, now },
    )
    expect(list.map(({ id }) => id)).toEqual(['busy', 'new', 'idle'])
  })

  it.each([
    { redirectUri: 'https://claude.ai/api/mcp/auth_callback', home: 'claude.ai' },
    { redirectUri: 'https://notes.example.com:8443/cb', home: 'notes.example.com:8443' },
    { redirectUri: 'http://localhost:3118/callback', home: 'an app on your computer' },
    { redirectUri: 'http://127.0.0.1:9/callback', home: 'an app on your computer' },
    { redirectUri: 'http://[::1]:9/callback', home: 'an app on your computer' },
    {
      redirectUri: 'cursor://anysphere.cursor-mcp/oauth/callback',
      home: 'the app that opens cursor:// links',
    },
    { redirectUri: 'not a URL', home: 'an unknown place' },
  ])('says that $redirectUri leads to $home', ({ redirectUri, home }) => {
    expect(shown({ redirectUri })?.home).toBe(home)
  })

  it('calls an app without a name what it is', () => {
    expect(shown({ client: { name: '  ', verified: false } })?.appName).toBe('An app without a name')
  })

  it('knows when a connection was never used', () => {
    expect(shown({})?.lastUsed).toBeUndefined()
    expect(shown({ lastUsedAt: now - 3 * HOUR })?.lastUsed?.relative).toBe('3 hours ago')
  })
})

describe('a mark', () => {
  it.each([
    { name: 'Claude', initials: 'Cl' },
    { name: 'ChatGPT', initials: 'Ch' },
    { name: 'Claude Code (laptop)', initials: 'CC' },
    { name: 'école', initials: 'Éc' },
    { name: 'X', initials: 'X' },
    { name: '<b>', initials: 'B' },
    { name: '***', initials: '?' },
    { name: '', initials: '?' },
  ])('of “$name” shows $initials', ({ name, initials }) => {
    expect(initialsOf(name)).toBe(initials)
  })
})

describe('permissions in words', () => {
  it.each([
    { held: ['notes:read'], said: ['Read your notes'] },
    { held: ['notes:read', 'notes:write'], said: ['Change your notes'] },
    { held: ['notes:write'], said: ['Change your notes'] },
    { held: ['gone:scope', 'notes:read'], said: ['Read your notes', 'gone:scope'] },
    { held: [], said: [] },
  ])('say $said for $held', ({ held, said }) => {
    expect(permissionsOf(held, scopes).map(({ sentence }) => sentence)).toEqual(said)
  })

  it('tell what a permission includes', () => {
    expect(permissionsOf(['notes:write'], scopes)[0]?.includes).toEqual(['Read your notes'])
  })

  it('group tools under the permission each needs and leave out permissions without tools', () => {
    const groups = groupByPermission(
      [
        { name: 'save', title: 'Save a note', scope: 'notes:write' },
        { name: 'read', title: 'Read a note', scope: 'notes:read' },
      ],
      [...scopes, { name: 'unused', sentence: 'Nothing', includes: [] }],
    )
    expect(groups.map(({ permission, tools }) => [permission.name, tools.map(({ title }) => title)])).toEqual(
      [
        ['notes:read', ['Read a note']],
        ['notes:write', ['Save a note']],
      ],
    )
  })
})

describe('a moment', () => {
  it.each([
    { ago: 0, relative: 'just now' },
    { ago: 59_999, relative: 'just now' },
    { ago: 60_000, relative: '1 minute ago' },
    { ago: 59 * 60_000, relative: '59 minutes ago' },
    { ago: 5 * HOUR, relative: '5 hours ago' },
    { ago: DAY, relative: 'yesterday' },
    { ago: 6 * DAY, relative: '6 days ago' },
    { ago: 20 * DAY, relative: '2 weeks ago' },
    { ago: 90 * DAY, relative: '3 months ago' },
    { ago: 800 * DAY, relative: '2 years ago' },
    { ago: -HOUR, relative: 'just now' },
  ])('$ago ms ago reads “$relative”', ({ ago, relative }) => {
    expect(moment(now - ago, now).relative).toBe(relative)
  })

  it('is exact in UTC for those who look closer', () => {
    expect(moment(now, now)).toMatchObject({
      exact: '22 November 2026 at 15:34:47 UTC',
      iso: '2026-11-22T15:34:47.000Z',
    })
  })
})
