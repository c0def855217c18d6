import { equalInConstantTime, sha256 } from '#lib/core/hash'

/** Whether a text can be an S256 challenge: base64url of 32 bytes (RFC 7636 §4.2). */
export const isCodeChallenge = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)

/** RFC 7636 §4.1: 43 to 128 unreserved characters. */
export const isCodeVerifier = (text: string): boolean => /^[A-Za-z0-9\-._~]{43,128}$/.test(text)

/** Whether a verifier is the one that a challenge was made of (RFC 7636 §4.6, S256 only). */
export async function matchesChallenge(codeVerifier: string, codeChallenge: string): Promise<boolean> {
  return equalInConstantTime(await sha256(codeVerifier), codeChallenge)
}
