import type { SignedIn } from '#lib/core/signed-in'
import { seeOther } from '#lib/http/redirect'
import { browserName } from '#lib/identity/browser-name'
import { checkCsrf, csrfOf } from '#lib/identity/csrf'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { type Fields, receiveForm } from '#lib/identity/endpoints/form'
import type { OwnAccount } from '#lib/identity/own-account'
import { type Refusal, refusalView } from '#lib/identity/pages'
import { creationOptions, verifyCreation } from '#lib/identity/passkey-ceremony'
import { consumeChallenge, makeChallenge, openChallenge } from '#lib/identity/passkey-challenge'
import { newPasskeyView } from '#lib/identity/passkey-pages'
import { readWaysIn } from '#lib/identity/ways-in'

/** What a CSRF token of this form is good for. */
const NEW_PASSKEY = 'new-passkey'

/**
 * `/sign-in/passkey/new`, for somebody who is signed in: GET draws the form, POST with `name`, `state`,
 * `credential` and `csrf` keeps the passkey and leads to the account page.
 */
export function newPasskey(context: IdentityContext & { readonly own: OwnAccount }): IdentityEndpoint {
  const { sessions, keyRing, draw, passkeyRpId: rpId } = context

  return byMethod({
    async GET(request, { requestId }) {
      const user = await sessions.read(request)
      if (!user) return seeOther('/sign-in')
      if (rpId === undefined) return draw(refusalOf('no_host_name', requestId))
      const name = browserName(request.headers.get('user-agent'))
      return draw(newPasskeyView({ rpId, name, ...(await offer(context, user, rpId)) }))
    },

    async POST(request, exchange) {
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const user = await sessions.read(request)
      if (!user) return seeOther('/sign-in')
      const csrf = { purpose: NEW_PASSKEY, token: form.value.get('csrf') }
      const outcome = (await checkCsrf(keyRing, user, csrf)) ? await keep(context, user, form.value) : 'stale'
      if (typeof outcome !== 'string') return seeOther(`/dashboard/account?added=${outcome.ref}`)

      const { requestId } = exchange
      context.log('warn', 'new_passkey_refused', { requestId, reason: outcome })
      return draw(refusalOf(isTold(outcome) ? outcome : 'not_accepted', requestId))
    },
  })
}

async function offer(context: IdentityContext, user: SignedIn, rpId: string) {
  const { origin, serverName, store, keyRing } = context
  const [{ challenge, state }, { passkeys }, csrf] = await Promise.all([
    makeChallenge(context, 'create', user.sessionHash),
    readWaysIn(store, user.accountId),
    csrfOf(keyRing, user, NEW_PASSKEY),
  ])
  const known = passkeys.filter((passkey) => passkey.rpId === rpId)
  const account = { id: user.accountId, name: user.name }
  const options = creationOptions({ challenge, serverName, account, known }, { rpId, origin })
  return { options, state, csrf }
}

/** Keeps a new credential, or says why not as a word for the log. */
async function keep(
  context: IdentityContext & { readonly own: OwnAccount },
  user: SignedIn,
  form: Fields,
): Promise<{ readonly ref: string } | string> {
  const { passkeyRpId: rpId, origin } = context
  const credential = form.get('credential')
  if (rpId === undefined || credential === undefined) return 'not_sent'
  const challenge = await openChallenge(context, form.get('state') ?? '', {
    ceremony: 'create',
    binding: user.sessionHash,
  })
  if (challenge === undefined) return 'expired'

  const verified = await verifyCreation(credential, challenge, { rpId, origin })
  if (!verified.ok) return verified.error
  if (!(await consumeChallenge(context, challenge))) return 'expired'
  const added = await context.own.addPasskey(user, {
    credential: verified.value,
    name: form.get('name') ?? '',
  })
  return added.ok ? added.value : added.error
}

const again = { href: '/sign-in/passkey/new', label: 'Try again' }
const account = { href: '/dashboard/account', label: 'Back to your account' }

const refusals = {
  stale: {
    title: 'No passkey was added',
    status: 403,
    sentences: ['The page was open too long, or you signed in again since.'],
    back: again,
  },
  expired: {
    title: 'No passkey was added',
    status: 400,
    sentences: [
      'The page was open too long, or it was sent before. Your device may list a passkey that does not work: delete it there.',
    ],
    back: again,
  },
  not_sent: {
    title: 'No passkey was added',
    status: 400,
    sentences: ['Passkeys need JavaScript in this browser.'],
    back: account,
  },
  name_invalid: {
    title: 'No passkey was added',
    status: 400,
    sentences: [
      'It needs a name of 1 to 64 visible characters. Your device may list a passkey that does not work: delete it there.',
    ],
    back: again,
  },
  too_many: {
    title: 'No passkey was added',
    status: 409,
    sentences: ['You have as many passkeys as one person can have. Remove those that you no longer use.'],
    back: account,
  },
  already_there: {
    title: 'No passkey was added',
    status: 409,
    sentences: ['This passkey is in your list already.'],
    back: account,
  },
  no_host_name: {
    title: 'Passkeys do not work here',
    status: 400,
    sentences: [
      'This server is reached at an IP address, and browsers make passkeys for host names only. The person who runs it can give it one: on this computer localhost, else a name of its own.',
    ],
    back: account,
  },
  not_accepted: {
    title: 'No passkey was added',
    status: 400,
    sentences: [
      'What the browser sent could not be verified: it must be made at this address, and the device must check that it is you (fingerprint, face or PIN).',
    ],
    back: again,
  },
} satisfies Record<string, Refusal>

const isTold = (reason: string): reason is keyof typeof refusals => Object.hasOwn(refusals, reason)

const refusalOf = (reason: keyof typeof refusals, requestId: string) =>
  refusalView(refusals[reason], { rule: `new_passkey_${reason}`, requestId })
