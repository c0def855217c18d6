import type { SignedIn } from '#lib/core/signed-in'
import { type Moment, moment } from '#lib/dashboard/relative-time'

/** A passkey as identity lists it. Times in ms. */
export interface ListedPasskey {
  readonly ref: string
  readonly name: string
  /** The address it was made for. */
  readonly rpId: string
  readonly works: boolean
  readonly backedUp: boolean
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
  readonly copySeenAt: number | undefined
  readonly lastWayIn: boolean
}

/** What lets a person in besides links, as identity lists it. */
export interface ListedWaysIn {
  /** The address that new passkeys are for; `undefined`: passkeys do not work here. */
  readonly rpId: string | undefined
  readonly passkeys: readonly ListedPasskey[]
  readonly recovery: { readonly set: string; readonly left: number; readonly createdAt: number } | undefined
}

/** A browser session as identity lists it. */
export interface ListedSession {
  readonly id: string
  readonly browser: string
  /** A snake_case word of the audit log; absent in sessions of earlier releases. */
  readonly how: string | undefined
  readonly createdAt: number
  readonly current: boolean
}

/** A passkey as its person sees it. */
export interface OwnPasskey extends Pick<ListedPasskey, 'ref' | 'name' | 'rpId' | 'works' | 'lastWayIn'> {
  /** "Synced between your devices". */
  readonly where: string
  readonly created: Moment
  readonly lastUsed: Moment | undefined
  readonly copySeen: Moment | undefined
}

/** A browser session as its person sees it. */
export interface OwnSession extends Pick<ListedSession, 'id' | 'browser' | 'current'> {
  /** "with a passkey"; `undefined` when nobody remembers. */
  readonly how: string | undefined
  readonly began: Moment
}

/** What the account page shows to one person. */
export interface AccountModel {
  readonly rpId: string | undefined
  readonly isOwner: boolean
  readonly passkeys: readonly OwnPasskey[]
  readonly recovery: { readonly left: number; readonly made: Moment } | undefined
  /** Names the codes that a form would replace: `''` when there are none. */
  readonly codeSet: string
  readonly sessions: readonly OwnSession[]
  /** For the forms of the page. */
  readonly csrf: Readonly<Record<AccountPurpose, string>>
  /** Hidden fields of the form that posts to `/sign-out`. */
  readonly signOutFields: Readonly<Record<string, string>>
}

/** What a CSRF token of each form of the page is good for. */
export const accountPurposes = {
  rename: 'rename-passkey',
  remove: 'remove-passkey',
  codes: 'renew-recovery-codes',
  session: 'end-browser-session',
  everywhere: 'sign-out-everywhere',
} as const

export type AccountPurpose = keyof typeof accountPurposes

const howInWords: Readonly<Record<string, string>> = {
  owner_link: 'with a sign-in link',
  member_link: 'with a sign-in link',
  setup_code: 'with the setup code',
  passkey: 'with a passkey',
  recovery_code: 'with a recovery code',
}

interface Listed {
  readonly user: SignedIn
  readonly waysIn: ListedWaysIn
  readonly sessions: readonly ListedSession[]
  readonly csrf: AccountModel['csrf']
  readonly signOutFields: AccountModel['signOutFields']
  readonly now: number
}

/** What stands on the account page: passkeys as they were added, this browser first. */
export function accountModel({ user, waysIn, sessions, csrf, signOutFields, now }: Listed): AccountModel {
  const { rpId, passkeys, recovery } = waysIn
  const optional = (at: number | undefined) => (at === undefined ? undefined : moment(at, now))
  return {
    rpId,
    isOwner: user.role === 'owner',
    passkeys: passkeys.map(({ ref, name, rpId: madeFor, works, lastWayIn, ...passkey }) => ({
      ref,
      name,
      rpId: madeFor,
      works,
      lastWayIn,
      where: passkey.backedUp ? 'Synced between your devices' : 'On one device',
      created: moment(passkey.createdAt, now),
      lastUsed: optional(passkey.lastUsedAt),
      copySeen: optional(passkey.copySeenAt),
    })),
    recovery: recovery && { left: recovery.left, made: moment(recovery.createdAt, now) },
    codeSet: recovery?.set ?? '',
    sessions: [...sessions]
      .sort((left, right) => Number(right.current) - Number(left.current) || right.createdAt - left.createdAt)
      .map(({ id, browser, how, createdAt, current }) => ({
        id,
        browser,
        current,
        how: how === undefined ? undefined : howInWords[how],
        began: moment(createdAt, now),
      })),
    csrf,
    signOutFields,
  }
}
