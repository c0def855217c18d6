import { FORM_MAX_BYTES } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { SignedIn } from '#lib/core/signed-in'
import { readForm } from '#lib/http/body'
import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import { seeOther } from '#lib/http/redirect'
import { isSameOrigin } from '#lib/http/same-origin'

/** What every command of a page is given. */
export interface FormCommandDeps {
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
}

/** The page that a form stands on, for the words of a refusal and the way back. */
export interface FormPage {
  readonly name: 'connections' | 'tokens' | 'account'
  readonly href: string
}

/** A form of ours, sent by the person who is signed in. */
export interface Command {
  readonly user: SignedIn
  readonly form: URLSearchParams
}

interface Receiving {
  readonly requestId: string
  /** What the CSRF token of this form is good for. */
  readonly purpose: string
  readonly page: FormPage
  readonly deps: FormCommandDeps
}

/**
 * Receives the form of a page of ours: POST, same origin, a session, a form of bounded size with the token of
 * that session in `csrf`.
 *
 * @returns the command, or what to answer: 303 to sign-in without a session; 400, 403, 405, 413 or 415 as a page
 */
export async function receiveCommand(
  request: Request,
  { requestId, purpose, page, deps }: Receiving,
): Promise<Result<Command, Response>> {
  const refuse = (refusal: Refusal) => err(refusalPage(refusal, { requestId, page, deps }))
  const refusals = refusalsOf(page)
  if (request.method !== 'POST') return refuse(refusals.method)
  if (!isSameOrigin(request, deps.origin)) return refuse(refusals.elsewhere)
  const user = await deps.identity.currentUser(request)
  if (!user) return err(seeOther('/sign-in'))

  const form = await readForm(request, FORM_MAX_BYTES)
  if (!form.ok) return refuse(refusals[form.error])
  const token = only(form.value, 'csrf')
  if (!token) return refuse(refusals.malformed)
  if (!(await deps.identity.checkCsrf(user, { purpose, token }))) return refuse(refusals.stale)
  return ok({ user, form: form.value })
}

/** The value of a field that stands in a form exactly once and is not empty. */
export function only(form: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = form.getAll(name)
  return value && others.length === 0 ? value : undefined
}

/** Why nothing was done, as a page says it. */
export interface Refusal {
  readonly status: number
  readonly sentence: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What was sent is not what the form of that page sends. */
export const malformed = ({ name }: FormPage): Refusal => ({
  status: 400,
  sentence: `What was sent is not a form of the ${name} page.`,
})

function refusalsOf(page: FormPage) {
  const { sentence } = malformed(page)
  return {
    method: {
      status: 405,
      sentence: `This address takes a form of the ${page.name} page and cannot be opened by itself.`,
      headers: { Allow: 'POST' },
    },
    elsewhere: { status: 403, sentence: 'The form was sent from another site, so it was refused.' },
    stale: {
      status: 403,
      sentence: 'The page was open too long, or you signed in again since. Go back and do it from there.',
    },
    media_type: { status: 415, sentence },
    too_large: { status: 413, sentence: `What was sent is larger than a form of the ${page.name} page.` },
    malformed: malformed(page),
  } as const satisfies Record<string, Refusal>
}

/** Says why nothing was done and leads back. */
export function refusalPage(
  { status, sentence, headers }: Refusal,
  {
    requestId,
    page,
    deps,
  }: { readonly requestId: string; readonly page: FormPage; readonly deps: FormCommandDeps },
): Response {
  const body = html`<div class="card">
<h1>Nothing was changed</h1>
<p>${sentence}</p>
<p>Your ${page.name} ${page.name === 'account' ? 'is as it was' : 'are as they were'}.</p>
<p class="actions"><a class="button" href="${page.href}">Back to your ${page.name}</a></p>
<p class="muted small">If this happens again, quote <span class="code">${requestId}</span> to whoever runs this server.</p>
</div>`
  return pageResponse(
    { title: 'Nothing was changed', status, body, ...(headers ? { headers } : {}) },
    { name: deps.serverName, version: deps.version },
  )
}
