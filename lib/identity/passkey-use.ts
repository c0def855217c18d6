import type { PasskeyUse } from '#lib/identity/passkey-ceremony'
import type { Passkey, WaysIn } from '#lib/identity/ways-in'
import type { Edit } from '#lib/store/record'

/** What came of a proven use: the person is in; or it may be a copy; or the passkey was removed meanwhile. */
export type UseVerdict = 'accepted' | 'copied' | 'gone'

interface Use extends PasskeyUse {
  readonly ref: string
  /** Names this use: two uses never share one. */
  readonly challenge: string
  readonly now: number
}

/**
 * Judges the signature counter of a proven use (WebAuthn §6.1.1) and notes the use. A counter
 * that does not rise means that two authenticators hold the key: this sign-in is refused and the account page
 * says so; who of the two is the owner nobody can tell, so the passkey itself stays. Authenticators that do
 * not count always say 0.
 */
export function noteUse(current: WaysIn, use: Use): Edit<WaysIn, UseVerdict> {
  const passkey = current.passkeys.find(({ ref }) => ref === use.ref)
  if (!passkey) return { leave: true, answer: 'gone' }
  // A write whose reply was lost comes by a second time.
  if (passkey.lastChallenge === use.challenge) return { leave: true, answer: 'accepted' }

  const counts = use.counter > 0 || passkey.counter > 0
  if (counts && use.counter <= passkey.counter) {
    return { write: withPasskey(current, { ...passkey, copySeenAt: use.now }), answer: 'copied' }
  }
  const used: Passkey = {
    ...passkey,
    counter: use.counter,
    backedUp: use.backedUp,
    lastUsedAt: use.now,
    lastChallenge: use.challenge,
  }
  return { write: withPasskey(current, used), answer: 'accepted' }
}

/** The same with one passkey replaced. */
export const withPasskey = (current: WaysIn, changed: Passkey): WaysIn => ({
  ...current,
  passkeys: current.passkeys.map((passkey) => (passkey.ref === changed.ref ? changed : passkey)),
})
