import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { type PageRefusal, refusals } from '#lib/oauth/endpoints/refusals'

/**
 * A refusal for the person at the browser: which rule refused, what changes it, and a code to quote. No
 * redirect, and nothing of the request is repeated.
 */
export function refusalPage(
  reason: PageRefusal,
  {
    requestId,
    headers = {},
  }: { readonly requestId: string; readonly headers?: Readonly<Record<string, string>> },
  deps: Pick<OAuthDeps, 'serverName' | 'version' | 'log'>,
): Response {
  const { status, title, rule, remedy } = refusals[reason]
  deps.log('info', 'authorization_refused', { requestId, reason })
  const body = html`<div class="card">
<h1>${title}</h1>
<p class="lead">${rule}</p>
<p>${remedy}</p>
<p class="muted">Nothing was given to anyone.</p>
<p class="muted">Rule <span class="code">${reason}</span> Code <span class="code">${requestId}</span></p>
</div>`
  return pageResponse({ title, body, status, headers }, { name: deps.serverName, version: deps.version })
}
