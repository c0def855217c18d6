import { PASSKEYS_MAX } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { SignedIn } from '#lib/core/signed-in'
import type { BrowserSessions, ListedSession } from '#lib/identity/browser-session'
import type { IdentityDeps } from '#lib/identity/deps'
import type { NewCredential } from '#lib/identity/passkey-ceremony'
import { passkeyName } from '#lib/identity/passkey-name'
import { withPasskey } from '#lib/identity/passkey-use'
import type { People } from '#lib/identity/people'
import { makeCodes } from '#lib/identity/recovery-codes'
import { editWaysIn, mayRemove, type Passkey, readWaysIn, type WaysIn } from '#lib/identity/ways-in'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'

/** A passkey as its person sees it. Times in ms. */
export interface ListedPasskey {
  readonly ref: string
  readonly name: string
  readonly rpId: string
  /** It works at this server's address. */
  readonly works: boolean
  readonly backedUp: boolean
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
  readonly copySeenAt: number | undefined
  /** Removing it would lock its person out. */
  readonly lastWayIn: boolean
}

/** What lets a person in besides links. */
export interface OwnWaysIn {
  /** The address that new passkeys are for; `undefined`: passkeys do not work here. */
  readonly rpId: string | undefined
  readonly passkeys: readonly ListedPasskey[]
  /** `undefined`: none were ever made. */
  readonly recovery: { readonly set: string; readonly left: number; readonly createdAt: number } | undefined
}

export type PasskeyFault = 'passkey_unknown' | 'name_invalid' | 'last_way_in' | 'too_many' | 'already_there'

/** What people see and change of their own account. Every id is looked for among what is theirs. */
export interface OwnAccount {
  waysIn(user: SignedIn): Promise<OwnWaysIn>
  browserSessions(user: SignedIn): Promise<readonly ListedSession[]>
  addPasskey(
    user: SignedIn,
    asked: { readonly credential: NewCredential; readonly name: string },
  ): Promise<Result<{ readonly ref: string }, PasskeyFault>>
  renamePasskey(
    user: SignedIn,
    asked: { readonly ref: string; readonly name: string },
  ): Promise<Result<undefined, PasskeyFault>>
  /** Removing what is not there is no error. */
  removePasskey(user: SignedIn, ref: string): Promise<Result<undefined, PasskeyFault>>
  /**
   * Makes ten codes in the place of those that were. `replaces` is the set that the person saw (`''`: none), so
   * that a form that is sent twice makes one set.
   */
  renewRecoveryCodes(user: SignedIn, replaces: string): Promise<Result<readonly string[], 'already_renewed'>>
  /** Answers whether the browser that asks was the one that ended. */
  endBrowserSession(user: SignedIn, id: string): Promise<boolean>
  /** Every browser, also this one. Connections and tokens stay. */
  signOutEverywhere(user: SignedIn): Promise<void>
}

type OwnAccountDeps = Pick<
  IdentityDeps,
  'store' | 'clock' | 'random' | 'keyRing' | 'audit' | 'passkeyRpId' | 'recordTtlMs'
> & { readonly sessions: BrowserSessions; readonly people: People }

/** Binds what people do with their own account to a store. */
export function createOwnAccount(deps: OwnAccountDeps): OwnAccount {
  const { store, audit, sessions } = deps
  return {
    waysIn: async (user) => seenBy(user, await readWaysIn(store, user.accountId), deps.passkeyRpId),
    browserSessions: sessions.list,
    addPasskey: (user, asked) => addPasskey(deps, user, asked),
    renamePasskey: (user, asked) => renamePasskey(deps, user, asked),
    removePasskey: (user, ref) => removePasskey(deps, user, ref),
    renewRecoveryCodes: (user, replaces) => renewRecoveryCodes(deps, user, replaces),

    async endBrowserSession(user, id) {
      const ended = await sessions.endOne(user, id)
      if (ended) await audit({ event: 'signed_out', accountId: user.accountId, why: 'by_list' })
      return ended === 'this'
    },

    /** The list stays: what ended leaves it when it is read, and what begins meanwhile must be in it. */
    async signOutEverywhere({ accountId }) {
      await deps.people.signOutEverywhere(accountId)
    },
  }
}

const rescueOf = (user: SignedIn, rpId: string | undefined) => ({ rpId, owner: user.role === 'owner' })

function seenBy(user: SignedIn, waysIn: WaysIn, rpId: string | undefined): OwnWaysIn {
  const { passkeys, recovery } = waysIn
  return {
    rpId,
    passkeys: passkeys.map(({ ref, name, rpId: madeFor, backedUp, createdAt, lastUsedAt, copySeenAt }) => ({
      ref,
      name,
      rpId: madeFor,
      works: madeFor === rpId,
      backedUp,
      createdAt,
      lastUsedAt,
      copySeenAt,
      lastWayIn: !mayRemove(waysIn, ref, rescueOf(user, rpId)),
    })),
    recovery: recovery && { set: recovery.set, left: recovery.left.length, createdAt: recovery.createdAt },
  }
}

async function addPasskey(
  deps: OwnAccountDeps,
  { accountId }: SignedIn,
  { credential, name }: { readonly credential: NewCredential; readonly name: string },
): Promise<Result<{ readonly ref: string }, PasskeyFault>> {
  const rpId = deps.passkeyRpId
  const shown = passkeyName(name)
  if (shown === undefined || rpId === undefined) return err('name_invalid')
  const ref = deps.random(9)
  const passkey: Passkey = { ...credential, ref, rpId, name: shown, createdAt: deps.clock() }

  const added = await editWaysIn<Result<{ readonly ref: string }, PasskeyFault>>(
    deps,
    accountId,
    (current) => {
      // Our own write, whose reply was lost.
      if (current.passkeys.some((other) => other.ref === ref)) return { leave: true, answer: ok({ ref }) }
      if (current.passkeys.some(({ id }) => id === passkey.id))
        return { leave: true, answer: err('already_there') }
      if (current.passkeys.length >= PASSKEYS_MAX) return { leave: true, answer: err('too_many') }
      return { write: { ...current, passkeys: [...current.passkeys, passkey] }, answer: ok({ ref }) }
    },
  )
  if (added.ok) await deps.audit({ event: 'passkey_added', accountId })
  return added
}

async function renamePasskey(
  deps: OwnAccountDeps,
  { accountId }: SignedIn,
  { ref, name }: { readonly ref: string; readonly name: string },
): Promise<Result<undefined, PasskeyFault>> {
  const shown = passkeyName(name)
  if (shown === undefined) return err('name_invalid')
  return editWaysIn<Result<undefined, PasskeyFault>>(deps, accountId, (current) => {
    const passkey = current.passkeys.find((one) => one.ref === ref)
    return passkey
      ? { write: withPasskey(current, { ...passkey, name: shown }), answer: ok(undefined) }
      : { leave: true, answer: err('passkey_unknown') }
  })
}

async function removePasskey(
  deps: OwnAccountDeps,
  user: SignedIn,
  ref: string,
): Promise<Result<undefined, PasskeyFault>> {
  const { accountId } = user
  const removed = await editWaysIn<Result<boolean, PasskeyFault>>(deps, accountId, (current) => {
    if (!mayRemove(current, ref, rescueOf(user, deps.passkeyRpId)))
      return { leave: true, answer: err('last_way_in') }
    const passkeys = current.passkeys.filter((passkey) => passkey.ref !== ref)
    if (passkeys.length === current.passkeys.length) return { leave: true, answer: ok(false) }
    return { write: { ...current, passkeys }, answer: ok(true) }
  })
  if (!removed.ok) return removed
  if (removed.value) await deps.audit({ event: 'passkey_removed', accountId })
  return ok(undefined)
}

/** The pointer first: a set that nobody was shown leads nowhere. The old pointer last: it leads to no code. */
async function renewRecoveryCodes(
  deps: OwnAccountDeps,
  user: SignedIn,
  replaces: string,
): Promise<Result<readonly string[], 'already_renewed'>> {
  const { accountId } = user
  const { store, clock, recordTtlMs: ttlMs } = deps
  const { codes, set: made, left } = await makeCodes(deps, accountId)
  const pointer = keys.recoveryCodes(made)
  await store.run(set(pointer, accountId, { ifAbsent: true, ttlMs }))
  // 40 random bits may be somebody else's already.
  const isOurs = (await store.run(get(pointer, { fresh: true }))) === accountId
  if (!isOurs) return renewRecoveryCodes(deps, user, replaces)

  const recovery = { set: made, createdAt: clock(), left: left.map(({ kid, mac }) => ({ kid, mac })) }
  const outcome = await editWaysIn<'renewed' | 'stale'>(deps, accountId, (current) => {
    const before = current.recovery?.set ?? ''
    if (before === made) return { leave: true, answer: 'renewed' }
    if (before !== replaces) return { leave: true, answer: 'stale' }
    return { write: { ...current, recovery }, answer: 'renewed' }
  })
  if (outcome === 'stale') {
    await store.run(del(pointer))
    return err('already_renewed')
  }
  if (replaces !== '') await store.run(del(keys.recoveryCodes(replaces)))
  await deps.audit({ event: 'recovery_codes_made', accountId })
  return ok(codes)
}
