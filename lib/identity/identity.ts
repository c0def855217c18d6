import type { SignedIn } from '#lib/core/signed-in'
import { accountCheck } from '#lib/identity/account'
import { createAccounts } from '#lib/identity/accounts'
import { createBrowserSessions } from '#lib/identity/browser-session'
import { checkCsrf, csrfOf } from '#lib/identity/csrf'
import type { IdentityDeps } from '#lib/identity/deps'
import {
  drawing,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { newPasskey } from '#lib/identity/endpoints/new-passkey'
import { passkey, passkeyOptions } from '#lib/identity/endpoints/passkey'
import { recoveryCode } from '#lib/identity/endpoints/recovery-code'
import { setupCode } from '#lib/identity/endpoints/setup-code'
import { signInLink } from '#lib/identity/endpoints/sign-in-link'
import { signInPage } from '#lib/identity/endpoints/sign-in-page'
import { SIGN_OUT, signOut } from '#lib/identity/endpoints/sign-out'
import { createOwnAccount, type OwnAccount } from '#lib/identity/own-account'
import { createPeople, type People } from '#lib/identity/people'
import { mintSignInLink } from '#lib/identity/sign-in-link'

/** Who people are on this server and how they show it. */
export interface Identity {
  readonly signInPage: IdentityEndpoint
  readonly signInLink: IdentityEndpoint
  readonly setupCode: IdentityEndpoint
  readonly passkeyOptions: IdentityEndpoint
  readonly passkey: IdentityEndpoint
  readonly newPasskey: IdentityEndpoint
  readonly recoveryCode: IdentityEndpoint
  readonly signOut: IdentityEndpoint
  /** What people see and change of their own account. */
  readonly own: OwnAccount
  /**
   * Who a browser belongs to.
   *
   * @throws StoreUnavailable when nobody can tell; answer 503 and keep the cookie
   */
  readonly currentUser: (request: Request) => Promise<SignedIn | undefined>
  readonly accountCheck: typeof accountCheck
  /** What an operator ends for people. */
  readonly people: People
  /** @throws RangeError when the name cannot be given to a person; its message says why */
  readonly mintSignInLink: (whom: { readonly member?: string | undefined }) => Promise<string>
  readonly hasOwner: () => Promise<boolean>
  /** The `csrf` field of a form, for one session and one purpose. */
  readonly csrfOf: (session: Pick<SignedIn, 'sessionHash'>, purpose: string) => Promise<string>
  readonly checkCsrf: (
    session: Pick<SignedIn, 'sessionHash'>,
    form: { readonly purpose: string; readonly token: string | null | undefined },
  ) => Promise<boolean>
  /** Hidden fields of a form that posts to `/sign-out`, besides `rt`. */
  readonly signOutFields: (
    session: Pick<SignedIn, 'sessionHash'>,
  ) => Promise<Readonly<Record<string, string>>>
}

/** Binds identity to a store, a clock and a key ring. Opens nothing. */
export function createIdentity(deps: IdentityDeps): Identity {
  const { keyRing } = deps
  const accounts = createAccounts(deps)
  const sessions = createBrowserSessions(deps)
  const people = createPeople(deps)
  const own = createOwnAccount({ ...deps, sessions, people })
  const context: IdentityContext = { ...deps, accounts, sessions, draw: drawing(deps) }

  return {
    signInPage: signInPage(context),
    signInLink: signInLink(context),
    setupCode: setupCode(context),
    passkeyOptions: passkeyOptions(context),
    passkey: passkey(context),
    newPasskey: newPasskey({ ...context, own }),
    recoveryCode: recoveryCode(context),
    signOut: signOut(context),
    own,
    currentUser: sessions.read,
    accountCheck,
    people,
    mintSignInLink: (whom) => mintSignInLink(deps, whom),
    hasOwner: accounts.hasOwner,
    csrfOf: (session, purpose) => csrfOf(keyRing, session, purpose),
    checkCsrf: (session, form) => checkCsrf(keyRing, session, form),
    signOutFields: async (session) => ({ csrf: await csrfOf(keyRing, session, SIGN_OUT) }),
  }
}
