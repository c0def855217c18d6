import { z } from 'zod'
import type { IdentityDeps } from '#lib/identity/deps'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import { type Edit, editRecord, readRecord } from '#lib/store/record'

/** A public key credential of an account: the credential record of WebAuthn §4. */
const passkeySchema = z.looseObject({
  /** Ours: names the passkey in forms. The credential's own id may have a thousand bytes. */
  ref: z.string(),
  /** Credential id, base64url. */
  id: z.string(),
  /** COSE key, base64url. */
  publicKey: z.string(),
  /** Signature counter of its last use; authenticators that do not count say 0. */
  counter: z.int().nonnegative(),
  /** The relying party that it was made for. It works for no other. */
  rpId: z.string(),
  transports: z.array(z.string()).optional(),
  name: z.string(),
  /** It is synced between devices. */
  backedUp: z.boolean(),
  /** Milliseconds, as all times. */
  createdAt: z.int(),
  lastUsedAt: z.int().optional(),
  /** The challenge of its last use, so that a repeated write is known for what it is. */
  lastChallenge: z.string().optional(),
  /** When a sign-in was refused because the counter had not risen: somebody may have a copy. */
  copySeenAt: z.int().optional(),
})

export type Passkey = z.output<typeof passkeySchema>

const recoverySchema = z.looseObject({
  /** Hash of what every code of the set begins with: names the set, and its pointer in the store. */
  set: z.string(),
  createdAt: z.int(),
  /** MACs of the codes that are left. */
  left: z.array(z.looseObject({ kid: z.string(), mac: z.string() })),
  /** The sign-in that used the last code, so that a repeated write is known for what it is. */
  lastUse: z.string().optional(),
})

/** Everything but links that lets one person in. One record, so that the last way in is guarded atomically. */
const waysInSchema = z.looseObject({
  v: z.literal(1),
  passkeys: z.array(passkeySchema),
  recovery: recoverySchema.optional(),
})

export type WaysIn = z.output<typeof waysInSchema>

const none: WaysIn = { v: 1, passkeys: [] }

/** What an account has; nothing where it never had anything. */
export const readWaysIn = async (store: Store, accountId: string): Promise<WaysIn> =>
  (await readRecord(store, keys.waysIn(accountId), waysInSchema)) ?? none

/** Changes what an account has, by compare-and-swap. `decide` may run several times. */
export async function editWaysIn<Answer>(
  { store, recordTtlMs: ttlMs }: Pick<IdentityDeps, 'store' | 'recordTtlMs'>,
  accountId: string,
  decide: (current: WaysIn) => Edit<WaysIn, Answer>,
): Promise<Answer> {
  const key = keys.waysIn(accountId)
  const missing = Symbol('missing')
  const edit = () =>
    editRecord<typeof waysInSchema, Answer | typeof missing>(
      store,
      { key, schema: waysInSchema },
      (current) => (current ? decide(current) : { leave: true, answer: missing }),
    )

  const first = await edit()
  if (first !== missing) return first
  // Where nothing would be written nothing is made.
  const tried = decide(none)
  if ('leave' in tried) return tried.answer
  await store.run(set(key, JSON.stringify(none), { ifAbsent: true, ttlMs }))
  const second = await edit()
  if (second === missing) throw new Error('a record that was made is gone')
  return second
}

/** What keeps a person from locking themselves out. */
interface Rescue {
  /** Passkeys for other addresses let nobody in. `undefined`: passkeys do not work here at all. */
  readonly rpId: string | undefined
  /** The owner makes links with the server's own settings; everybody else depends on others for one. */
  readonly owner: boolean
}

/**
 * Whether a person can still sign in by themselves without this passkey: with another one that works here, with
 * a recovery code, or, the owner, with a link from the command line. What lets nobody in may always go.
 */
export function mayRemove({ passkeys, recovery }: WaysIn, ref: string, { rpId, owner }: Rescue): boolean {
  const works = (passkey: Passkey) => passkey.rpId === rpId
  const going = passkeys.find((passkey) => passkey.ref === ref)
  if (owner || !going || !works(going)) return true
  return passkeys.some((other) => other !== going && works(other)) || (recovery?.left.length ?? 0) > 0
}
