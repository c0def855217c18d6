import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { mintPersonalToken, readPersonalToken } from '#lib/oauth/personal-token'

const keyRing = createKeyRing(['a secret of at least thirty-two bytes, one'], 'test')
const now = Date.UTC(2026, 10, 22)
const expiresAt = now / 1000 + 86_400
const says = { grantId: 'g'.repeat(22), accountId: `usr_${'u'.repeat(22)}`, epoch: 3, expiresAt }
const secret = 's'.repeat(43)
const mint = (ring = keyRing, changed: Partial<typeof says> = {}) =>
  mintPersonalToken({ ...says, ...changed }, { secret, keyRing: ring })
const read = (token: string, at = now) => readPersonalToken(token, { keyRing, now: at })

/** As the README gives it to scanners of secrets. */
const SCANNED = new RegExp(/^gth_pat_\[.*$/m.exec(readFileSync('README.md', 'utf8'))?.[0] ?? 'no pattern')

describe('a personal access token', () => {
  it('says whose it is and until when, and gives the hash of its secret', async () => {
    expect(await read(await mint())).toEqual({ ...says, secretHash: expect.stringMatching(/^[\w-]{43}$/) })
  })

  it('is found whole by the pattern that scanners are given', async () => {
    const token = await mint()
    expect(SCANNED.exec(`key = "${token}" # mine`)?.[0]).toBe(token)
  })

  it('is good until the second before its expiry and no longer', async () => {
    const token = await mint()
    expect(await read(token, expiresAt * 1000 - 1)).toBeDefined()
    expect(await read(token, expiresAt * 1000)).toBeUndefined()
  })

  it('still reads when AUTH_SECRET was replaced and the old one kept, and not when it was dropped', async () => {
    const token = await mint()
    const secrets = [
      'a secret of at least thirty-two bytes, two',
      'a secret of at least thirty-two bytes, one',
    ]
    const kept = createKeyRing(secrets, 'test')
    expect(await readPersonalToken(token, { keyRing: kept, now })).toBeDefined()
    const dropped = createKeyRing(secrets.slice(0, 1), 'test')
    expect(await readPersonalToken(token, { keyRing: dropped, now })).toBeUndefined()
  })

  it('of another deployment with the same secret is not ours', async () => {
    const other = createKeyRing(['a secret of at least thirty-two bytes, one'], 'other')
    expect(await read(await mint(other))).toBeUndefined()
  })

  it.each([
    { what: 'another grant', change: (token: string) => token.replace('ggg', 'ggh') },
    { what: 'another account', change: (token: string) => token.replace('uuu', 'uuv') },
    { what: 'another epoch', change: (token: string) => token.replace('.3.', '.4.') },
    { what: 'an epoch with a leading zero', change: (token: string) => token.replace('.3.', '.03.') },
    {
      what: 'a later expiry',
      change: (token: string) => token.replace(`.${expiresAt}.`, `.${expiresAt + 1}.`),
    },
    { what: 'no expiry', change: (token: string) => token.replace(`.${expiresAt}.`, '.') },
    { what: 'another secret', change: (token: string) => token.replace('sss', 'sst') },
    { what: 'another MAC', change: (token: string) => token.slice(0, -43) + 'A'.repeat(43) },
    { what: 'an unknown key', change: (token: string) => token.replace(/_pat_.{8}/, '_pat_AAAAAAAA') },
    { what: 'a part more', change: (token: string) => `${token}.x` },
    { what: 'another prefix', change: (token: string) => token.replace('gth_pat_', 'gth_pat-') },
    { what: 'the prefix in capitals', change: (token: string) => token.replace('gth_', 'GTH_') },
    { what: 'a huge account', change: (token: string) => token.replace('usr_', `usr_${'u'.repeat(80)}`) },
    { what: 'nothing after its prefix', change: () => 'gth_pat_' },
  ])('with $what is not ours', async ({ change }) => {
    const token = await mint()
    expect(change(token)).not.toBe(token)
    expect(await read(change(token))).toBeUndefined()
  })
})
