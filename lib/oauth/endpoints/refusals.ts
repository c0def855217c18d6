import type { UntoldRefusal } from '#lib/oauth/authorization-request'
import type { DocumentRefusal } from '#lib/oauth/endpoints/client-documents'

/** Refusals of the consent form, and of anything before it. */
export type ConsentRefusal =
  | 'answer_used'
  | 'answer_unreadable'
  | 'answer_too_long'
  | 'form_foreign'
  | 'form_stale'
  | 'form_not_urlencoded'
  | 'signed_out'
  | 'client_blocked'
  | 'client_changed'
  | 'too_many_requests'
  | 'method_not_allowed'

export type PageRefusal = UntoldRefusal | ConsentRefusal | DocumentRefusal

/** A refusal in words. Never text of the request: a stranger may have written that. */
export interface RefusalWords {
  readonly status: 400 | 403 | 405 | 413 | 415 | 429
  readonly title: string
  /** The rule that refused. */
  readonly rule: string
  /** The step, or the setting by its name, that changes it, and whose it is. */
  readonly remedy: string
}

const startAgain = 'Go back to the app and connect again.'
const connectAnew = 'Remove the connection in the app and add it again, so that the app registers anew.'
const tellMakers = 'Only the makers of the app can change that: tell them the rule and the code below.'
const notYou = 'If you did not start this yourself, close this tab.'

/** Every refusal that a person sees instead of the app. */
export const refusals: Readonly<Record<PageRefusal, RefusalWords>> = {
  request_too_long: {
    status: 400,
    title: 'This request is too long',
    rule: 'A request has at most 6 KiB, and its state at most 4 KiB.',
    remedy: tellMakers,
  },
  request_repeated: {
    status: 400,
    title: 'This request contradicts itself',
    rule: 'The parameters client_id, redirect_uri and state may each stand in a request once: otherwise nobody can tell who asks and where the answer goes.',
    remedy: tellMakers,
  },
  request_unprintable: {
    status: 400,
    title: 'This request cannot be read',
    rule: 'A request must not hold line breaks or NUL characters.',
    remedy: `${tellMakers} ${notYou}`,
  },
  client_id_missing: {
    status: 400,
    title: 'This request does not say which app asks',
    rule: 'A request names its app (client_id).',
    remedy:
      'Begin in the app, not at a bookmark or at a part of a link. If it happens there too, tell its makers.',
  },
  client_unknown: {
    status: 400,
    title: 'This app is not registered here',
    rule: 'The client id of an app is one that this server issued and still accepts.',
    remedy: `${connectAnew} If you run this server and have replaced AUTH_SECRET, put the earlier one into AUTH_SECRETS_OLD: then its apps stay registered.`,
  },
  redirect_uri_missing: {
    status: 400,
    title: 'This request does not say where the answer goes',
    rule: 'An app that registered several redirect URIs names one of them in each request.',
    remedy: tellMakers,
  },
  redirect_uri_unregistered: {
    status: 400,
    title: 'This app asks for the answer at an address it did not register',
    rule: 'The redirect URI is one of those the app registered, character by character. Only the port of a loopback address may differ.',
    remedy: `${notYou} If you did: ${connectAnew}`,
  },
  redirect_uri_private: {
    status: 400,
    title: 'This server opens no apps by a link of their own',
    rule: 'The answer goes only to https addresses and to this computer, not to schemes that an app of the device claims.',
    remedy:
      'The person who runs this server can allow it with STRICT_REDIRECTS=false. Some apps can be set to come back by a loopback address instead.',
  },
  redirect_uri_forbidden: {
    status: 400,
    title: 'This app registered an address that is no longer accepted',
    rule: 'The answer goes to https addresses, to loopback addresses by http, and to schemes of known apps or with a dot in their name.',
    remedy: tellMakers,
  },
  sign_in_needed: {
    status: 400,
    title: 'You are not signed in',
    rule: 'The app asked for an answer without showing you anything (prompt=none), and nobody is signed in here.',
    remedy: 'Connect again from the app in the ordinary way, and sign in when you are asked.',
  },
  request_expired: {
    status: 400,
    title: 'This request has expired',
    rule: 'A request waits 10 minutes for you to sign in.',
    remedy: startAgain,
  },
  answer_used: {
    status: 400,
    title: 'This request was already used',
    rule: 'A request is answered once, within 10 minutes, by the browser and the person it was shown to.',
    remedy: `If the app does not work yet: ${startAgain}`,
  },
  answer_unreadable: {
    status: 400,
    title: 'This answer cannot be read',
    rule: 'The form says either allow or deny, once.',
    remedy: 'Go back and choose one of the two buttons.',
  },
  answer_too_long: {
    status: 413,
    title: 'This answer is too long',
    rule: 'The form has at most 16 KiB.',
    remedy: startAgain,
  },
  form_foreign: {
    status: 403,
    title: 'This answer did not come from our page',
    rule: 'A form is taken only from a page of this server (its Origin).',
    remedy: `${startAgain} If it happens again and again, the address in your browser is not the PUBLIC_URL of this server: tell the person who runs it.`,
  },
  form_stale: {
    status: 403,
    title: 'This answer belongs to another sign-in',
    rule: 'A form is good for one request and for the sign-in it was shown under.',
    remedy: startAgain,
  },
  form_not_urlencoded: {
    status: 415,
    title: 'This answer cannot be read',
    rule: 'A form of this server is sent as application/x-www-form-urlencoded.',
    remedy: startAgain,
  },
  signed_out: {
    status: 403,
    title: 'You are signed out',
    rule: 'An answer is given by somebody who is signed in, and your sign-in has ended.',
    remedy: startAgain,
  },
  client_blocked: {
    status: 403,
    title: 'This app is blocked here',
    rule: 'The person who runs this server has blocked the app, wherever it registers. Its connections have ended.',
    remedy: 'If you need the app, ask them to unblock it.',
  },
  client_id_malformed: {
    status: 400,
    title: 'This app has no usable client id',
    rule: 'A client id that begins with https:// is the address of a document on a public host: with a path, without user name, fragment or dot segments, at most 512 characters.',
    remedy: tellMakers,
  },
  client_host_blocked: {
    status: 400,
    title: 'Apps of this host are not let in',
    rule: 'The person who runs this server chose whose apps may connect by a document of their own.',
    remedy: 'If you need the app, ask them to change CIMD_ALLOW or CIMD_BLOCK.',
  },
  client_document_unavailable: {
    status: 400,
    title: 'This app cannot be looked up',
    rule: 'The app is named by the address of a document, and its host did not give that document to this server.',
    remedy:
      'Try again in a minute. If it happens again, tell the makers of the app: their host may refuse servers in a cloud.',
  },
  client_document_invalid: {
    status: 400,
    title: 'This app describes itself in a way that is not accepted',
    rule: 'The document of an app is a JSON object with its client_id, a client_name, acceptable redirect_uris, a way to authenticate that this server has, and no secret.',
    remedy: tellMakers,
  },
  client_changed: {
    status: 400,
    title: 'This app has changed while you were asked',
    rule: 'Its name and the addresses it returns to are those that the page showed you.',
    remedy: `${startAgain} You are then shown what they are now.`,
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    rule: 'More requests arrive from your network than this server answers before sign-in.',
    remedy:
      'Try again in a few seconds. If it happens to everyone, the person who runs this server checks TRUST_PROXY: behind a proxy all visitors look like one.',
  },
  method_not_allowed: {
    status: 405,
    title: 'This address is opened in a browser',
    rule: 'The request used a method that this page does not answer.',
    remedy: startAgain,
  },
}
