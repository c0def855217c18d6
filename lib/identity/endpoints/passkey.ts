import {
  PASSKEY_ATTEMPTS_ALL_PER_MINUTE,
  PASSKEY_ATTEMPTS_PER_MINUTE,
  PASSKEY_BROWSER_SECONDS,
} from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import { cookie, cookieName, readCookie } from '#lib/http/cookies'
import { NO_STORE } from '#lib/http/headers'
import { isSameOrigin } from '#lib/http/same-origin'
import type { Account } from '#lib/identity/account'
import { createAttemptLimit } from '#lib/identity/attempt-limit'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { type Fields, receiveForm } from '#lib/identity/endpoints/form'
import { goOn } from '#lib/identity/endpoints/go-on'
import { type PasskeyRefusal, passkeyRefused } from '#lib/identity/endpoints/passkey-refusals'
import { signIn } from '#lib/identity/endpoints/sign-in-link'
import {
  type Assertion,
  accountIdOf,
  type CeremonyFault,
  type PasskeyUse,
  readAssertion,
  requestOptions,
  verifyUse,
} from '#lib/identity/passkey-ceremony'
import { consumeChallenge, makeChallenge, openChallenge } from '#lib/identity/passkey-challenge'
import { noteUse, type UseVerdict } from '#lib/identity/passkey-use'
import { editWaysIn, type Passkey, readWaysIn } from '#lib/identity/ways-in'

/** Binds a challenge to a browser that has no session. 256 random bits as base64url. */
const COOKIE = 'passkey'
const isBinding = (value: string | undefined): value is string => /^[\w-]{43}$/.test(value ?? '')

/**
 * `POST /sign-in/passkey/options`: what the browser needs to ask for a passkey, as JSON. The same for everybody
 * and without the store: it tells nothing about who has a passkey.
 */
export function passkeyOptions(context: IdentityContext): IdentityEndpoint {
  const { origin, secure, random, passkeyRpId: rpId } = context
  const name = cookieName(COOKIE, secure)

  return byMethod({
    async POST(request) {
      if (rpId === undefined) return Response.json({ error: 'not_found' }, { status: 404, headers: NO_STORE })
      if (!isSameOrigin(request, origin))
        return Response.json({ error: 'forbidden' }, { status: 403, headers: NO_STORE })
      const kept = readCookie(request, name)
      const binding = isBinding(kept) ? kept : random(32)
      const { challenge, state } = await makeChallenge(context, 'get', binding)
      const setCookie = cookie(name, binding, { maxAgeSeconds: PASSKEY_BROWSER_SECONDS, secure })
      return Response.json(
        { options: requestOptions(challenge, { rpId, origin }), state },
        { headers: { ...NO_STORE, 'Set-Cookie': setCookie } },
      )
    },
  })
}

/** `POST /sign-in/passkey` with `state`, `credential` and `rt`: signs in whoever proves to hold a passkey. */
export function passkey(context: IdentityContext): IdentityEndpoint {
  const { clock, draw, log, callerOf = () => undefined } = context
  const mayTry = createAttemptLimit({
    clock,
    callerOf,
    each: PASSKEY_ATTEMPTS_PER_MINUTE,
    all: PASSKEY_ATTEMPTS_ALL_PER_MINUTE,
  })

  return byMethod({
    async POST(request, exchange) {
      const { requestId } = exchange
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const rt = form.value.get('rt')
      const refuse = (refusal: PasskeyRefusal, reason: string) => {
        log('warn', 'passkey_refused', { requestId, reason })
        return draw(passkeyRefused(refusal, { requestId, rt }))
      }
      if (!mayTry(request)) return refuse('too_many_attempts', 'too_many_attempts')

      const proven = await prove(context, request, form.value)
      if (!proven.ok) {
        const { error } = proven
        const isPublic = error === 'not_sent' || error === 'expired' || error === 'copied'
        return refuse(isPublic ? error : 'not_accepted', error)
      }
      return signIn(context, {
        request,
        requestId,
        found: { account: proven.value, created: false },
        how: 'passkey',
        next: goOn(rt, '/dashboard'),
      })
    },
  })
}

/** The first three are told to the person; of the others nobody learns which it was. */
type Refused =
  | 'not_sent'
  | 'expired'
  | 'copied'
  | 'used'
  | 'unknown'
  | 'gone'
  | 'other_address'
  | CeremonyFault

/** Whose passkey answered. Nothing is written before the signature is right. */
async function prove(
  context: IdentityContext,
  request: Request,
  form: Fields,
): Promise<Result<Account, Refused>> {
  const { origin, passkeyRpId: rpId } = context
  const sent = form.get('credential')
  if (rpId === undefined || sent === undefined) return err('not_sent')
  const challenge = await challengeOf(context, request, form)
  if (challenge === undefined) return err('expired')
  const assertion = readAssertion(sent)
  if (!assertion) return err('malformed')

  const held = await find(context, assertion)
  if (!held) return err('unknown')
  if (held.passkey.rpId !== rpId) return err('other_address')
  const use = await verifyUse({ assertion, passkey: held.passkey, challenge }, { rpId, origin })
  if (!use.ok) return use
  const verdict = await note(context, held, { ...use.value, challenge })
  return verdict === 'accepted' ? ok(held.account) : err(verdict)
}

/** The challenge that this browser was given, while it lives. */
async function challengeOf(context: IdentityContext, request: Request, form: Fields) {
  const binding = readCookie(request, cookieName(COOKIE, context.secure))
  if (!isBinding(binding)) return undefined
  return openChallenge(context, form.get('state') ?? '', { ceremony: 'get', binding })
}

/** Spends the challenge of a proven use and notes the use. */
async function note(
  context: IdentityContext,
  { account, passkey }: Held,
  use: PasskeyUse & { readonly challenge: string },
): Promise<UseVerdict | 'used'> {
  if (!(await consumeChallenge(context, use.challenge))) return 'used'
  const now = context.clock()
  const verdict = await editWaysIn(context, account.id, (current) =>
    noteUse(current, { ...use, ref: passkey.ref, now }),
  )
  if (verdict === 'copied') await context.audit({ event: 'passkey_copy_seen', accountId: account.id })
  return verdict
}

interface Held {
  readonly account: Account
  readonly passkey: Passkey
}

/** The credential must be one of the account that its user handle names (WebAuthn §7.2). */
async function find({ store, accounts }: IdentityContext, assertion: Assertion): Promise<Held | undefined> {
  const accountId = accountIdOf(assertion)
  if (accountId === undefined || assertion.id !== assertion.rawId) return undefined
  const [account, { passkeys }] = await Promise.all([accounts.find(accountId), readWaysIn(store, accountId)])
  const passkey = passkeys.find(({ id }) => id === assertion.id)
  return account && passkey && { account, passkey }
}
