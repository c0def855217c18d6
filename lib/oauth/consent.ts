import { z } from 'zod'
import { clientRecord } from '#lib/oauth/client'

/**
 * An authorization request that waits for its person's answer. All that the answer means stands here, and
 * nothing of it comes from the form (OAUTH.md §1.5).
 */
export const consentTransaction = z.looseObject({
  v: z.literal(1),
  /** The browser session that may answer. */
  sessionHash: z.string(),
  accountId: z.string(),
  epoch: z.number(),
  client: clientRecord,
  redirectUri: z.string(),
  rawState: z.string().optional(),
  scopes: z.array(z.string()),
  codeChallenge: z.string(),
  /** The request's query, so that the person can change accounts and come back. */
  query: z.string(),
  /** The request that carried the answer; absent while there is none. */
  decidedBy: z.string().optional(),
})
export type ConsentTransaction = z.output<typeof consentTransaction>

/** A transaction with the text it was read from: the answer is committed against that. */
export interface WaitingTransaction {
  readonly id: string
  readonly text: string
  readonly transaction: ConsentTransaction
}

/** What a person answered. */
export type ConsentDecision =
  | { readonly decision: 'deny' }
  | { readonly decision: 'allow'; readonly scopes: readonly string[] }

/**
 * The answer in a form: `undefined` when it says neither, `none_chosen` when every permission was unticked.
 * `listed` says that the form offered a choice; without it and without any `scope` all that was asked is meant.
 */
export function readConsentDecision(
  form: URLSearchParams,
  asked: readonly string[],
): ConsentDecision | 'none_chosen' | undefined {
  const [decision, ...more] = form.getAll('decision')
  if (more.length > 0) return undefined
  if (decision === 'deny') return { decision }
  if (decision !== 'allow') return undefined

  const ticked = form.getAll('scope')
  const offered = form.has('listed') || ticked.length > 0
  const scopes = offered ? asked.filter((name) => ticked.includes(name)) : asked
  return scopes.length > 0 ? { decision, scopes } : 'none_chosen'
}
