import { FORM_MAX_BYTES } from '#lib/config/limits'
import type { SignedIn } from '#lib/core/signed-in'
import { readForm } from '#lib/http/body'
import type { Exchange } from '#lib/http/endpoint'
import { type Html, html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import { seeOther } from '#lib/http/redirect'
import { isSameOrigin } from '#lib/http/same-origin'

/** What a CSRF token of this form is good for. */
export const END_CONNECTION = 'end-connection'

export interface EndConnectionDeps {
  /** `PUBLIC_URL`. */
  readonly origin: string
  readonly serverName: string
  readonly version: string
  readonly identity: {
    currentUser(request: Request): Promise<SignedIn | undefined>
    checkCsrf(
      session: Pick<SignedIn, 'sessionHash'>,
      form: { readonly purpose: string; readonly token: string },
    ): Promise<boolean>
  }
  readonly oauth: {
    /** `false` when the account has no such connection. */
    endGrant(which: {
      readonly accountId: string
      readonly grantId: string
      readonly why: string
    }): Promise<boolean>
  }
}

/**
 * `POST /dashboard/connections/end` with `connection` and `csrf`: ends one of one's own connections and goes
 * back to the list. Ending what has ended already is no error: the person has what they asked for.
 *
 * 303 to `/dashboard?ended=<id>`, or to sign-in without a session; 400, 403, 405, 413 or 415 as a page.
 */
export async function endConnection(
  request: Request,
  { requestId }: Exchange,
  deps: EndConnectionDeps,
): Promise<Response> {
  const refuse = (refusal: Refusal) => refusalPage({ ...refusal, requestId }, deps)
  if (request.method !== 'POST') return refuse(refusals.method)
  if (!isSameOrigin(request, deps.origin)) return refuse(refusals.elsewhere)
  const user = await deps.identity.currentUser(request)
  if (!user) return seeOther('/sign-in')

  const form = await readForm(request, FORM_MAX_BYTES)
  if (!form.ok) return refuse(refusals[form.error])
  const [grantId, ...otherIds] = form.value.getAll('connection')
  const [csrf, ...otherTokens] = form.value.getAll('csrf')
  if (!grantId || !csrf || otherIds.length + otherTokens.length > 0) return refuse(refusals.malformed)
  if (!(await deps.identity.checkCsrf(user, { purpose: END_CONNECTION, token: csrf })))
    return refuse(refusals.stale)

  await deps.oauth.endGrant({ accountId: user.accountId, grantId, why: 'ended_by_owner' })
  return seeOther(`/dashboard?ended=${encodeURIComponent(grantId)}`)
}

interface Refusal {
  readonly status: number
  readonly sentence: string
  readonly headers?: Readonly<Record<string, string>>
}

const refusals = {
  method: {
    status: 405,
    sentence: 'This address takes a form of the connections page and cannot be opened by itself.',
    headers: { Allow: 'POST' },
  },
  elsewhere: {
    status: 403,
    sentence: 'The form was sent from another site, so it was refused.',
  },
  stale: {
    status: 403,
    sentence: 'The page was open too long, or you signed in again since. Go back and end it from there.',
  },
  media_type: { status: 415, sentence: 'What was sent is not a form of the connections page.' },
  too_large: { status: 413, sentence: 'What was sent is larger than a form of the connections page.' },
  malformed: { status: 400, sentence: 'What was sent is not a form of the connections page.' },
} as const satisfies Record<string, Refusal>

function refusalPage(
  { status, sentence, headers, requestId }: Refusal & { readonly requestId: string },
  { serverName, version }: EndConnectionDeps,
): Response {
  const body: Html = html`<div class="card">
<h1>Nothing was changed</h1>
<p>${sentence}</p>
<p>Your connections are as they were.</p>
<p class="actions"><a class="button" href="/dashboard">Back to your connections</a></p>
<p class="muted small">If this happens again, quote <span class="code">${requestId}</span> to whoever runs this server.</p>
</div>`
  return pageResponse(
    { title: 'Nothing was changed', status, body, ...(headers ? { headers } : {}) },
    { name: serverName, version },
  )
}
