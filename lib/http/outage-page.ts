import type { Outage } from '#lib/http/endpoint'
import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'

/** An outage of an endpoint that answers a person: whose side it is on, what to do, a code to quote. */
export function pageOutage(server: { readonly name: string; readonly version: string }): Outage {
  return ({ status, requestId, headers }) => {
    const waiting = status === 503
    const body = html`<div class="card">
<h1>${waiting ? 'This server cannot answer right now' : 'Something went wrong on this server'}</h1>
<p>${
      waiting
        ? 'It cannot reach its storage. Nothing was changed and you are still signed in.'
        : 'This is a fault of the server, not of yours. Nothing was given to anyone.'
    }</p>
<p>${waiting ? 'Wait a few seconds, then load this page again.' : 'Go back and try again. If it stays, tell the person who runs this server and quote the code below.'}</p>
<p class="code">Code <span class="mono">${requestId}</span></p>
</div>`
    return pageResponse({ title: 'Not available', body, status, headers }, server)
  }
}
