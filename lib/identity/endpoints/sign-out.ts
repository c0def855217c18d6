import type { SignedIn } from '#lib/core/signed-in'
import { seeOther } from '#lib/http/redirect'
import { checkCsrf } from '#lib/identity/csrf'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { receiveForm } from '#lib/identity/endpoints/form'
import { type Refusal, refusalView } from '#lib/identity/pages'

/** The purpose of the token in the sign-out form. */
export const SIGN_OUT = 'sign-out'

/**
 * `POST /sign-out` with `csrf`: ends this browser's session. With `rt` the person comes to the sign-in page
 * and goes on with that request as somebody else.
 */
export function signOut(context: IdentityContext): IdentityEndpoint {
  const { sessions, keyRing, audit, draw } = context

  async function end(user: SignedIn, next: string): Promise<Response> {
    const setCookie = await sessions.end(user)
    await audit({ event: 'signed_out', accountId: user.accountId })
    return seeOther(next, { 'Set-Cookie': setCookie })
  }

  return byMethod({
    async POST(request, exchange) {
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const rt = form.value.get('rt')
      const next = rt === undefined ? '/' : `/sign-in?rt=${encodeURIComponent(rt)}`

      const user = await sessions.read(request)
      if (!user) return seeOther(next)
      const token = form.value.get('csrf')
      return (await checkCsrf(keyRing, user, { purpose: SIGN_OUT, token }))
        ? end(user, next)
        : draw(refusalView(stale, { rule: 'form_stale', requestId: exchange.requestId }))
    },
  })
}

const stale: Refusal = {
  title: 'You are still signed in',
  status: 403,
  sentences: ['The page you signed out from is out of date. Load it again and sign out there.'],
  back: { href: '/dashboard', label: 'See your connections' },
}
