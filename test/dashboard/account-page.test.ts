import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import {
  accountModel,
  type ListedPasskey,
  type ListedSession,
  type ListedWaysIn,
} from '#lib/dashboard/account'
import { Account } from '../../app/_components/account'

const NOW = 1_000_000_000
const landing = { serverName: 'Notebook', mcpUrl: 'https://n.example/api/mcp', hosts: [], abilities: [] }
const csrf = { rename: 'c1', remove: 'c2', codes: 'c3', session: 'c4', everywhere: 'c5' }

const passkey = (more: Partial<ListedPasskey> = {}): ListedPasskey => ({
  ref: 'p1',
  name: 'Laptop <b>',
  rpId: 'n.example',
  works: true,
  backedUp: false,
  createdAt: NOW - 86_400_000,
  lastUsedAt: NOW - 3_600_000,
  copySeenAt: undefined,
  lastWayIn: false,
  ...more,
})
const session: ListedSession = {
  id: 's1',
  browser: 'Firefox on Linux',
  how: 'passkey',
  createdAt: NOW - 60_000,
  current: true,
}

interface Shown {
  readonly waysIn?: Partial<ListedWaysIn>
  readonly sessions?: readonly ListedSession[]
  readonly role?: 'owner' | 'member'
  readonly asked?: Record<string, string>
}

function page({ waysIn, sessions = [session], role = 'member', asked = {} }: Shown): string {
  const model = accountModel({
    user: { accountId: 'a', epoch: 0, name: 'Ada', role, sessionHash: 's' },
    waysIn: { rpId: 'n.example', passkeys: [], recovery: undefined, ...waysIn },
    sessions,
    csrf,
    signOutFields: { csrf: 'c0' },
    now: NOW,
  })
  return renderToStaticMarkup(createElement(Account, { server: landing, model, userName: 'Ada', asked }))
}

describe('the account page', () => {
  it('lists passkeys with where they are and when they were used, as text', () => {
    const shown = page({ waysIn: { passkeys: [passkey()] } })
    expect(shown).toContain('Laptop &lt;b&gt;')
    expect(shown).toContain('On one device')
    expect(shown).toContain('1 hour ago')
    expect(shown).toContain('Remove passkey Laptop &lt;b&gt;</button>')
    expect(page({ waysIn: { passkeys: [passkey({ backedUp: true })] } })).toContain(
      'Synced between your devices',
    )
  })

  it('explains in words why a passkey of another address does not work', () => {
    const shown = page({ waysIn: { passkeys: [passkey({ works: false, rpId: 'old.example' })] } })
    expect(shown).toContain('Does not work here')
    expect(shown).toMatch(/had the address <span class="mono">old\.example<\/span>/)
    expect(shown).toMatch(/it is <span class="mono">n\.example<\/span> now/)
  })

  it('has no button to remove the last way in, and says what to do first', () => {
    const shown = page({ waysIn: { passkeys: [passkey({ lastWayIn: true })] } })
    expect(shown).toContain('This is your only way in')
    expect(shown).not.toContain('/dashboard/account/passkeys/remove')
  })

  it('says when a passkey may have been copied', () => {
    expect(page({ waysIn: { passkeys: [passkey({ copySeenAt: NOW - 60_000 })] } })).toContain(
      'It may have been copied.',
    )
    expect(page({ waysIn: { passkeys: [passkey()] } })).not.toContain('copied')
  })

  it('counts recovery codes and warns before they run out', () => {
    const recovery = (left: number) => page({ waysIn: { recovery: { set: 'x', left, createdAt: NOW } } })
    expect(recovery(9)).toContain('9 of 10 left')
    expect(recovery(9)).not.toContain('Make new ones soon')
    expect(recovery(2)).toContain('Make new ones soon')
    expect(recovery(2)).toContain('name="replaces" value="x"')
    expect(page({})).toContain('Make recovery codes</button>')
  })

  it('tells the owner that a link is always there, and others whom to ask', () => {
    expect(page({ role: 'owner' })).toContain('always make a sign-in link')
    expect(page({})).toContain('ask the person who runs this server for a link')
  })

  it('lists this browser first, and how each was signed in', () => {
    const other = { ...session, id: 's2', browser: 'Safari on iPhone', current: false, createdAt: NOW }
    const shown = page({ sessions: [other, session, { ...other, id: 's3', how: undefined }] })
    expect(shown.indexOf('Firefox on Linux')).toBeLessThan(shown.indexOf('Safari on iPhone'))
    expect(shown).toContain('Signed in with a passkey')
    expect(shown).toContain('before this list was kept')
  })

  it.each([
    { asked: { added: 'p1' }, says: 'The passkey is added' },
    { asked: { added: 'nobody' }, says: undefined },
    { asked: { renamed: 'p1' }, says: 'has its new name' },
    { asked: { removed: 'p2' }, says: 'is removed and signs nobody in' },
    { asked: { removed: 'p1' }, says: undefined },
    { asked: { ended: 's9' }, says: 'That browser is signed out' },
    { asked: { ended: 's1' }, says: undefined },
    { asked: { recovered: '1' }, says: '4 of 10 are left' },
  ])('says after $asked: $says, and only what is so', ({ asked, says }) => {
    const shown = page({
      waysIn: { passkeys: [passkey()], recovery: { set: 'x', left: 4, createdAt: NOW } },
      asked: asked as unknown as Record<string, string>,
    })
    if (says === undefined) expect(shown).not.toContain('role="status"')
    else expect(shown).toContain(says)
  })

  it('offers no passkey where the address is a number', () => {
    const shown = page({ waysIn: { rpId: undefined } })
    expect(shown).toContain('IP address')
    expect(shown).not.toContain('/sign-in/passkey/new')
  })
})
