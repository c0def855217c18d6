import { seeOther } from '#lib/http/redirect'
import type { Account } from '#lib/identity/account'
import type { Found } from '#lib/identity/accounts'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { receiveForm } from '#lib/identity/endpoints/form'
import { goOn } from '#lib/identity/endpoints/go-on'
import { linkRefusedView, linkView, refusalView, signedInView } from '#lib/identity/pages'
import { consumeLink, type LinkRefusal, openSignInLink } from '#lib/identity/sign-in-link'
import { readWaysIn } from '#lib/identity/ways-in'

/** Where a used link leads when no app waits in this tab, and offers a passkey: reloading it repeats nothing. */
export const SIGNED_IN = '/sign-in/link?done=1'

/** `/sign-in/link`: GET draws the form that takes the token from the fragment, POST signs in once. */
export function signInLink(context: IdentityContext): IdentityEndpoint {
  const { serverName, sessions, store, passkeyRpId, draw } = context

  return byMethod({
    async GET(request) {
      const done = new URL(request.url).searchParams.has('done')
      const user = done ? await sessions.read(request) : undefined
      if (!user) return draw(linkView(serverName))
      const { passkeys } = await readWaysIn(store, user.accountId)
      const hasPasskey = passkeys.some(({ rpId }) => rpId === passkeyRpId)
      return draw(signedInView(user.name, { offersPasskey: passkeyRpId !== undefined && !hasPasskey }))
    },

    async POST(request, exchange) {
      const { requestId } = exchange
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const refuse = (reason: LinkRefusal) => {
        context.log('warn', 'sign_in_link_refused', { requestId, reason })
        return draw(linkRefusedView(reason, requestId))
      }
      const next = goOn(form.value.get('rt'), SIGNED_IN)

      const link = await openSignInLink(context, form.value.get('token') ?? '')
      if (!link.ok) return refuse(link.error)
      // Used before any account or session is made: whatever stops us, it signs in once at most.
      if (!(await consumeLink(context, link.value))) {
        // A second click on the button, when the first one's answer has reached this browser.
        return (await sessions.read(request)) ? seeOther(next) : refuse('used')
      }

      const { holder } = link.value
      const found = await (holder.kind === 'owner'
        ? context.accounts.owner()
        : context.accounts.member(holder.name))
      return signIn(context, { request, requestId, found, how: `${holder.kind}_link`, next })
    },
  })
}

interface SigningIn {
  readonly request: Request
  readonly requestId: string
  readonly found: Found
  /** A snake_case word for the audit log. */
  readonly how: string
  readonly next: string
}

/** Begins a browser session for an account that was proven, and sends the browser on. */
export async function signIn(
  { sessions, audit, draw }: Pick<IdentityContext, 'sessions' | 'audit' | 'draw'>,
  { request, requestId, found: { account, created }, how, next }: SigningIn,
): Promise<Response> {
  if (account.state !== 'active') return draw(accountEnded(account, requestId))

  const setCookie = await sessions.begin(request, account, how)
  if (created) await audit({ event: 'account_created', accountId: account.id, why: how })
  await audit({ event: 'signed_in', accountId: account.id, why: how })
  return seeOther(next, { 'Set-Cookie': setCookie })
}

const accountEnded = ({ name }: Account, requestId: string) =>
  refusalView(
    {
      title: 'This account has ended',
      status: 403,
      sentences: [`${name} can no longer sign in here. Ask the person who runs this server.`],
    },
    { rule: 'account_ended', requestId },
  )
