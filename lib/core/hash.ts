import { toBase64url } from '#lib/core/base64url'

/** SHA-256 of UTF-8 text, base64url (43 characters). What the store keeps instead of a secret. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return toBase64url(new Uint8Array(digest))
}

/** HMAC-SHA256 of UTF-8 text under a UTF-8 key, base64url (43 characters). */
export async function hmacSha256(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder()
  const imported = await crypto.subtle.importKey(
    'raw',
    encoder.encode(key),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  )
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', imported, encoder.encode(text))))
}

/**
 * Compares two strings in a time that depends on their lengths only.
 *
 * Use it for every secret, MAC and digest that arrives from outside.
 */
export function equalInConstantTime(left: string, right: string): boolean {
  let difference = left.length ^ right.length
  for (let index = 0; index < left.length; index++) {
    // Past the end of `right` charCodeAt gives NaN, which `^` reads as 0; the length has already told.
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  }
  return difference === 0
}
