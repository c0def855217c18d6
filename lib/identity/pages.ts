import { type Html, html } from '#lib/http/html'
import type { Page } from '#lib/http/page'
import { passkeyForm, recoveryForm } from '#lib/identity/passkey-pages'
import type { LinkRefusal } from '#lib/identity/sign-in-link'

/** What a person runs where Gatehouse is installed. */
const NEW_LINK = html`<code class="mono">npm run gatehouse -- sign-in-link</code>`

/** Hidden field that keeps a waiting authorization request. */
export const requestField = (rt: string | undefined) =>
  rt !== undefined && html`<input type="hidden" name="rt" value="${rt}">`

/** Beside passkeys its field also brings up those that the browser suggests, and its button steps back. */
const linkForm = (rt?: string, besidePasskeys = false) => html`<form method="post" action="/sign-in/link">
${requestField(rt)}
<div class="field" id="link-field">
<label for="token">Paste the sign-in link here</label>
<input id="token" name="token" required autocomplete="${besidePasskeys ? 'username webauthn' : 'off'}" autocapitalize="none" spellcheck="false">
</div>
<p class="actions"><button id="link-button" class="button${besidePasskeys ? '' : ' button-primary'}">Sign in</button></p>
</form>`

/** The person who has to sign in, and what they find on the page. */
export interface SignInView {
  readonly serverName: string
  /** Sealed authorization request to go on with. */
  readonly rt?: string | undefined
  /** The app that waits, by the name it gives itself. */
  readonly clientName?: string | undefined
  /** The person said that they had signed in, and this browser has not. */
  readonly tried: boolean
  /** Nobody owns the server and a setup code is set. */
  readonly offersSetupCode: boolean
  /** The address that passkeys are for; `undefined`: there are none here. */
  readonly rpId: string | undefined
}

/** `/sign-in`: why the person is here, and the ways that work: a passkey, a link, a recovery code. */
export function signInView(view: SignInView): Page {
  const { serverName, rt, clientName, rpId } = view
  const body = html`<div class="card">
<h1>Sign in to ${serverName}</h1>
${clientName !== undefined && html`<p class="lead">Then you can decide whether <strong>${clientName}</strong> may use ${serverName} as you.</p>`}
${view.tried && html`<div class="notice notice-careful" role="status"><p><strong>This browser is not signed in yet.</strong> Open the sign-in link in this browser, not in another one or in a private window.</p></div>`}
${rpId !== undefined && passkeyForm(rpId, rt)}
${rpId !== undefined ? html`<h2>With a sign-in link</h2>` : undefined}
<p>A link works once, for 15 minutes.</p>
<p><strong>You run this server.</strong> Its console printed the link after “Sign in as owner” when it started for the first time. To get a new one, run ${NEW_LINK} in its folder.</p>
<p><strong>Someone else runs it.</strong> Ask them for a sign-in link with your name.</p>
${linkForm(rt, rpId !== undefined)}
<details class="more">
<summary>Sign in with a recovery code</summary>
${recoveryForm(rt)}
</details>
</div>
${view.offersSetupCode && setupCodeCard(serverName, rt)}
<div class="card">
<h2>Did you open the link in another tab?</h2>
<form method="get" action="/sign-in">
${requestField(rt)}<input type="hidden" name="tried" value="1">
<p class="actions"><button class="button">I have signed in, go on</button></p>
</form>
</div>`
  return { title: 'Sign in', body, ...(rpId === undefined ? {} : { script: '/passkey.js' }) }
}

const setupCodeCard = (serverName: string, rt: string | undefined) => html`<div class="card">
<h2>Set up this server</h2>
<p>Nobody owns ${serverName} yet. Whoever deployed it has the setup code: the value of OWNER_SETUP_CODE.</p>
<form method="post" action="/sign-in/setup-code">
${requestField(rt)}
<div class="field">
<label for="code">Setup code</label>
<input id="code" name="code" type="password" required autocomplete="off">
</div>
<p class="actions"><button class="button">Become the owner</button></p>
</form>
</div>`

/** `/sign-in/link`: the token comes from the fragment by script, or is pasted. */
export const linkView = (serverName: string): Page => ({
  title: 'Sign in',
  script: '/sign-in-link.js',
  body: html`<div class="card">
<h1>Sign in to ${serverName}</h1>
<p class="lead">This signs in this browser. The link works once.</p>
${linkForm()}
</div>`,
})

/** Shown after a link was used: the app that waits is in another tab. */
export const signedInView = (name: string, { offersPasskey }: { readonly offersPasskey: boolean }): Page => ({
  title: 'Signed in',
  body: html`<div class="card">
<h1>You are signed in as ${name}</h1>
<p>If an app is waiting in another tab, go back to it and choose “I have signed in, go on”.</p>
${
  offersPasskey &&
  html`<h2>Next time without a link</h2>
<p>Add a passkey, and this device signs you in with your fingerprint, your face or its PIN.</p>`
}
<p class="actions">${offersPasskey && html`<a class="button button-primary" href="/sign-in/passkey/new">Add a passkey</a>`}<a class="button${offersPasskey ? '' : ' button-primary'}" href="/dashboard">See your connections</a></p>
</div>`,
})

const linkRefusals: Readonly<Record<LinkRefusal, { readonly title: string; readonly why: Html }>> = {
  unreadable: {
    title: 'This sign-in link cannot be read',
    why: html`<p>It is cut short, changed, or was made for another server.</p>`,
  },
  expired: {
    title: 'This sign-in link has expired',
    why: html`<p>A link works for 15 minutes.</p>`,
  },
  used: {
    title: 'This sign-in link was already used',
    why: html`<p>A link works once. If it was you, this browser may be signed in already: <a href="/dashboard">see your connections</a>. If it was not, tell the person who runs this server.</p>`,
  },
}

/** What a person quotes when they ask for help: it stands in the log as well. */
export interface Quote {
  readonly rule: string
  readonly requestId: string
}

const quoteLine = ({ rule, requestId }: Quote) =>
  html`<p class="muted">Rule <span class="code">${rule}</span> Code <span class="code">${requestId}</span></p>`

/** A link that signs nobody in: which fault it has and how to get another. */
export function linkRefusedView(refusal: LinkRefusal, requestId: string): Page {
  const { title, why } = linkRefusals[refusal]
  return {
    title,
    status: 400,
    body: html`<div class="card">
<h1>${title}</h1>
${why}
<p>For a new link run ${NEW_LINK} where this server is installed, or ask the person who runs it.</p>
<p class="actions"><a class="button" href="/sign-in">Back to sign-in</a></p>
${quoteLine({ rule: `link_${refusal}`, requestId })}
</div>`,
  }
}

/** An answer that tells in two sentences what happened and leads back. */
export interface Refusal {
  readonly title: string
  readonly status: number
  readonly sentences: readonly string[]
  readonly back?: { readonly href: string; readonly label: string }
  readonly headers?: Readonly<Record<string, string>>
}

export const refusalView = (
  { title, status, sentences, back, headers = {} }: Refusal,
  quote: Quote,
): Page => ({
  title,
  status,
  headers,
  body: html`<div class="card">
<h1>${title}</h1>
${sentences.map((sentence) => html`<p>${sentence}</p>`)}
${back && html`<p class="actions"><a class="button" href="${back.href}">${back.label}</a></p>`}
${quoteLine(quote)}
</div>`,
})
