import { toBase64url } from '#lib/core/base64url'

/** Gives `bytes` random bytes as base64url without padding. */
export type Random = (bytes: number) => string

/** WebCrypto's generator. */
export const systemRandom: Random = (bytes) => toBase64url(crypto.getRandomValues(new Uint8Array(bytes)))
