import { describe, expect, it } from 'vitest'
import { hostOf, hourOf, readStatistics, sessionStatistics } from '#lib/mcp/sessions/statistics'
import { localStoreLater } from '#test/support/live-parts'

const NOW = 1_700_000_000_000
const session = (name: string, revision = '2025-11-25') => ({ client: { name, version: '1' }, revision })

describe('session statistics', () => {
  it.each([
    { name: 'claude-code', host: 'claude-code' },
    { name: 'claude-ai', host: 'claude' },
    { name: 'Visual Studio Code', host: 'vscode' },
    { name: 'cursor-vscode', host: 'cursor' },
    { name: 'openai-mcp', host: 'chatgpt' },
    { name: 'somebody else', host: 'other' },
    { name: 'a|b|c', host: 'other' },
  ])('count $name as $host', ({ name, host }) => {
    expect(hostOf(name)).toBe(host)
  })

  it('are read by host and revision, one request for any number of sessions', async () => {
    const store = localStoreLater()
    for (const [name, revision] of [
      ['claude-ai', '2025-11-25'],
      ['claude-ai', '2025-11-25'],
      ['claude-ai', '2025-06-18'],
    ] as const) {
      await store.batch(...sessionStatistics(NOW, session(name, revision), { used: 1, opened: 1 }))
    }
    const read = await readStatistics(store, hourOf(NOW))
    expect(read).toContainEqual({ what: 'used', host: 'claude', revision: '2025-11-25', count: 2 })
    expect(read).toContainEqual({ what: 'opened', host: 'claude', revision: '2025-06-18', count: 1 })
  })

  it('do not grow with the names that clients give themselves', async () => {
    const store = localStoreLater()
    for (let n = 0; n < 200; n++) {
      await store.batch(...sessionStatistics(NOW, session(`name ${n}`), { used: 1 }))
    }
    expect(await readStatistics(store, hourOf(NOW))).toEqual([
      { what: 'used', host: 'other', revision: '2025-11-25', count: 200 },
    ])
  })
})
