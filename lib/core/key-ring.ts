import { fromBase64url, toBase64url } from '#lib/core/base64url'
import { equalInConstantTime, sha256 } from '#lib/core/hash'

/** What a key may be used for. One purpose never opens or verifies another's values. */
export type KeyPurpose =
  | 'authorization-request'
  | 'client-registration'
  | 'client-secret'
  | 'refresh-token'
  | 'personal-token'
  | 'sign-in-link'
  | 'passkey-challenge'
  | 'recovery-code'
  | 'csrf'
  | 'request-state'
  | 'signing-keys'
  | 'admin-command'
  | 'mcp-session'
  | 'cursor'

/** A message authentication code and the key that made it. */
export interface Mac {
  /** Names the key: 8 base64url characters. */
  readonly kid: string
  /** HMAC-SHA256, base64url, 43 characters. */
  readonly mac: string
}

/**
 * Every symmetric key of a deployment. The first secret seals and signs, all of them open and verify, so
 * that `AUTH_SECRET` can be replaced without breaking a client. A key is
 * HKDF-SHA256(secret, purpose, deployment prefix): a value of one deployment means nothing in another.
 */
export interface KeyRing {
  /** AES-256-GCM. `kid.nonce+ciphertext`, base64url. `associated` must be given again to open it. */
  seal(purpose: KeyPurpose, text: string, associated?: string): Promise<string>
  /** The sealed text, or `undefined` for anything that this ring did not seal for this purpose. */
  open(purpose: KeyPurpose, sealed: string, associated?: string): Promise<string | undefined>
  /** Deterministic: the same message gives the same MAC until the first secret changes. */
  sign(purpose: KeyPurpose, message: string): Promise<Mac>
  verify(purpose: KeyPurpose, message: string, mac: Mac): Promise<boolean>
}

interface Derived {
  readonly seal: CryptoKey
  readonly mac: CryptoKey
}

interface Secret {
  readonly kid: string
  readonly base: CryptoKey
  readonly derived: Map<KeyPurpose, Promise<Derived>>
}

const encoder = new TextEncoder()
const NONCE_BYTES = 12

/**
 * Makes the key ring.
 *
 * @param secrets - `AUTH_SECRET` first, then those of `AUTH_SECRETS_OLD`; at least one
 * @param deployment - the key prefix of this deployment, part of every derivation
 */
export function createKeyRing(secrets: readonly string[], deployment: string): KeyRing {
  const ring = Promise.all(secrets.map(importSecret))
  // Awaited by each use; a rejection must not be reported as unhandled before the first one.
  ring.catch(() => undefined)

  async function newest(): Promise<Secret> {
    const [first] = await ring
    if (!first) throw new Error('the key ring has no secret')
    return first
  }

  const find = async (kid: string) => (await ring).find((secret) => secret.kid === kid)
  const keys = (secret: Secret, purpose: KeyPurpose) => derive(secret, purpose, deployment)

  return {
    async seal(purpose, text, associated = '') {
      const secret = await newest()
      const { seal } = await keys(secret, purpose)
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const additionalData = encoder.encode(associated)
      const sealed = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv, additionalData },
        seal,
        encoder.encode(text),
      )
      const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength)
      bytes.set(iv)
      bytes.set(new Uint8Array(sealed), NONCE_BYTES)
      return `${secret.kid}.${toBase64url(bytes)}`
    },

    async open(purpose, sealed, associated = '') {
      const [kid = '', payload = '', ...rest] = sealed.split('.')
      const secret = await find(kid)
      const bytes = fromBase64url(payload)
      if (!secret || !bytes || bytes.length <= NONCE_BYTES || rest.length > 0) return undefined

      const { seal } = await keys(secret, purpose)
      const iv = bytes.slice(0, NONCE_BYTES)
      const additionalData = encoder.encode(associated)
      try {
        const opened = await crypto.subtle.decrypt(
          { name: 'AES-GCM', iv, additionalData },
          seal,
          bytes.slice(NONCE_BYTES),
        )
        return new TextDecoder().decode(opened)
      } catch {
        return undefined
      }
    },

    async sign(purpose, message) {
      const secret = await newest()
      return { kid: secret.kid, mac: await macOf(await keys(secret, purpose), message) }
    },

    async verify(purpose, message, { kid, mac }) {
      const secret = await find(kid)
      return secret ? equalInConstantTime(await macOf(await keys(secret, purpose), message), mac) : false
    },
  }
}

async function importSecret(secret: string): Promise<Secret> {
  const base = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey'])
  const kid = (await sha256(`gatehouse kid\0${secret}`)).slice(0, 8)
  return { kid, base, derived: new Map() }
}

function derive(secret: Secret, purpose: KeyPurpose, deployment: string): Promise<Derived> {
  const known = secret.derived.get(purpose)
  if (known !== undefined) return known

  const parameters = (use: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: encoder.encode(deployment),
    info: encoder.encode(`gatehouse ${purpose} ${use}`),
  })
  const made = Promise.all([
    crypto.subtle.deriveKey(parameters('seal'), secret.base, { name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]),
    crypto.subtle.deriveKey(
      parameters('mac'),
      secret.base,
      { name: 'HMAC', hash: 'SHA-256', length: 256 },
      false,
      ['sign'],
    ),
  ]).then(([seal, mac]): Derived => ({ seal, mac }))
  secret.derived.set(purpose, made)
  return made
}

async function macOf({ mac }: Derived, message: string): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', mac, encoder.encode(message))))
}
