import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import type { UntoldRefusal } from '#lib/oauth/authorization-request'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'

/** Refusals of the consent form. */
export type ConsentRefusal =
  | 'answer_used'
  | 'answer_unreadable'
  | 'form_foreign'
  | 'form_not_urlencoded'
  | 'signed_out'
  | 'too_many_requests'
  | 'method_not_allowed'

export type PageRefusal = UntoldRefusal | ConsentRefusal

interface Words {
  readonly status: 400 | 403 | 405 | 415 | 429
  readonly title: string
  /** What happened, whose side it is on, what to do. Never text of the request. */
  readonly sentences: readonly string[]
}

const startAgain = 'Go back to the app and connect again.'
const nothingGiven = 'Nothing was given to anyone.'

const refusals: Readonly<Record<PageRefusal, Words>> = {
  request_malformed: {
    status: 400,
    title: 'This request cannot be read',
    sentences: [
      'The app sent something incomplete, repeated or too long, so this server cannot tell who asks.',
      `${nothingGiven} If it happens again, tell the makers of the app.`,
    ],
  },
  client_unknown: {
    status: 400,
    title: 'This app is not registered here',
    sentences: [
      'The app named itself with a client id that this server did not issue, or no longer accepts.',
      `${nothingGiven} Remove the connection in the app and add it again, so that it registers anew.`,
    ],
  },
  redirect_uri_unregistered: {
    status: 400,
    title: 'This app asks for the answer at an address it did not register',
    sentences: [
      'The redirect URI must be one of those the app registered, character by character. Only the port of a loopback address may differ.',
      `${nothingGiven} If you did not start this yourself, close this tab.`,
    ],
  },
  sign_in_needed: {
    status: 400,
    title: 'You are not signed in',
    sentences: [
      'The app asked for an answer without showing you anything (prompt=none). This server always asks you first.',
      startAgain,
    ],
  },
  request_expired: {
    status: 400,
    title: 'This request has expired',
    sentences: ['A request waits 10 minutes for you to sign in.', startAgain],
  },
  answer_used: {
    status: 400,
    title: 'This request was already used',
    sentences: [
      'It was answered before, has expired, or belongs to another browser.',
      `If the app does not work yet: ${startAgain}`,
    ],
  },
  answer_unreadable: {
    status: 400,
    title: 'This answer cannot be read',
    sentences: ['The form says neither allow nor deny.', 'Go back and choose one of the two buttons.'],
  },
  form_foreign: {
    status: 403,
    title: 'This answer did not come from our page',
    sentences: [
      'The form was sent by another page, or by a page from before you signed in.',
      `${nothingGiven} ${startAgain}`,
    ],
  },
  form_not_urlencoded: {
    status: 415,
    title: 'This answer cannot be read',
    sentences: ['A form of this server is sent as application/x-www-form-urlencoded.', startAgain],
  },
  signed_out: {
    status: 403,
    title: 'You are signed out',
    sentences: ['Your sign-in ended before you answered.', `${nothingGiven} ${startAgain}`],
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    sentences: [
      'More requests arrive than this server answers before sign-in.',
      'Try again in a few seconds.',
    ],
  },
  method_not_allowed: {
    status: 405,
    title: 'This address is opened in a browser',
    sentences: ['The request used a method that this page does not answer.'],
  },
}

/** A refusal for the person at the browser: no redirect, and nothing of the request is repeated. */
export function refusalPage(
  reason: PageRefusal,
  {
    requestId,
    headers = {},
  }: { readonly requestId: string; readonly headers?: Readonly<Record<string, string>> },
  deps: Pick<OAuthDeps, 'serverName' | 'version' | 'log'>,
): Response {
  const { status, title, sentences } = refusals[reason]
  deps.log('info', 'authorization_refused', { requestId, reason })
  const body = html`<div class="card">
<h1>${title}</h1>
${sentences.map((sentence) => html`<p>${sentence}</p>`)}
<p class="muted">Rule <span class="code">${reason}</span> Code <span class="code">${requestId}</span></p>
</div>`
  return pageResponse({ title, body, status, headers }, { name: deps.serverName, version: deps.version })
}
