import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { type PageRefusal, refusals } from '#lib/oauth/endpoints/refusals'

/**
 * A refusal for the person at the browser: which rule refused, what changes it, and a code to quote. No
 * redirect, and nothing of the request is repeated but the name of a public host.
 */
export function refusalPage(
  reason: PageRefusal,
  {
    requestId,
    host,
    headers = {},
  }: {
    readonly requestId: string
    /** The host it is about: letters, digits, dots and hyphens. */
    readonly host?: string | undefined
    readonly headers?: Readonly<Record<string, string>>
  },
  deps: Pick<OAuthDeps, 'serverName' | 'version' | 'log'>,
): Response {
  const { status, title, rule, remedy } = refusals[reason]
  deps.log('info', 'authorization_refused', { requestId, reason })
  const body = html`<div class="card">
<h1>${title}</h1>
<p class="lead">${rule}</p>
${host !== undefined && html`<p>Host: <strong class="mono">${host}</strong></p>`}
<p>${remedy}</p>
<p class="muted">Nothing was given to anyone.</p>
<p class="muted">Rule <span class="code">${reason}</span> Code <span class="code">${requestId}</span></p>
</div>`
  return pageResponse({ title, body, status, headers }, { name: deps.serverName, version: deps.version })
}
