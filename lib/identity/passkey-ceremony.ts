import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { CREDENTIAL_ID_MAX_LENGTH, PASSKEY_CHALLENGE_MS } from '#lib/config/limits'
import { decodeText, encodeText, fromBase64url, toBase64url } from '#lib/core/base64url'
import { err, ok, type Result } from '#lib/core/result'
import type { Passkey } from '#lib/identity/ways-in'

/** Where passkeys are made and used. */
export interface RelyingParty {
  readonly rpId: string
  readonly origin: string
}

/** Why an answer proves nothing, as a word for the log. People are told one thing for all of them. */
export type CeremonyFault =
  | 'malformed'
  | 'wrong_type'
  | 'wrong_challenge'
  | 'wrong_origin'
  | 'framed'
  | 'wrong_rp_id'
  | 'user_not_verified'
  | 'unproven'

const base64url = z.string().regex(/^[\w-]+$/)
const credentialId = base64url.max(CREDENTIAL_ID_MAX_LENGTH)
const common = { id: credentialId, rawId: credentialId, type: z.literal('public-key') }

const assertionSchema = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.max(86),
  }),
})

const attestationSchema = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(32)).max(8).optional(),
  }),
})

/** An assertion (WebAuthn §7.2) that has the right shape. Nothing of it is proven. */
export type Assertion = z.output<typeof assertionSchema>

/** Reads what the script put into the form. */
export const readAssertion = (text: string): Assertion | undefined => readJson(assertionSchema, text)

function readJson<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** The account id is random, so it may be the user handle (WebAuthn §14.6.1: nothing personal). */
export const userHandleOf = (accountId: string): string => encodeText(accountId)

/** The account that an assertion names; `undefined` when it names none of ours. */
export function accountIdOf({ response }: Assertion): string | undefined {
  const text = decodeText(response.userHandle)
  return text !== undefined && /^usr_[\w-]{22}$/.test(text) ? text : undefined
}

/** Options for `navigator.credentials.get`, as JSON (WebAuthn §5.5). Any passkey of this address may answer. */
export const requestOptions = (challenge: string, { rpId }: RelyingParty) => ({
  challenge,
  rpId,
  timeout: PASSKEY_CHALLENGE_MS,
  userVerification: 'required',
})

interface NewPasskeyFor {
  readonly challenge: string
  readonly serverName: string
  readonly account: { readonly id: string; readonly name: string }
  /** Those that the account has here already. */
  readonly known: readonly Passkey[]
}

/** Options for `navigator.credentials.create`, as JSON (WebAuthn §5.4): discoverable, the person verified. */
export const creationOptions = (
  { challenge, serverName, account, known }: NewPasskeyFor,
  { rpId }: RelyingParty,
) => ({
  challenge,
  rp: { id: rpId, name: serverName },
  user: { id: userHandleOf(account.id), name: account.name, displayName: account.name },
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
  timeout: PASSKEY_CHALLENGE_MS,
  attestation: 'none',
  authenticatorSelection: {
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  },
  excludeCredentials: known.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
})

/** EdDSA, ES256, RS256 (WebAuthn §5.8.5), which every runtime verifies. */
const ALGORITHMS = [-8, -7, -257]

/** What is kept of a new credential. */
export type NewCredential = Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'backedUp' | 'transports'>

/** Verifies a new credential (WebAuthn §7.1). */
export async function verifyCreation(
  text: string,
  challenge: string,
  { rpId, origin }: RelyingParty,
): Promise<Result<NewCredential, CeremonyFault>> {
  const answer = readJson(attestationSchema, text)
  if (!answer) return err('malformed')
  const fault = clientDataFault(answer.response.clientDataJSON, {
    type: 'webauthn.create',
    challenge,
    origin,
  })
  if (fault) return err(fault)

  try {
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
    const { registrationInfo } = await verifyRegistrationResponse({
      response: await withoutStatement(answer),
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      supportedAlgorithmIDs: ALGORITHMS,
      requireUserVerification: true,
    })
    if (!registrationInfo) return err('unproven')
    const { credential, credentialBackedUp } = registrationInfo
    // The id that counts is the one in the data that the authenticator made.
    if (credential.id !== answer.id) return err('malformed')
    return ok({
      id: credential.id,
      publicKey: toBase64url(credential.publicKey),
      counter: credential.counter,
      backedUp: credentialBackedUp,
      transports: answer.response.transports,
    })
  } catch (error) {
    return err(faultOf(error))
  }
}

/**
 * Leaves out the attestation statement. We ask for none (WebAuthn §5.4.7) and believe none; verifying one that
 * is sent anyway would make this server fetch revocation lists from addresses that a stranger wrote into it.
 */
async function withoutStatement(
  answer: z.output<typeof attestationSchema>,
): Promise<RegistrationResponseJSON> {
  const { decodeAttestationObject, isoCBOR } = await import('@simplewebauthn/server/helpers')
  const sent = decodeAttestationObject(bytesOf(answer.response.attestationObject))
  const bare = new Map<string, unknown>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', sent.get('authData')],
  ])
  const attestationObject = toBase64url(isoCBOR.encode(bare as Parameters<typeof isoCBOR.encode>[0]))
  const { clientDataJSON } = answer.response
  return { ...answer, clientExtensionResults: {}, response: { clientDataJSON, attestationObject } }
}

/** What a proven use of a passkey says. */
export interface PasskeyUse {
  readonly counter: number
  readonly backedUp: boolean
}

/** Verifies a use of a passkey (WebAuthn §7.2). Its counter is for `passkey-use.ts` to judge. */
export async function verifyUse(
  { assertion, passkey, challenge }: UseToVerify,
  { rpId, origin }: RelyingParty,
): Promise<Result<PasskeyUse, CeremonyFault>> {
  const expected = { type: 'webauthn.get', challenge, origin }
  const fault = clientDataFault(assertion.response.clientDataJSON, expected)
  if (fault) return err(fault)

  try {
    const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
    const response: AuthenticationResponseJSON = { ...assertion, clientExtensionResults: {} }
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      // The library would judge the counter before the signature: what is not proven must not be told.
      credential: { id: passkey.id, publicKey: bytesOf(passkey.publicKey), counter: 0 },
      requireUserVerification: true,
    })
    if (!verified) return err('unproven')
    return ok({ counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp })
  } catch (error) {
    return err(faultOf(error))
  }
}

interface UseToVerify {
  readonly assertion: Assertion
  readonly passkey: Passkey
  readonly challenge: string
}

const clientDataSchema = z.looseObject({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
  topOrigin: z.unknown().optional(),
})

/** What the browser says about where and for what it was asked. Ours is never asked inside another page. */
function clientDataFault(
  encoded: string,
  expected: { readonly type: string; readonly challenge: string; readonly origin: string },
): CeremonyFault | undefined {
  const data = readJson(clientDataSchema, decodeText(encoded) ?? '')
  if (!data) return 'malformed'
  if (data.type !== expected.type) return 'wrong_type'
  if (data.challenge !== expected.challenge) return 'wrong_challenge'
  if (data.origin !== expected.origin) return 'wrong_origin'
  return data.crossOrigin || data.topOrigin !== undefined ? 'framed' : undefined
}

/** The library tells faults by sentences; two of them are worth a word of their own. */
function faultOf(error: unknown): CeremonyFault {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' }
  if (name === 'UnexpectedRPIDHash' || message.includes('RP ID')) return 'wrong_rp_id'
  return message.includes('could not be verified') ? 'user_not_verified' : 'unproven'
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => fromBase64url(text) ?? new Uint8Array()
