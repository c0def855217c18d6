import { RECOVERY_CODES } from '#lib/config/limits'
import { fromBase64url } from '#lib/core/base64url'
import { sha256 } from '#lib/core/hash'
import type { KeyRing, Mac } from '#lib/core/key-ring'
import type { IdentityDeps } from '#lib/identity/deps'
import type { WaysIn } from '#lib/identity/ways-in'
import type { Edit } from '#lib/store/record'

/** Crockford's base 32: no I, L, O or U, so that a written code is read back as it was. 32 divides 256. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = 5
/** 40 bits that every code of a set begins with: they lead to the account, so nobody types a name. */
const SET_LENGTH = 8
/** 60 bits of a code's own. */
const OWN_LENGTH = 12

/** A code that was typed, in the one spelling. */
export interface TypedCode {
  readonly code: string
  /** Hash of its beginning. */
  readonly set: string
}

/** A new set: the codes to show once, and what is kept of them. */
export interface NewCodes {
  readonly codes: readonly string[]
  readonly set: string
  readonly left: readonly Mac[]
}

/**
 * Makes ten codes of an account. Only their MACs are kept, under a key of `AUTH_SECRET`: a copy of the store
 * cannot be searched for codes.
 */
export async function makeCodes(
  { random, keyRing }: Pick<IdentityDeps, 'random' | 'keyRing'>,
  accountId: string,
): Promise<NewCodes> {
  const beginning = letters(random, SET_LENGTH)
  const codes = Array.from({ length: RECOVERY_CODES }, () => beginning + letters(random, OWN_LENGTH))
  const left = await Promise.all(codes.map((code) => keyRing.sign('recovery-code', message(accountId, code))))
  return { codes: codes.map(grouped), set: await sha256(beginning), left }
}

/** Reads a code as people write it: any case, with or without hyphens and spaces, O for 0 and l for 1. */
export async function readCode(typed: string): Promise<TypedCode | undefined> {
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s-]+/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  const isCode =
    code.length === SET_LENGTH + OWN_LENGTH && [...code].every((letter) => LETTERS.includes(letter))
  return isCode ? { code, set: await sha256(code.slice(0, SET_LENGTH)) } : undefined
}

/** The MAC of a set that a code belongs to. All of them are looked at, whichever it is. */
export async function matchCode(
  keyRing: KeyRing,
  {
    accountId,
    code,
    left,
  }: { readonly accountId: string; readonly code: string; readonly left: readonly Mac[] },
): Promise<Mac | undefined> {
  const matches = await Promise.all(
    left.map((mac) => keyRing.verify('recovery-code', message(accountId, code), mac)),
  )
  return left[matches.indexOf(true)]
}

/** Uses a code up. `attempt` names the sign-in, so that a write whose reply was lost is known as its own. */
export function spendCode(
  current: WaysIn,
  { set, mac, attempt }: { readonly set: string; readonly mac: string; readonly attempt: string },
): Edit<WaysIn, boolean> {
  const { recovery } = current
  if (recovery?.set !== set) return { leave: true, answer: false }
  if (recovery.lastUse === attempt) return { leave: true, answer: true }
  const left = recovery.left.filter((other) => other.mac !== mac)
  if (left.length === recovery.left.length) return { leave: true, answer: false }
  return { write: { ...current, recovery: { ...recovery, left, lastUse: attempt } }, answer: true }
}

const message = (accountId: string, code: string) => `${accountId}\0${code}`

function letters(random: IdentityDeps['random'], count: number): string {
  const bytes = fromBase64url(random(count)) ?? new Uint8Array()
  return [...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}

const grouped = (code: string) => (code.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-')
