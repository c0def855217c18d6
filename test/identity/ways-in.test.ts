import { describe, expect, it } from 'vitest'
import { browserName } from '#lib/identity/browser-name'
import { passkeyName } from '#lib/identity/passkey-name'
import { noteUse } from '#lib/identity/passkey-use'
import { spendCode } from '#lib/identity/recovery-codes'
import { mayRemove, type Passkey, type WaysIn } from '#lib/identity/ways-in'

const HERE = 'here.example'
const passkey = (ref: string, rpId = HERE): Passkey => ({
  ref,
  id: `id-${ref}`,
  publicKey: 'AA',
  counter: 0,
  rpId,
  name: ref,
  backedUp: false,
  createdAt: 0,
})
const codes = (left: number) => ({
  set: 's',
  createdAt: 0,
  left: Array.from({ length: left }, (_, place) => ({ kid: 'k', mac: `mac-${place}` })),
})
const waysIn = (passkeys: readonly Passkey[], left?: number): WaysIn => ({
  v: 1,
  passkeys: [...passkeys],
  ...(left === undefined ? {} : { recovery: codes(left) }),
})

describe('the last way in', () => {
  it.each([
    { what: 'the only passkey', has: waysIn([passkey('a')]), may: false },
    { what: 'the only passkey beside codes that are used up', has: waysIn([passkey('a')], 0), may: false },
    { what: 'one beside a code', has: waysIn([passkey('a')], 1), may: true },
    { what: 'one of two', has: waysIn([passkey('a'), passkey('b')]), may: true },
    {
      what: 'the only one that works beside one of another address',
      has: waysIn([passkey('a'), passkey('b', 'old.example')]),
      may: false,
    },
    { what: 'one of another address', has: waysIn([passkey('a', 'old.example')]), may: true },
    { what: 'one that is not there', has: waysIn([passkey('b')]), may: true },
  ])('of a member: $what may be removed: $may', ({ has, may }) => {
    expect(mayRemove(has, 'a', { rpId: HERE, owner: false })).toBe(may)
    expect(mayRemove(has, 'a', { rpId: HERE, owner: true })).toBe(true)
  })

  it('is none where passkeys do not work at all', () => {
    expect(mayRemove(waysIn([passkey('a')]), 'a', { rpId: undefined, owner: false })).toBe(true)
  })
})

describe('the record of a use', () => {
  const use = { ref: 'a', challenge: 'c', counter: 4, backedUp: true, now: 9 }

  it('keeps what it does not know', () => {
    const later = { ...waysIn([{ ...passkey('a'), colour: 'red' }]), more: 1 }
    expect(noteUse(later, use)).toMatchObject({
      write: { more: 1, passkeys: [{ colour: 'red', counter: 4, lastUsedAt: 9, backedUp: true }] },
      answer: 'accepted',
    })
  })

  it('takes its own repeated write for what it is, and not for a copy', () => {
    const first = noteUse(waysIn([passkey('a')]), use)
    const written = 'write' in first ? first.write : null
    expect(written && noteUse(written, use)).toEqual({ leave: true, answer: 'accepted' })
    expect(written && noteUse(written, { ...use, challenge: 'd' }).answer).toBe('copied')
  })

  it('says when the passkey is gone', () => {
    expect(noteUse(waysIn([]), use)).toEqual({ leave: true, answer: 'gone' })
  })
})

describe('a code that is used up', () => {
  const spend = { set: 's', mac: 'mac-1', attempt: 'x' }

  it('leaves the others, and a repeated write is its own', () => {
    const first = spendCode(waysIn([], 3), spend)
    const written = 'write' in first ? first.write : null
    expect(written?.recovery?.left.map(({ mac }) => mac)).toEqual(['mac-0', 'mac-2'])
    expect(written && spendCode(written, spend)).toEqual({ leave: true, answer: true })
    expect(written && spendCode(written, { ...spend, attempt: 'y' }).answer).toBe(false)
  })

  it('is none of another set', () => {
    expect(spendCode(waysIn([], 3), { ...spend, set: 'other' }).answer).toBe(false)
    expect(spendCode(waysIn([]), spend).answer).toBe(false)
  })
})

describe('names', () => {
  it.each([
    { sent: ' Work  laptop ', kept: 'Work laptop' },
    { sent: '<b>', kept: '<b>' },
    { sent: 'x'.repeat(64), kept: 'x'.repeat(64) },
    { sent: 'x'.repeat(65), kept: undefined },
    { sent: ' \t', kept: undefined },
    { sent: 'a\u202eb', kept: undefined },
    { sent: 'a\u200bb', kept: undefined },
  ])('of passkeys: $sent becomes $kept', ({ sent, kept }) => {
    expect(passkeyName(sent)).toBe(kept)
  })

  it.each([
    { agent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0', name: 'Edge on Windows' },
    { agent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36', name: 'Chrome on Windows' },
    {
      agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1',
      name: 'Safari on iPhone',
    },
    { agent: 'Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36', name: 'Chrome on Android' },
    {
      agent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1',
      name: 'Safari on macOS',
    },
    { agent: 'curl/8.0', name: 'A browser' },
    { agent: null, name: 'A browser' },
    { agent: '<img src=x onerror=alert(1)> Windows', name: 'A browser on Windows' },
  ])('of browsers: $name', ({ agent, name }) => {
    expect(browserName(agent)).toBe(name)
  })
})
