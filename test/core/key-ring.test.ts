import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRing, type KeyPurpose } from '#lib/core/key-ring'

const OLD = 'an old secret of tests'
const NEW = 'a new secret of tests'
const ring = createKeyRing([NEW], 'production')

const purposes: readonly KeyPurpose[] = ['sign-in-link', 'csrf', 'authorization-request', 'refresh-token']

describe('a sealed value', () => {
  it('opens to what was sealed, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (text, associated) => {
        const sealed = await ring.seal('csrf', text, associated)
        expect(sealed).toMatch(/^[\w-]{8}\.[\w-]+$/)
        expect(await ring.open('csrf', sealed, associated)).toBe(text)
      }),
      { numRuns: 50 },
    )
  })

  it('is another one each time', async () => {
    const sealed = await Promise.all(Array.from({ length: 20 }, () => ring.seal('csrf', 'same')))
    expect(new Set(sealed).size).toBe(20)
  })

  it('does not open after any one character was changed', async () => {
    const sealed = await ring.seal('csrf', 'owner')
    for (let at = 0; at < sealed.length; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      expect(await ring.open('csrf', sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeUndefined()
    }
  })

  it('does not open after being cut or lengthened', async () => {
    const sealed = await ring.seal('csrf', 'owner')
    for (let length = 0; length < sealed.length; length++) {
      expect(await ring.open('csrf', sealed.slice(0, length))).toBeUndefined()
    }
    expect(await ring.open('csrf', `${sealed}A`)).toBeUndefined()
    expect(await ring.open('csrf', `${sealed}.`)).toBeUndefined()
    expect(await ring.open('csrf', `${sealed}=`)).toBeUndefined()
  })

  it('opens for its own purpose alone', async () => {
    for (const sealedFor of purposes) {
      const sealed = await ring.seal(sealedFor, 'text')
      const opened = await Promise.all(purposes.map((purpose) => ring.open(purpose, sealed)))
      expect(opened).toEqual(purposes.map((purpose) => (purpose === sealedFor ? 'text' : undefined)))
    }
  })

  it('opens with its own associated data alone', async () => {
    const sealed = await ring.seal('mcp-session', 'text', 'account-1')
    expect(await ring.open('mcp-session', sealed, 'account-2')).toBeUndefined()
    expect(await ring.open('mcp-session', sealed)).toBeUndefined()
  })

  it('means nothing in another deployment with the same secret', async () => {
    const preview = createKeyRing([NEW], 'preview')
    expect(await preview.open('csrf', await ring.seal('csrf', 'text'))).toBeUndefined()
  })

  it('means nothing under another secret', async () => {
    const other = createKeyRing([OLD], 'production')
    expect(await other.open('csrf', await ring.seal('csrf', 'text'))).toBeUndefined()
  })

  it('is never opened from noise, and noise never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (noise) => {
        expect(await ring.open('csrf', noise)).toBeUndefined()
      }),
    )
  })
})

describe('a MAC', () => {
  it('is the same for the same message and names its key', async () => {
    const mac = await ring.sign('refresh-token', 'message')
    expect(mac).toEqual(await createKeyRing([NEW], 'production').sign('refresh-token', 'message'))
    expect(mac).toEqual({
      kid: expect.stringMatching(/^[\w-]{8}$/),
      mac: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  it('is good for its message, purpose and deployment alone', async () => {
    const mac = await ring.sign('refresh-token', 'message')
    expect(await ring.verify('refresh-token', 'message', mac)).toBe(true)
    expect(await ring.verify('refresh-token', 'messagf', mac)).toBe(false)
    expect(await ring.verify('csrf', 'message', mac)).toBe(false)
    expect(await createKeyRing([NEW], 'preview').verify('refresh-token', 'message', mac)).toBe(false)
  })

  it.each([
    { what: 'cut', change: (mac: string) => mac.slice(0, -1) },
    { what: 'lengthened', change: (mac: string) => `${mac}A` },
    { what: 'empty', change: () => '' },
  ])('is not good when $what', async ({ change }) => {
    const { kid, mac } = await ring.sign('csrf', 'message')
    expect(await ring.verify('csrf', 'message', { kid, mac: change(mac) })).toBe(false)
  })
})

describe('replacing the secret', () => {
  const before = createKeyRing([OLD], 'production')
  const after = createKeyRing([NEW, OLD], 'production')

  it('keeps what the old one sealed and signed', async () => {
    expect(await after.open('csrf', await before.seal('csrf', 'text'))).toBe('text')
    expect(await after.verify('csrf', 'message', await before.sign('csrf', 'message'))).toBe(true)
  })

  it('seals and signs with the new one', async () => {
    expect(await ring.open('csrf', await after.seal('csrf', 'text'))).toBe('text')
    expect((await after.sign('csrf', 'message')).kid).toBe((await ring.sign('csrf', 'message')).kid)
  })

  it('ends what the old one sealed once it is dropped', async () => {
    expect(await ring.open('csrf', await before.seal('csrf', 'text'))).toBeUndefined()
    expect(await ring.verify('csrf', 'message', await before.sign('csrf', 'message'))).toBe(false)
  })
})

describe('a ring without a secret', () => {
  it('seals nothing', async () => {
    await expect(createKeyRing([], 'production').seal('csrf', 'text')).rejects.toThrow('no secret')
  })
})
