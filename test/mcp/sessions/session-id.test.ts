import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SESSION_ID_MAX_LENGTH, SESSION_ID_MS } from '#lib/config/limits'
import { createKeyRing } from '#lib/core/key-ring'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createSessionIds } from '#lib/mcp/sessions/session-id'

const SECRET = 'a secret of the tests, long enough to be one'
const NEWER = 'another secret of the tests, also long enough'
let now = 1_700_000_000_000
const ids = (...secrets: string[]) => createSessionIds(createKeyRing(secrets, 'test'), () => now)

const session: Omit<LiveSession, 'level' | 'subscriptions'> = {
  sid: 'abcdefghijklmnopqrstuv',
  accountId: 'alice',
  clientKey: 'https://app.example',
  revision: '2025-11-25',
  client: { name: 'app', version: '1.2.3' },
  capabilities: { elicitation: { form: {} }, sampling: {} },
  issuedAt: now,
}

describe('a session id', () => {
  it('says all that serving the session needs', async () => {
    const opened = await ids(SECRET).open(await ids(SECRET).seal(session), 'alice')
    const { clientKey: _key, ...rest } = session
    expect(opened).toMatchObject(rest)
    expect(await opened?.belongsTo('https://app.example')).toBe(true)
    expect(await opened?.belongsTo('https://other.example')).toBe(false)
  })

  it.each([
    { declared: {}, kept: {} },
    { declared: { elicitation: {} }, kept: { elicitation: { form: {} } } },
    { declared: { elicitation: { url: {} } }, kept: { elicitation: { url: {} } } },
    { declared: { elicitation: { form: {}, url: {} } }, kept: { elicitation: { form: {}, url: {} } } },
    { declared: { sampling: { tools: {}, context: {} } }, kept: { sampling: { tools: {}, context: {} } } },
    { declared: { roots: {} }, kept: { roots: { listChanged: false } } },
    { declared: { roots: { listChanged: true } }, kept: { roots: { listChanged: true } } },
    { declared: { experimental: { x: {} } }, kept: {} },
  ])('keeps of the capabilities $declared what we may ask for', async ({ declared, kept }) => {
    const sealed = await ids(SECRET).seal({ ...session, capabilities: declared })
    expect((await ids(SECRET).open(sealed, 'alice'))?.capabilities).toEqual(kept)
  })

  it('is visible ASCII of at most 512 characters, whatever a client calls itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        async (name, version) => {
          const sealed = await ids(SECRET).seal({ ...session, client: { name, version } })
          expect(sealed).toMatch(/^[\x21-\x7e]+$/)
          expect(sealed.length).toBeLessThanOrEqual(SESSION_ID_MAX_LENGTH)
          expect(await ids(SECRET).open(sealed, 'alice')).toBeDefined()
        },
      ),
    )
    const longest = await ids(SECRET).seal({
      ...session,
      client: { name: '𝒳'.repeat(500), version: '"\\'.repeat(500) },
    })
    expect(longest.length).toBeLessThanOrEqual(SESSION_ID_MAX_LENGTH)
  })

  it.each([
    { what: 'of another account', open: (sealed: string) => ids(SECRET).open(sealed, 'mallory') },
    { what: 'of another deployment', open: (sealed: string) => ids(NEWER).open(sealed, 'alice') },
    {
      what: 'with a changed character',
      open: (sealed: string) => ids(SECRET).open(flipped(sealed), 'alice'),
    },
    { what: 'that was cut', open: (sealed: string) => ids(SECRET).open(sealed.slice(0, -4), 'alice') },
    { what: 'that is far too long', open: () => ids(SECRET).open('A'.repeat(100_000), 'alice') },
    { what: 'that is empty', open: () => ids(SECRET).open('', 'alice') },
  ])('$what does not open', async ({ open }) => {
    expect(await open(await ids(SECRET).seal(session))).toBeUndefined()
  })

  it('opens with an older secret, and not once that is gone', async () => {
    const sealed = await ids(SECRET).seal(session)
    expect(await ids(NEWER, SECRET).open(sealed, 'alice')).toBeDefined()
    expect(await ids(NEWER).open(sealed, 'alice')).toBeUndefined()
  })

  it('is taken for 30 days', async () => {
    const sealed = await ids(SECRET).seal(session)
    const began = now
    now = began + SESSION_ID_MS
    expect(await ids(SECRET).open(sealed, 'alice')).toBeDefined()
    now = began + SESSION_ID_MS + 1
    expect(await ids(SECRET).open(sealed, 'alice')).toBeUndefined()
    now = began
  })

  it('that was opened before is as good as the first time, and no better', async () => {
    const own = ids(SECRET)
    const sealed = await own.seal(session)
    const first = await own.open(sealed, 'alice')
    expect(await first?.belongsTo('https://app.example')).toBe(true)

    const again = await own.open(sealed, 'alice')
    expect(again).toMatchObject({ sid: session.sid, accountId: 'alice', revision: '2025-11-25' })
    expect(await again?.belongsTo('https://other.example')).toBe(false)
    expect(await again?.belongsTo('https://app.example')).toBe(true)
    expect(await own.open(sealed, 'mallory')).toBeUndefined()
    expect(await own.open(flipped(sealed), 'alice')).toBeUndefined()

    now += SESSION_ID_MS + 1
    expect(await own.open(sealed, 'alice')).toBeUndefined()
    now -= SESSION_ID_MS + 1
  })
})

function flipped(sealed: string): string {
  const at = sealed.length - 10
  return sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
}
