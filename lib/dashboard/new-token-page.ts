import { type PermissionSource, permissionsOf } from '#lib/dashboard/permissions'
import { deadline } from '#lib/dashboard/relative-time'
import type { CreatedToken } from '#lib/dashboard/tokens'
import { type Html, html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'

interface NewTokenPlace {
  /** `PUBLIC_URL`. */
  readonly origin: string
  readonly serverName: string
  readonly version: string
  /** How hosts list the server. */
  readonly slug: string
  readonly scopes: readonly PermissionSource[]
}

/**
 * The one page that shows a token: to copy by itself, as the header that carries it, and in the settings of
 * apps. Works without script, which only adds the buttons.
 */
export function newTokenPage({ token, summary }: CreatedToken, place: NewTokenPlace): Response {
  const url = `${place.origin}/api/mcp`
  const header = `Bearer ${token}`
  const settings = { [place.slug]: { type: 'http', url, headers: { Authorization: header } } }
  const may = permissionsOf(summary.scopes, place.scopes)
  const body = html`<div class="card">
<h1>Copy your token now</h1>
<p class="lead">This is the only time it is shown. Nobody can look it up later, not even whoever runs this server.</p>
<div class="field"><h2 class="label">Token “<bdi>${summary.name}</bdi>”</h2>
${copyLine({ id: 'token', text: token, name: 'the token' })}
<p class="hint">It may: ${may.map(({ sentence }) => sentence).join('; ')}. It expires ${deadline(summary.expiresAt, summary.createdAt).relative}.</p></div>
<div class="notice notice-careful"><p><strong>Whoever has it can do this as you.</strong> Keep it like a password: out of chats, screenshots and files that you share. If it gets out, end it; that takes effect at once.</p></div>
<h2>Use it</h2>
<p>Programs send it as a header with every request to <span class="mono">${url}</span>:</p>
${copyLine({ id: 'header', text: `Authorization: ${header}`, name: 'the header' })}
<details class="more">
<summary>Settings for an app that takes a header</summary>
<p class="small muted">Some apps call the list “servers”. Where an app can read a secret from the environment, let it, and leave the token out of the file.</p>
<div class="copy-block"><pre tabindex="0"><code id="settings">${JSON.stringify({ mcpServers: settings }, null, 2)}</code></pre>${copyButton('settings', 'the settings')}</div>
</details>
<p class="actions"><a class="button" href="/dashboard/tokens">I have copied it, back to your tokens</a></p>
</div>`
  return pageResponse(
    { title: 'Your new token', body, script: '/copy.js' },
    { name: place.serverName, version: place.version },
  )
}

const copyLine = ({
  id,
  text,
  name,
}: {
  readonly id: string
  readonly text: string
  readonly name: string
}): Html => html`<div class="copy"><code id="${id}">${text}</code>${copyButton(id, name)}</div>`

const copyButton = (id: string, name: string): Html =>
  html`<button type="button" class="button button-quiet button-small needs-script" data-copy="${id}" aria-label="Copy ${name}"><span aria-live="polite">Copy</span></button>`
