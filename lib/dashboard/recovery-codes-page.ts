import { html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'

/** The one page that shows recovery codes. Works without script, which only adds the button. */
export function recoveryCodesPage(
  codes: readonly string[],
  {
    serverName,
    version,
    origin,
  }: { readonly serverName: string; readonly version: string; readonly origin: string },
): Response {
  const body = html`<div class="card">
<h1>Keep your recovery codes</h1>
<p class="lead">This is the only time they are shown. Each signs you in once at <span class="mono">${origin}</span>, without a passkey and without a link.</p>
<div class="copy-block"><pre tabindex="0" aria-label="Recovery codes"><code id="codes">${codes.join('\n')}</code></pre><button type="button" class="button button-quiet button-small needs-script" data-copy="codes" aria-label="Copy the recovery codes"><span aria-live="polite">Copy</span></button></div>
<div class="notice notice-careful"><p><strong>Whoever has one can sign in as you.</strong> Print them, or keep them where you keep your passwords, and not only on the device that has your passkey. Codes that you had before no longer work.</p></div>
<p class="actions"><a class="button" href="/dashboard/account">I have kept them, back to your account</a></p>
</div>`
  return pageResponse(
    { title: 'Your recovery codes', body, script: '/copy.js' },
    { name: serverName, version },
  )
}
