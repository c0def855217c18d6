import { z } from 'zod'
import { PASSKEY_CHALLENGE_MS, USED_CHALLENGE_MS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { IdentityDeps } from '#lib/identity/deps'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'

/** What a challenge is for: signing in, or a new passkey. One is never good for the other. */
export type Ceremony = 'get' | 'create'

/** A challenge as a page gets it. */
export interface PasskeyChallenge {
  /** 256 random bits, base64url (WebAuthn §13.4.3 asks for 128). */
  readonly challenge: string
  /** Seals it; goes along with the answer. Nothing is stored until somebody has proven who they are. */
  readonly state: string
}

const sealedSchema = z.object({ c: z.string(), exp: z.int() })

const CHALLENGE_BYTES = 32

/**
 * Makes a challenge that lives 5 minutes.
 *
 * @param binding - the browser that must answer: its session, or a cookie of a browser without one
 */
export async function makeChallenge(
  { keyRing, random, clock }: Pick<IdentityDeps, 'keyRing' | 'random' | 'clock'>,
  ceremony: Ceremony,
  binding: string,
): Promise<PasskeyChallenge> {
  const challenge = random(CHALLENGE_BYTES)
  const content: z.input<typeof sealedSchema> = { c: challenge, exp: clock() + PASSKEY_CHALLENGE_MS }
  const state = await keyRing.seal(
    'passkey-challenge',
    JSON.stringify(content),
    associated(ceremony, binding),
  )
  return { challenge, state }
}

/** The challenge of an answer; `undefined` when it is too old, or was not made for this browser and this use. */
export async function openChallenge(
  { keyRing, clock }: Pick<IdentityDeps, 'keyRing' | 'clock'>,
  state: string,
  { ceremony, binding }: { readonly ceremony: Ceremony; readonly binding: string },
): Promise<string | undefined> {
  const opened = await keyRing.open('passkey-challenge', state, associated(ceremony, binding))
  const content = opened === undefined ? undefined : sealedSchema.safeParse(JSON.parse(opened))
  return content?.success && clock() < content.data.exp ? content.data.c : undefined
}

/** Marks a challenge as answered: of any number of callers one is answered `true`. Only after the proof. */
export async function consumeChallenge(
  { store, random }: Pick<IdentityDeps, 'store' | 'random'>,
  challenge: string,
): Promise<boolean> {
  const mine = random(16)
  const key = keys.usedChallenge(await sha256(challenge))
  if (await store.run(set(key, mine, { ifAbsent: true, ttlMs: USED_CHALLENGE_MS }))) return true
  // A lost reply makes the store's client write twice: then the mark is there and it is ours.
  return (await store.run(get(key, { fresh: true }))) === mine
}

/** Neither holds a NUL, so that no pair reads as another. */
const associated = (ceremony: Ceremony, binding: string) => `${ceremony}\0${binding}`
