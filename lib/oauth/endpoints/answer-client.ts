import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import { seeOther } from '#lib/http/redirect'
import type { AuthorizationError, ReturnAddress } from '#lib/oauth/authorization-request'
import { type AuthorizationAnswer, authorizationResponse } from '#lib/oauth/authorization-response'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { redirectHost, redirectKind } from '#lib/oauth/redirect-uri'

/** What an error means to the person; the client gets the code. */
const meanings: Readonly<Record<AuthorizationError, string>> = {
  invalid_request: 'Its request is incomplete or contradicts itself. PKCE with S256 is required.',
  unsupported_response_type: 'It asked for another kind of answer than an authorization code.',
  invalid_scope: 'It asked only for permissions that this server does not have.',
  invalid_target: 'It asked for access to another server than this one.',
  access_denied: 'You said no. It was given nothing.',
  interaction_required: 'It asked for an answer without asking you, and this server always asks.',
  request_not_supported: 'It sent its request as a signed object, which this server does not read.',
  request_uri_not_supported: 'It sent its request by reference, which this server does not follow.',
  unauthorized_client: 'It is not registered for this kind of request.',
}

/**
 * Gives the browser the answer for the client. After the person answered, 303 to https and to the loopback
 * interface. An app of this device is opened by a click; so is the way back when nobody was asked anything,
 * because a stranger's link must not bounce people to an address of its choice (OAuth 2.1 §7.12.2).
 */
export function answerClient(
  address: ReturnAddress,
  answer: AuthorizationAnswer,
  { deps, personAnswered }: { readonly deps: OAuthDeps; readonly personAnswered: boolean },
): Response {
  const url = authorizationResponse(address, answer, deps.issuer)
  const opensApp = redirectKind(address.redirectUri) === 'private-use'
  if (personAnswered && !opensApp) return seeOther(url)

  const place = redirectHost(address.redirectUri)
  const { title, sentence, link } = wordsFor(answer, { place, opensApp })
  const body = html`<div class="card">
<h1>${title}</h1>
<p class="lead">${sentence}</p>
<p class="actions"><a id="oauth-continue" class="button button-primary" rel="noreferrer" href="${url}">${link}</a></p>
<p class="muted">${opensApp ? `Your browser asks before it opens the program for ${place} links. After that you can close this tab.` : 'You can also close this tab.'}</p>
</div>`
  return pageResponse({ title, body }, { name: deps.serverName, version: deps.version })
}

function wordsFor(
  answer: AuthorizationAnswer,
  { place, opensApp }: { readonly place: string; readonly opensApp: boolean },
): { readonly title: string; readonly sentence: string; readonly link: string } {
  const link = opensApp ? 'Open the app' : `Return to ${place}`
  if ('code' in answer) {
    return { title: 'Done', sentence: 'The app is connected as soon as you open it.', link }
  }
  const title =
    answer.error === 'access_denied' ? 'Nothing was allowed' : 'The app cannot be connected this way'
  return { title, sentence: meanings[answer.error], link }
}
