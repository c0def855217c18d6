import { expect, it } from 'vitest'
import { createKeyRing } from '#lib/core/key-ring'
import { isProven, mintRefreshToken, readRefreshToken } from '#lib/oauth/refresh-token'

const keyRing = createKeyRing(['a secret of at least thirty-two bytes, one'], 'test')
const other = createKeyRing(['a secret of at least thirty-two bytes, two'], 'test')
const grantId = 'g'.repeat(22)
const mint = (generation: number, salt = 'salt', ring = keyRing) =>
  mintRefreshToken({ grantId, generation, salt }, ring)

it('a refresh token is the same for the same generation and another for the next', async () => {
  expect(await mint(1)).toBe(await mint(1))
  expect(await mint(1)).not.toBe(await mint(2))
  expect(await mint(1)).toMatch(/^gtr_[\w-]{8}\.g{22}\.1\.[\w-]{43}\.[\w-]{43}$/)
})

it('needs the secret and the salt: one of them alone makes nothing that is believed', async () => {
  const good = await readRefreshToken(await mint(1), keyRing)
  expect(good && (await isProven(good, 'salt'))).toBe(true)
  expect(await readRefreshToken(await mint(1, 'salt', other), keyRing)).toBeUndefined()
  const guessed = await readRefreshToken(await mint(1, 'guess'), keyRing)
  expect(guessed && (await isProven(guessed, 'salt'))).toBe(false)
})

it.each([
  { what: 'another generation', change: (token: string) => token.replace('.1.', '.2.') },
  { what: 'another grant', change: (token: string) => token.replace('ggg', 'ggh') },
  { what: 'a leading zero', change: (token: string) => token.replace('.1.', '.01.') },
  { what: 'a part more', change: (token: string) => `${token}.x` },
  { what: 'no prefix', change: (token: string) => token.slice(4) },
  { what: 'a space', change: (token: string) => `${token} ` },
])('a refresh token with $what is not ours', async ({ change }) => {
  expect(await readRefreshToken(change(await mint(1)), keyRing)).toBeUndefined()
})
