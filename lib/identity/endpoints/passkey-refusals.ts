import type { Page } from '#lib/http/page'
import { type Refusal, refusalView } from '#lib/identity/pages'

/** What people are told. Everything that tells something about accounts is `not_accepted`. */
export type PasskeyRefusal = 'not_sent' | 'expired' | 'copied' | 'not_accepted' | 'too_many_attempts'

const RETRY_SECONDS = 60

const words: Readonly<Record<PasskeyRefusal, Omit<Refusal, 'back'>>> = {
  not_sent: {
    title: 'No passkey was sent',
    status: 400,
    sentences: [
      'Passkeys need JavaScript in this browser. Without it, sign in with a link or a recovery code.',
    ],
  },
  expired: {
    title: 'The page was open too long',
    status: 400,
    sentences: [
      'A passkey is asked for anew every few minutes, by the browser that answers. Nobody was signed in: go back and choose your passkey again.',
    ],
  },
  copied: {
    title: 'This passkey may have been copied',
    status: 403,
    sentences: [
      'It was used somewhere else since this device last used it. Nobody was signed in now.',
      'Sign in with a link, a recovery code or another passkey. If it was not you who used it, remove it on your account page and sign out everywhere.',
    ],
  },
  not_accepted: {
    title: 'This passkey was not accepted',
    status: 400,
    sentences: [
      'It may have been removed from the account, or made when this server had another address. Nobody was signed in.',
      'Choose another passkey, or sign in with a link or a recovery code.',
    ],
  },
  too_many_attempts: {
    title: 'Too many attempts',
    status: 429,
    sentences: ['Wait a minute, then try again.'],
    headers: { 'Retry-After': String(RETRY_SECONDS) },
  },
}

interface Quoted {
  readonly requestId: string
  /** An app waits: the way back leads to it. */
  readonly rt: string | undefined
}

/** Says why nobody was signed in by a passkey, and leads back to the ways that are left. */
export const passkeyRefused = (refusal: PasskeyRefusal, { requestId, rt }: Quoted): Page =>
  refusalView({ ...words[refusal], back: backTo(rt) }, { rule: `passkey_${refusal}`, requestId })

/** The sign-in page, with the request of the app that waits. */
export const backTo = (rt: string | undefined): { readonly href: string; readonly label: string } => ({
  href: rt === undefined ? '/sign-in' : `/sign-in?rt=${encodeURIComponent(rt)}`,
  label: 'Back to sign-in',
})
