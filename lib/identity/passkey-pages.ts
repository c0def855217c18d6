import { type Html, html } from '#lib/http/html'
import type { Page } from '#lib/http/page'

const hidden = (fields: Readonly<Record<string, string | undefined>>): readonly Html[] =>
  Object.entries(fields).map(
    ([name, value]) =>
      html`${value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`}`,
  )

/** Where the script says what the browser answered. */
const said = html`<p class="notice notice-careful" data-passkey-said role="alert" hidden></p>`

/**
 * Signing in with a passkey: the script asks the browser for one, fills the form and sends it. Without script
 * the form is not shown, and the other ways are.
 */
export const passkeyForm = (
  rpId: string,
  rt: string | undefined,
): Html => html`<form method="post" action="/sign-in/passkey" data-passkey="get" class="flow needs-script">
${hidden({ rt })}
<input type="hidden" name="state"><input type="hidden" name="credential">
${said}
<p class="actions"><button class="button button-primary">Sign in with a passkey</button></p>
<details class="more">
<summary>No passkey to choose?</summary>
<p class="small muted">You add passkeys on your account page once you are signed in. Each belongs to the address it was made at: those for <span class="mono">${rpId}</span> work here. If this server had another address before, sign in another way and add a new passkey.</p>
</details>
</form>`

/** Signing in with one of ten codes. */
export const recoveryForm = (
  rt: string | undefined,
): Html => html`<form method="post" action="/sign-in/recovery-code" class="flow">
${hidden({ rt })}
<div class="field">
<label for="recovery-code">Recovery code</label>
<input id="recovery-code" name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="recovery-code-hint">
<p class="hint" id="recovery-code-hint">One of the ten that you kept. Each works once.</p>
</div>
<p class="actions"><button class="button">Use the recovery code</button></p>
</form>`

/** What the page of a new passkey needs. */
export interface NewPasskeyView {
  readonly rpId: string
  /** For `navigator.credentials.create`, as JSON. */
  readonly options: unknown
  readonly state: string
  readonly csrf: string
  /** A name to begin with. */
  readonly name: string
}

/** `/sign-in/passkey/new`: names a passkey and makes it. */
export const newPasskeyView = ({ rpId, options, state, csrf, name }: NewPasskeyView): Page => ({
  title: 'Add a passkey',
  script: '/passkey.js',
  body: html`<div class="card">
<h1>Add a passkey</h1>
<p class="lead">It signs you in at <span class="mono">${rpId}</span> with your fingerprint, your face, the PIN of this device or a security key.</p>
<form method="post" action="/sign-in/passkey/new" data-passkey="create" data-options="${JSON.stringify(options)}" class="flow">
${hidden({ csrf, state })}
<input type="hidden" name="credential">
<div class="field">
<label for="passkey-name">Name</label>
<input id="passkey-name" name="name" required maxlength="64" autocomplete="off" value="${name}" aria-describedby="passkey-name-hint">
<p class="hint" id="passkey-name-hint">So that you know it again in your list.</p>
</div>
${said}
<p class="notice notice-careful needs-no-script">Passkeys need JavaScript, which this browser does not run here. Links and recovery codes work without.</p>
<p class="actions"><button class="button button-primary needs-script">Add the passkey</button><a class="button" href="/dashboard/account">Not now</a></p>
</form>
</div>`,
})
