import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What an authenticator and its browser may do wrong. */
export interface Bent {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly userVerified?: boolean
  readonly userPresent?: boolean
  readonly counter?: number
  /** Signs with another key than the one that was registered. */
  readonly foreignKey?: boolean
  readonly userHandle?: string
  readonly credentialId?: string
  /** Members of the attestation object. */
  readonly format?: string
  readonly statement?: Buffer
}

interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
}

const UP = 0x01
const UV = 0x04
const BACKED_UP = 0x18
const AT = 0x40

/** An authenticator and its browser in software: makes and uses one ES256 passkey as WebAuthn §6 says. */
export function createAuthenticator(origin: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credentialId = randomBytes(32)
  let userHandle = ''

  return {
    credentialId: credentialId.toString('base64url'),

    create(options: CreationOptions, bent: Bent = {}): string {
      userHandle = options.user.id
      const clientData = clientDataOf('webauthn.create', options.challenge, origin, bent)
      const data = Buffer.concat([
        authenticatorData(bent.rpId ?? options.rp.id, bent, AT),
        Buffer.alloc(16),
        Buffer.from([0, credentialId.length]),
        credentialId,
        coseKey(publicKey),
      ])
      const attestationObject = Buffer.concat([
        Buffer.from([0xa3]),
        cborText('fmt'),
        cborText(bent.format ?? 'none'),
        cborText('attStmt'),
        bent.statement ?? Buffer.from([0xa0]),
        cborText('authData'),
        cborBytes(data),
      ])
      return answer(bent.credentialId ?? credentialId.toString('base64url'), {
        clientDataJSON: clientData,
        attestationObject,
        transports: ['internal'],
      })
    },

    get(options: RequestOptions, bent: Bent = {}): string {
      const clientData = clientDataOf('webauthn.get', options.challenge, origin, bent)
      const data = authenticatorData(bent.rpId ?? options.rpId, bent, 0)
      const signed = Buffer.concat([data, createHash('sha256').update(clientData).digest()])
      const key = bent.foreignKey ? other.privateKey : privateKey
      return answer(bent.credentialId ?? credentialId.toString('base64url'), {
        clientDataJSON: clientData,
        authenticatorData: data,
        signature: sign('sha256', signed, key),
        userHandle: bent.userHandle ?? userHandle,
      })
    },
  }
}

function answer(id: string, parts: Readonly<Record<string, Buffer | string | string[]>>): string {
  const response = Object.fromEntries(
    Object.entries(parts).map(([name, value]) => [
      name,
      Buffer.isBuffer(value) ? value.toString('base64url') : value,
    ]),
  )
  return JSON.stringify({ id, rawId: id, type: 'public-key', response })
}

function clientDataOf(type: string, challenge: string, origin: string, bent: Bent): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: bent.type ?? type,
      challenge: bent.challenge ?? challenge,
      origin: bent.origin ?? origin,
      crossOrigin: bent.crossOrigin ?? false,
      ...(bent.topOrigin === undefined ? {} : { topOrigin: bent.topOrigin }),
    }),
  )
}

function authenticatorData(rpId: string, bent: Bent, more: number): Buffer {
  const { userPresent = true, userVerified = true, counter = 0 } = bent
  const flags = (userPresent ? UP : 0) | (userVerified ? UV : 0) | BACKED_UP | more
  const count = Buffer.alloc(4)
  count.writeUInt32BE(counter)
  return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), count])
}

/** {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9052 §7). */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const coordinate = (text: string) =>
    Buffer.concat([Buffer.from([0x58, 32]), Buffer.from(text, 'base64url')])
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
    coordinate(x),
    Buffer.from([0x22]),
    coordinate(y),
  ])
}

export const cborText = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)])

export const cborBytes = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([Buffer.from([0x59]), length, bytes])
}
