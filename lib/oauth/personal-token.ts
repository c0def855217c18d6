import { toSeconds } from '#lib/core/clock'
import { sha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'
import type { AccessTokenClaims } from '#lib/oauth/access-token'

/** How a personal access token begins, so that scanners of secrets know it. */
export const PERSONAL_TOKEN_PREFIX = 'gth_pat_'

/** Every part has one spelling and a bound: what does not match costs nothing more. */
const TOKEN =
  /^gth_pat_([\w-]{8})\.(([\w-]{22})\.([\w-]{1,64})\.(0|[1-9]\d{0,8})\.([1-9]\d{0,10})\.([\w-]{43}))\.([\w-]{43})$/

/** What a personal access token says. What it may do stands in its grant. */
export interface PersonalTokenClaims {
  readonly grantId: string
  readonly accountId: string
  /** The account's epoch when the token was made. */
  readonly epoch: number
  /** Seconds since 1970. */
  readonly expiresAt: number
  /** SHA-256 of the random part: the grant keeps the same. */
  readonly secretHash: string
}

/** What any bearer token of a call says. */
export type CallClaims = AccessTokenClaims | PersonalTokenClaims

/** Whether a call came with a personal access token. */
export const isPersonal = (claims: CallClaims): claims is PersonalTokenClaims => 'secretHash' in claims

/**
 * Makes a personal access token: `kid.grant.account.epoch.expiry.secret.MAC`. The MAC needs `AUTH_SECRET`, and
 * of the secret (256 random bits) only the hash is kept, so neither `AUTH_SECRET` nor a copy of the store
 * makes one, nor do both together. Account, epoch and expiry stand in it so that the one store request of a
 * call can ask for everything, and an expired token costs none.
 */
export async function mintPersonalToken(
  { grantId, accountId, epoch, expiresAt }: Omit<PersonalTokenClaims, 'secretHash'>,
  { secret, keyRing }: { readonly secret: string; readonly keyRing: KeyRing },
): Promise<string> {
  const body = `${grantId}.${accountId}.${epoch}.${expiresAt}.${secret}`
  const { kid, mac } = await keyRing.sign('personal-token', body)
  const token = `${PERSONAL_TOKEN_PREFIX}${kid}.${body}.${mac}`
  if (!TOKEN.test(token)) throw new Error('a personal access token has a form that would not be read')
  return token
}

/**
 * Reads a personal access token without the store.
 *
 * @param now - ms
 * @returns `undefined` for one that this server did not make or that has expired
 */
export async function readPersonalToken(
  token: string,
  { keyRing, now }: { readonly keyRing: KeyRing; readonly now: number },
): Promise<PersonalTokenClaims | undefined> {
  const [, kid, body, grantId, accountId, epoch, expiry, secret, mac] = TOKEN.exec(token) ?? []
  if (!kid || !body || !grantId || !accountId || !secret || !mac) return undefined
  if (Number(expiry) <= toSeconds(now)) return undefined
  if (!(await keyRing.verify('personal-token', body, { kid, mac }))) return undefined
  return {
    grantId,
    accountId,
    epoch: Number(epoch),
    expiresAt: Number(expiry),
    secretHash: await sha256(secret),
  }
}
