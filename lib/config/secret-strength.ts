/** 32 random bytes as hexadecimal, and as base64 without its padding. */
const HEX_LENGTH = 64
const BASE64_LENGTH = 43

/** Words of placeholders. Six letters and more: one in thirty million random secrets holds one by chance. */
const placeholder = /change|secret|password|passwort|gatehouse|example|replace|insert|qwerty/i

/** Nine of ten English texts have a greater share of these letters; of random base64 one in 100,000. */
const frequentLetters = /[etaoinsrhl]/gi
const WORDS_SHARE = 0.62

const advice = 'make one with: openssl rand -base64 32'

/**
 * What is wrong with a secret, or `undefined`. It must look like at least 32 bytes of a random generator
 * (hexadecimal or base64). No test can prove randomness: this one refuses what people type, and less than
 * one in 10,000 random values.
 */
export function secretFault(secret: string): string | undefined {
  if (/\s/.test(secret)) return `contains white space; ${advice}`

  const hex = /^[0-9a-f]+$/i.test(secret)
  if (secret.length < (hex ? HEX_LENGTH : BASE64_LENGTH)) {
    return `is shorter than 32 random bytes (${HEX_LENGTH} hexadecimal or ${BASE64_LENGTH} base64 characters); ${advice}`
  }
  const guessable = hex ? isRegular(secret.toLowerCase(), 10) : looksTyped(secret)
  return guessable ? `is too regular to be random; ${advice}` : undefined
}

function looksTyped(secret: string): boolean {
  if (!/[a-z]/.test(secret) || !/[A-Z]/.test(secret)) return true
  if (placeholder.test(secret)) return true
  if ((secret.match(frequentLetters)?.length ?? 0) / secret.length >= WORDS_SHARE) return true
  return isRegular(secret, 20)
}

/** Few characters, few pairs (repetition) or few steps between neighbours (sequences). */
function isRegular(secret: string, leastCharacters: number): boolean {
  const characters = [...secret]
  const pairs = characters.slice(1).map((character, index) => `${characters[index]}${character}`)
  const steps = pairs.map((pair) => pair.charCodeAt(1) - pair.charCodeAt(0))
  return (
    new Set(characters).size < leastCharacters ||
    new Set(pairs).size < Math.min(pairs.length, HEX_LENGTH) * 0.6 ||
    new Set(steps).size < 12
  )
}
