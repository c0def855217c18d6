import { z } from 'zod'
import { err, ok } from '#lib/core/result'
import type { Check } from '#lib/store/check'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import { parseRecord } from '#lib/store/record'

/**
 * A person who may sign in. The id is random; the name stands here and nowhere else. Only the state `active`
 * admits: one that a later release adds must not be admitted by this one.
 */
export const accountSchema = z.looseObject({
  v: z.literal(1),
  id: z.string(),
  role: z.string(),
  name: z.string(),
  state: z.string(),
  /** Rises when every connection and personal token of the account must end. */
  epoch: z.int().nonnegative(),
  /** Rises when every browser session of the account must end; absent: 0. */
  sessionEpoch: z.int().nonnegative().optional(),
  /** Milliseconds. */
  createdAt: z.int(),
})

export type Account = z.output<typeof accountSchema>

/** Whether an account admits what was given to an app under `epoch`. */
export const admits = (account: Account | undefined, epoch: number): account is Account =>
  account?.state === 'active' && account.epoch === epoch

/** Whether an account admits a browser session that began under `sessionEpoch`; absent means 0 on both sides. */
export const admitsSession = (
  account: Account | undefined,
  session: { readonly sessionEpoch?: number | undefined },
): account is Account =>
  account?.state === 'active' && (account.sessionEpoch ?? 0) === (session.sessionEpoch ?? 0)

/** Roles that this release does not know have no more rights than a member. */
export const roleOf = (account: Account): 'owner' | 'member' =>
  account.role === 'owner' ? 'owner' : 'member'

/**
 * Checks that an account still admits what was given under `epoch`: a connection, a token. Runs in the one
 * request of a call, and reads from the leader, so that an ending counts at once.
 */
export function accountCheck(
  accountId: string,
  epoch: number,
): Check<'get', { readonly name: string }, 'account_ended'> {
  return {
    operation: get(keys.account(accountId), { fresh: true }),
    decide(text) {
      const account = text === null ? undefined : parseRecord(accountSchema, text)
      return admits(account, epoch) ? ok({ name: account.name }) : err('account_ended')
    },
  }
}
