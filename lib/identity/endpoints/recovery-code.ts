import { RECOVERY_ATTEMPTS_ALL_PER_MINUTE, RECOVERY_ATTEMPTS_PER_MINUTE } from '#lib/config/limits'
import type { Account } from '#lib/identity/account'
import { createAttemptLimit } from '#lib/identity/attempt-limit'
import {
  byMethod,
  type IdentityContext,
  type IdentityEndpoint,
} from '#lib/identity/endpoints/endpoint-context'
import { receiveForm } from '#lib/identity/endpoints/form'
import { goOn } from '#lib/identity/endpoints/go-on'
import { backTo } from '#lib/identity/endpoints/passkey-refusals'
import { signIn } from '#lib/identity/endpoints/sign-in-link'
import { type Refusal, refusalView } from '#lib/identity/pages'
import { matchCode, readCode, spendCode } from '#lib/identity/recovery-codes'
import { editWaysIn, readWaysIn } from '#lib/identity/ways-in'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'

/** `POST /sign-in/recovery-code` with `code` and `rt`: signs in once with each of a person's ten codes. */
export function recoveryCode(context: IdentityContext): IdentityEndpoint {
  const { clock, draw, log, callerOf = () => undefined } = context
  const mayTry = createAttemptLimit({
    clock,
    callerOf,
    each: RECOVERY_ATTEMPTS_PER_MINUTE,
    all: RECOVERY_ATTEMPTS_ALL_PER_MINUTE,
  })

  return byMethod({
    async POST(request, exchange) {
      const { requestId } = exchange
      const form = await receiveForm(context, request, exchange)
      if (!form.ok) return form.error
      const rt = form.value.get('rt')
      const refuse = (reason: keyof typeof words) => {
        log('warn', 'recovery_code_refused', { requestId, reason })
        const refusal: Refusal = { ...words[reason], back: backTo(rt) }
        return draw(refusalView(refusal, { rule: `recovery_code_${reason}`, requestId }))
      }

      if (!mayTry(request)) return refuse('too_many_attempts')
      const account = await holderOf(context, form.value.get('code') ?? '')
      if (!account) return refuse('not_accepted')
      return signIn(context, {
        request,
        requestId,
        found: { account, created: false },
        how: 'recovery_code',
        next: goOn(rt, '/dashboard/account?recovered=1'),
      })
    },
  })
}

/** Whose code it is; it is used up then. Whatever is wrong with it, the answer is the same. */
async function holderOf(context: IdentityContext, typed: string): Promise<Account | undefined> {
  const { store, accounts, keyRing, random } = context
  const read = await readCode(typed)
  const accountId = read && (await store.run(get(keys.recoveryCodes(read.set), { fresh: true })))
  if (!read || typeof accountId !== 'string') return undefined

  const [account, { recovery }] = await Promise.all([accounts.find(accountId), readWaysIn(store, accountId)])
  if (!account || recovery?.set !== read.set) return undefined
  const mac = await matchCode(keyRing, { accountId, code: read.code, left: recovery.left })
  if (!mac) return undefined
  const attempt = random(16)
  const used = await editWaysIn(context, accountId, (current) =>
    spendCode(current, { set: read.set, mac: mac.mac, attempt }),
  )
  return used ? account : undefined
}

const words = {
  not_accepted: {
    title: 'This recovery code was not accepted',
    status: 400,
    sentences: [
      'Each code works once, and only those of the newest set do. Check what you typed, or try another.',
      'Without one, sign in with a passkey or a link.',
    ],
  },
  too_many_attempts: {
    title: 'Too many attempts',
    status: 429,
    sentences: ['Wait a minute, then try again.'],
    headers: { 'Retry-After': '60' },
  },
} satisfies Record<string, Refusal>
