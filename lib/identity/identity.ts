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
import { setupCode } from '#lib/identity/endpoints/setup-code'
import { signInLink } from '#lib/identity/endpoints/sign-in-link'
import { signInPage } from '#lib/identity/endpoints/sign-in-page'
import { SIGN_OUT, signOut } from '#lib/identity/endpoints/sign-out'
import { createPeople, type People } from '#lib/identity/people'
import { mintSignInLink } from '#lib/identity/sign-in-link'

/** Who people are on this server and how they show it. */
export interface Identity {
  readonly signInPage: IdentityEndpoint
  readonly signInLink: IdentityEndpoint
  readonly setupCode: IdentityEndpoint
  readonly signOut: IdentityEndpoint
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
  const context: IdentityContext = { ...deps, accounts, sessions, draw: drawing(deps) }

  return {
    signInPage: signInPage(context),
    signInLink: signInLink(context),
    setupCode: setupCode(context),
    signOut: signOut(context),
    currentUser: sessions.read,
    accountCheck,
    people: createPeople(deps),
    mintSignInLink: (whom) => mintSignInLink(deps, whom),
    hasOwner: accounts.hasOwner,
    csrfOf: (session, purpose) => csrfOf(keyRing, session, purpose),
    checkCsrf: (session, form) => checkCsrf(keyRing, session, form),
    signOutFields: async (session) => ({ csrf: await csrfOf(keyRing, session, SIGN_OUT) }),
  }
}
