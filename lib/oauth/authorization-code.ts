import type { Random } from '#lib/core/random'

const CODE = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/

/** An id nobody can guess: 128 bits, 22 characters. */
export const newGrantId = (random: Random): string => random(16)

/** An authorization code: the grant's id, so that it can be found, and 256 random bits that prove it. */
export const newAuthorizationCode = (grantId: string, random: Random): string => `${grantId}.${random(32)}`

/** The grant that a code belongs to; `undefined` for what cannot be a code of ours. */
export const grantIdOfCode = (code: string): string | undefined => CODE.exec(code)?.[1]
