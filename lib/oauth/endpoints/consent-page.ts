import { CONSENT_MEMORY_DAYS } from '#lib/config/limits'
import type { SignedIn } from '#lib/core/signed-in'
import { type Html, html } from '#lib/http/html'
import { pageResponse } from '#lib/http/page'
import type { ClientRecord } from '#lib/oauth/client'
import { readClientIdUrl } from '#lib/oauth/client-id-url'
import type { ConsentTransaction } from '#lib/oauth/consent'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { isRemembered } from '#lib/oauth/endpoints/remembered-consent'
import { type RedirectKind, redirectHost, redirectKind } from '#lib/oauth/redirect-uri'
import type { Scope } from '#lib/oauth/scope'

/** What the consent page shows. */
export interface ConsentView {
  readonly id: string
  readonly csrf: string
  readonly transaction: ConsentTransaction
  readonly user: SignedIn
  /** The person allowed without leaving a permission ticked. */
  readonly noneChosen?: boolean
}

const hidden = (name: string, value: string) => html`<input type="hidden" name="${name}" value="${value}">`

/**
 * Who asks, for what, as whom, and where the answer goes (OAUTH.md §1.5). Works without JavaScript. Names
 * are the client's own words, so they stand isolated: their writing direction cannot turn the sentence.
 */
export function consentPage(view: ConsentView, deps: OAuthDeps): Response {
  const { transaction, id, csrf } = view
  const { client } = transaction
  const kind = redirectKind(transaction.redirectUri) ?? 'private-use'
  const body = html`<div class="card">
<h1><bdi>${client.name}</bdi> wants to ${transaction.held ? 'do more with' : 'use'} ${deps.serverName} as you</h1>
${accountLine(view)}
${view.noneChosen && html`<div class="notice notice-careful" role="alert"><p>Choose at least one ${view.transaction.held ? 'new permission' : 'permission'}, or deny.</p></div>`}
<form method="post" action="/oauth/consent">
${hidden('tx', id)}${hidden('csrf', csrf)}<input type="checkbox" name="listed" value="scopes" checked hidden>
${permissions(transaction, deps.scopes)}
${publisher(client)}
<p>You will return to <strong class="mono">${redirectHost(transaction.redirectUri)}</strong> ${standing(client)}</p>
${caution(kind)}
${isRemembered(transaction, deps) && html`<p class="muted">Your answer is remembered for ${CONSENT_MEMORY_DAYS} days. Ending the connection forgets it.</p>`}
<p class="actions">${buttons(kind)}</p>
</form>
${details(transaction, deps.resource)}
</div>`
  return pageResponse(
    { title: `Connect ${client.name}`, body, status: view.noneChosen ? 400 : 200 },
    { name: deps.serverName, version: deps.version },
  )
}

/** A link, not a form: this page has one form, and nothing in it can be mistaken for another's. */
const accountLine = ({ id, user }: ConsentView): Html =>
  html`<p class="muted">You are <strong><bdi>${user.name}</bdi></strong>. <a href="/oauth/consent?tx=${id}&amp;switch=account">Not you?</a></p>`

/** Only what is new to the app is a question; what it may do already stands below, in words. */
function permissions({ scopes: asked, held = [] }: ConsentTransaction, scopes: readonly Scope[]): Html {
  const fresh = asked.filter((name) => !held.includes(name))
  return html`<fieldset><legend>${held.length > 0 ? 'New: it may then also' : 'It may then'}</legend>
<ul class="permissions">${fresh.map((name) => permission(name, scopes))}</ul></fieldset>
${
  held.length > 0 &&
  html`<section class="held"><h2>Already allowed</h2>
<ul class="permissions">${held.map((name) => html`<li>${sentenceOf(name, scopes)}</li>`)}</ul></section>`
}`
}

const sentenceOf = (name: string, scopes: readonly Scope[]) =>
  scopes.find((known) => known.name === name)?.sentence ?? name

function permission(name: string, scopes: readonly Scope[]): Html {
  const scope = scopes.find((known) => known.name === name)
  const included = scopes.filter((known) => scope?.includes.includes(known.name))
  return html`<li><label><input type="checkbox" name="scope" value="${name}" checked>
<span>${sentenceOf(name, scopes)}${
    included.length > 0 &&
    html` <small>Includes: ${included.map((known) => known.sentence.toLowerCase()).join(', ')}</small>`
  }</span></label></li>`
}

/** The host vouches for the name and for where the answer goes, not for the program that asked on a computer. */
function publisher({ kind, id }: ClientRecord): Html | undefined {
  if (kind !== 'metadata_document') return undefined
  const host = readClientIdUrl(id)?.host ?? ''
  return html`<p>The app is named by <strong class="mono">${host}</strong> <span class="badge badge-good">verified by its domain</span></p>`
}

function standing({ kind, verified }: ClientRecord): Html | undefined {
  if (kind === 'metadata_document') return undefined
  return verified
    ? html`<span class="badge badge-good">registered by who runs this server</span>`
    : html`<span class="badge badge-careful">registered itself, unverified</span>`
}

const registeredBy = (kind: string): string =>
  kind === 'metadata_document' ? 'at the address that is its client id' : 'by who runs this server'

function caution(kind: RedirectKind): Html | undefined {
  if (kind === 'https') return undefined
  return html`<div class="notice notice-careful"><p>${
    kind === 'loopback'
      ? 'The answer goes to a program on this computer (localhost only). Any program here can ask under any name, so allow this only if you started it yourself just now.'
      : 'The answer opens an app on this device. Any app can claim such a link, so allow this only if you started it in that app just now.'
  }</p></div>`
}

/** Of equal size. Where care is due, Deny comes first in the order of the keyboard. */
function buttons(kind: RedirectKind): readonly Html[] {
  const allow = html`<button class="button button-primary" name="decision" value="allow">Allow</button>`
  const deny = html`<button class="button" name="decision" value="deny">Deny</button>`
  return kind === 'https' ? [allow, deny] : [deny, allow]
}

const details = (
  { client, redirectUri, scopes }: ConsentTransaction,
  resource: string,
): Html => html`<details class="more">
<summary>Details</summary>
<dl class="facts">
<div><dt>Client id</dt><dd class="mono">${client.id}</dd></div>
<div><dt>Redirect URI</dt><dd class="mono">${redirectUri}</dd></div>
<div><dt>Resource</dt><dd class="mono">${resource}</dd></div>
<div><dt>Scopes</dt><dd class="mono">${scopes.join(' ')}</dd></div>
<div><dt>Registered</dt><dd>${client.kind === 'dynamic' ? 'by itself (dynamic client registration)' : registeredBy(client.kind)}</dd></div>
</dl>
</details>`

/** Leads to sign-in as somebody else, who then finds the same request. */
export function switchAccountPage(
  view: {
    readonly id: string
    readonly user: SignedIn
    /** The request, sealed. */
    readonly rt: string
    readonly signOutFields: Readonly<Record<string, string>>
  },
  deps: OAuthDeps,
): Response {
  const body = html`<div class="card">
<h1>Go on as somebody else</h1>
<p>This browser is signed in as <strong><bdi>${view.user.name}</bdi></strong>. Sign out, sign in again, and you find the same request.</p>
<form method="post" action="/sign-out">
${hidden('rt', view.rt)}${Object.entries(view.signOutFields).map(([name, value]) => hidden(name, value))}
<p class="actions"><button class="button button-primary">Sign out and go on</button>
<a class="button" href="/oauth/consent?tx=${view.id}">Back</a></p>
</form>
</div>`
  return pageResponse({ title: 'Switch accounts', body }, { name: deps.serverName, version: deps.version })
}
