import type { SignedIn } from '#lib/core/signed-in'
import { type AccountPurpose, accountPurposes } from '#lib/dashboard/account'
import {
  type Command,
  type FormCommandDeps,
  type FormPage,
  malformed,
  only,
  type Refusal,
  receiveCommand,
  refusalPage,
} from '#lib/dashboard/form-command'
import { recoveryCodesPage } from '#lib/dashboard/recovery-codes-page'
import type { Exchange } from '#lib/http/endpoint'
import { seeOther } from '#lib/http/redirect'

/** Why nothing was changed. */
type AccountFault =
  | 'passkey_unknown'
  | 'name_invalid'
  | 'last_way_in'
  | 'too_many'
  | 'already_there'
  | 'already_renewed'

type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: AccountFault }

export interface AccountCommandDeps extends FormCommandDeps {
  readonly identity: FormCommandDeps['identity'] & {
    readonly own: {
      renamePasskey(user: SignedIn, asked: { ref: string; name: string }): Promise<Outcome<undefined>>
      removePasskey(user: SignedIn, ref: string): Promise<Outcome<undefined>>
      renewRecoveryCodes(user: SignedIn, replaces: string): Promise<Outcome<readonly string[]>>
      /** Answers whether it was the browser that asks. */
      endBrowserSession(user: SignedIn, id: string): Promise<boolean>
      signOutEverywhere(user: SignedIn): Promise<void>
    }
  }
}

const HOME = '/dashboard/account'
const page: FormPage = { name: 'account', href: HOME }

const refusals: Readonly<Record<AccountFault, Refusal>> = {
  passkey_unknown: { status: 404, sentence: 'This passkey is not in your list any more.' },
  name_invalid: {
    status: 400,
    sentence:
      'A passkey needs a name of 1 to 64 visible characters. Emoji made of several parts do not count as visible.',
  },
  last_way_in: {
    status: 409,
    sentence:
      'This is the last way in that you have by yourself, so it was kept. Add another passkey or make recovery codes first, then remove it.',
  },
  too_many: { status: 409, sentence: 'You have as many passkeys as one person can have.' },
  already_there: { status: 409, sentence: 'This passkey is in your list already.' },
  already_renewed: {
    status: 409,
    sentence:
      'This form was sent before, and new codes were made then. Codes are shown once: if you did not keep those, make new ones again.',
  },
}

/** What one form of the account page does once it was received. */
type Act = (command: Command, deps: AccountCommandDeps) => Promise<Outcome<Response> | undefined>

interface AccountForm {
  readonly purpose: AccountPurpose
  readonly act: Act
}

/**
 * The forms of the account page, each a POST with `csrf`: 303 back to the page, or what the form is for.
 * Refusals as in `receiveCommand`, and 400, 404 or 409 as a page.
 */
const forms = {
  /** With `passkey` and `name`. */
  renamePasskey: { purpose: 'rename', act: renamePasskey },
  /** With `passkey`. */
  removePasskey: { purpose: 'remove', act: removePasskey },
  /** With `replaces`, the set that the page showed: answers with the one page that shows the new codes. */
  renewRecoveryCodes: { purpose: 'codes', act: renewRecoveryCodes },
  /** With `session`. */
  endBrowserSession: { purpose: 'session', act: endBrowserSession },
  signOutEverywhere: { purpose: 'everywhere', act: signOutEverywhere },
} as const satisfies Record<string, AccountForm>

type Endpoint = (request: Request, exchange: Exchange) => Promise<Response>

/** The endpoints that the forms of the account page post to; each answers every method. */
export type AccountCommands = { readonly [name in keyof typeof forms]: Endpoint }

/** Binds the forms of the account page. */
export function accountCommands(deps: AccountCommandDeps): AccountCommands {
  const bind =
    ({ purpose, act }: AccountForm): Endpoint =>
    async (request, { requestId }) => {
      const receiving = { requestId, purpose: accountPurposes[purpose], page, deps }
      const command = await receiveCommand(request, receiving)
      if (!command.ok) return command.error
      const done = await act(command.value, deps)
      if (!done) return refusalPage(malformed(page), { requestId, page, deps })
      return done.ok ? done.value : refusalPage(refusals[done.error], { requestId, page, deps })
    }
  return {
    renamePasskey: bind(forms.renamePasskey),
    removePasskey: bind(forms.removePasskey),
    renewRecoveryCodes: bind(forms.renewRecoveryCodes),
    endBrowserSession: bind(forms.endBrowserSession),
    signOutEverywhere: bind(forms.signOutEverywhere),
  }
}

/** Where whoever signed this browser out goes. */
const signedOut = (): Outcome<Response> => ({ ok: true, value: seeOther('/') })

const back = (query = ''): Outcome<Response> => ({ ok: true, value: seeOther(HOME + query) })

async function renamePasskey({ user, form }: Command, { identity }: AccountCommandDeps) {
  const ref = only(form, 'passkey')
  if (!ref) return undefined
  const renamed = await identity.own.renamePasskey(user, { ref, name: only(form, 'name') ?? '' })
  return renamed.ok ? back(`?renamed=${encodeURIComponent(ref)}`) : renamed
}

async function removePasskey({ user, form }: Command, { identity }: AccountCommandDeps) {
  const ref = only(form, 'passkey')
  if (!ref) return undefined
  const removed = await identity.own.removePasskey(user, ref)
  return removed.ok ? back(`?removed=${encodeURIComponent(ref)}`) : removed
}

async function renewRecoveryCodes({ user, form }: Command, deps: AccountCommandDeps) {
  const made = await deps.identity.own.renewRecoveryCodes(user, only(form, 'replaces') ?? '')
  return made.ok
    ? ({ ok: true, value: recoveryCodesPage(made.value, deps) } satisfies Outcome<Response>)
    : made
}

async function endBrowserSession({ user, form }: Command, { identity }: AccountCommandDeps) {
  const id = only(form, 'session')
  if (!id) return undefined
  const own = await identity.own.endBrowserSession(user, id)
  return own ? signedOut() : back(`?ended=${encodeURIComponent(id)}`)
}

async function signOutEverywhere({ user }: Command, { identity }: AccountCommandDeps) {
  await identity.own.signOutEverywhere(user)
  return signedOut()
}
