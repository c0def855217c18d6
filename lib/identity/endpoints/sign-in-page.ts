import { seeOther } from '#lib/http/redirect'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { goOn } from '#lib/identity/endpoints/go-on'
import { type Refusal, refusalView, signInView } from '#lib/identity/pages'

/** `GET /sign-in[?rt=]`: with a session, back to what the person came from; else the ways to sign in. */
export function signInPage(context: IdentityContext): IdentityEndpoint {
  const { serverName, sessions, accounts, draw } = context

  return byMethod({
    async GET(request, { requestId }) {
      const query = new URL(request.url).searchParams
      const rt = query.get('rt') || undefined
      if (await sessions.read(request)) return seeOther(goOn(rt, '/dashboard'))

      const waiting = rt === undefined ? undefined : await context.describeRequest(rt)
      if (rt !== undefined && !waiting)
        return draw(refusalView(startAgain, { rule: 'request_expired', requestId }))
      return draw(
        signInView({
          serverName,
          rt,
          clientName: waiting?.clientName,
          tried: query.has('tried'),
          rpId: context.passkeyRpId,
          offersSetupCode: context.ownerSetupCode !== undefined && !(await accounts.hasOwner()),
        }),
      )
    },
  })
}

const startAgain: Refusal = {
  title: 'Start again from the app',
  status: 400,
  sentences: [
    'The request that brought you here has expired or is not complete. Nothing was given to anyone.',
    'Go back to the app and connect to this server once more.',
  ],
}
