import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { receiveForm } from '#lib/identity/endpoints/form'
import { goOn } from '#lib/identity/endpoints/go-on'
import { SIGNED_IN, signIn } from '#lib/identity/endpoints/sign-in-link'
import { type Refusal, refusalView } from '#lib/identity/pages'
import { createSetupCode } from '#lib/identity/setup-code'

const RETRY_SECONDS = 60

/** `POST /sign-in/setup-code`: makes the first person who knows the code the owner, while there is none. */
export function setupCode(context: IdentityContext): IdentityEndpoint {
  const { accounts, ownerSetupCode, clock, draw, log } = context
  const check = ownerSetupCode === undefined ? undefined : createSetupCode(ownerSetupCode, clock)

  return byMethod({
    async POST(request, exchange) {
      const { requestId } = exchange
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const refuse = (reason: keyof typeof refusals) => {
        log('warn', 'setup_code_refused', { requestId, reason })
        return draw(refusalView(refusals[reason], { rule: `setup_code_${reason}`, requestId }))
      }

      if (!check) return refuse('not_offered')
      const verdict = await check(form.value.get('code') ?? '')
      if (verdict !== 'right') return refuse(verdict)
      if (await accounts.hasOwner()) return refuse('owned')

      const found = await accounts.owner()
      // Somebody else became the owner in between: the code is no way into their account.
      if (!found.created) return refuse('owned')
      return signIn(context, {
        request,
        requestId,
        found,
        how: 'setup_code',
        next: goOn(form.value.get('rt'), SIGNED_IN),
      })
    },
  })
}

const back = { href: '/sign-in', label: 'Back to sign-in' }

const refusals = {
  not_offered: {
    title: 'This server has no setup code',
    status: 400,
    sentences: ['Sign in with a link instead.'],
    back,
  },
  wrong: {
    title: 'This is not the setup code',
    status: 400,
    sentences: ['It is the value of OWNER_SETUP_CODE on the server. Copy it whole and try again.'],
    back,
  },
  too_many_attempts: {
    title: 'Too many attempts',
    status: 429,
    sentences: ['Wait a minute, then try again.'],
    back,
    headers: { 'Retry-After': String(RETRY_SECONDS) },
  },
  owned: {
    title: 'This server has an owner already',
    status: 400,
    sentences: [
      'The setup code works only while nobody owns the server.',
      'If you are the owner, run “npm run gatehouse -- sign-in-link” with the settings of this server.',
    ],
    back,
  },
} satisfies Record<string, Refusal>
