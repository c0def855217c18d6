import { equalInConstantTime, hmacSha256 } from '#lib/core/hash'
import type { KeyRing } from '#lib/core/key-ring'

/** How a refresh token begins, so that scanners of secrets know it. */
export const REFRESH_TOKEN_PREFIX = 'gtr_'

const TOKEN =
  /^gtr_([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{22})\.([1-9]\d{0,8})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/

/** A refresh token whose MAC is ours. Its proof is still to be compared, with the grant's salt. */
export interface PresentedRefreshToken {
  readonly grantId: string
  readonly generation: number
  readonly proof: string
}

/**
 * The refresh token of a generation. Nothing of it is stored, and the same generation gives the same token:
 * a replay can be answered alike. The MAC needs `AUTH_SECRET` and the proof the grant's salt, so neither the
 * secret alone nor a copy of the store alone makes one.
 */
export async function mintRefreshToken(
  {
    grantId,
    generation,
    salt,
  }: { readonly grantId: string; readonly generation: number; readonly salt: string },
  keyRing: KeyRing,
): Promise<string> {
  const body = `${grantId}.${generation}`
  const [{ kid, mac }, proof] = await Promise.all([
    keyRing.sign('refresh-token', body),
    hmacSha256(salt, body),
  ])
  return `${REFRESH_TOKEN_PREFIX}${kid}.${body}.${mac}.${proof}`
}

/** Reads a refresh token without the store; `undefined` for one that this server did not mint. */
export async function readRefreshToken(
  token: string,
  keyRing: KeyRing,
): Promise<PresentedRefreshToken | undefined> {
  const [, kid, grantId, generation, mac, proof] = TOKEN.exec(token) ?? []
  if (!kid || !grantId || !generation || !mac || !proof) return undefined
  const isOurs = await keyRing.verify('refresh-token', `${grantId}.${generation}`, { kid, mac })
  return isOurs ? { grantId, generation: Number(generation), proof } : undefined
}

/** Whether the proof was made with the salt of its grant. */
export async function isProven(
  { grantId, generation, proof }: PresentedRefreshToken,
  salt: string,
): Promise<boolean> {
  return equalInConstantTime(await hmacSha256(salt, `${grantId}.${generation}`), proof)
}
