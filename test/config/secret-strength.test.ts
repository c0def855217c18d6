import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { secretFault } from '#lib/config/secret-strength'

describe('secretFault', () => {
  it.each([
    { what: 'nothing but one letter', secret: 'a'.repeat(64) },
    { what: 'one letter in base64', secret: 'A'.repeat(43) },
    { what: 'zeros', secret: '0'.repeat(64) },
    { what: 'the digits in order', secret: '0123456789abcdef'.repeat(4) },
    { what: 'the alphabet', secret: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' },
    { what: 'two words repeated', secret: 'CorrectHorseCorrectHorseCorrectHorseCorrectHorse' },
    { what: 'a sentence', secret: 'ThisIsMySuperLongPhraseThatNobodyElseCouldEverGuessAtAll' },
    { what: 'lower-case words', secret: 'thequickbrownfoxjumpsoverthelazydogandrunsawayquickly' },
    { what: 'a placeholder', secret: 'changeMe-k3J9xPq7Lz0Vw2Rt5Yb8Nc4Hd6Gf1Sa-changeMe' },
    { what: '16 random bytes in hexadecimal', secret: 'f3a91c0e7b5d2846910fa3be6c7d5e82' },
    { what: '31 bytes in hexadecimal', secret: randomBytes(31).toString('hex') },
    { what: '24 bytes in base64', secret: randomBytes(24).toString('base64') },
    { what: 'a line with blanks', secret: 'q7Jx Lz0V w2Rt 5Yb8 Nc4H d6Gf 1SaP kM9e UoB3 iX' },
  ])('refuses $what', ({ secret }) => {
    expect(secretFault(secret)).toMatch(/openssl rand -base64 32$/)
  })

  it.each(['hex', 'base64', 'base64url'] as const)('accepts 32 random bytes as %s', (encoding) => {
    const refused = Array.from({ length: 2000 }, () => randomBytes(32).toString(encoding)).filter(secretFault)
    // About one in 100,000 is refused by chance; five in 2,000 are a fault.
    expect(refused.length).toBeLessThan(5)
  })

  it('never repeats the secret', () => {
    expect(secretFault('hunter2')).not.toContain('hunter2')
  })
})
