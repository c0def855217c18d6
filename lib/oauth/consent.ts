import { z } from 'zod'
import { type ClientRecord, clientRecord } from '#lib/oauth/client'
import { type Scope, withIncluded } from '#lib/oauth/scope'

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
  /** The client's epoch when it asked; absent: 0. What was asked before an ending is not allowed after it. */
  clientEpoch: z.number().optional(),
  redirectUri: z.string(),
  rawState: z.string().optional(),
  scopes: z.array(z.string()),
  /** Those of `scopes` that the app may use already, when others are new (step-up); else absent. */
  held: z.array(z.string()).optional(),
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
  | {
      readonly decision: 'allow'
      readonly scopes: readonly string[]
      /** Answered earlier, and now not asked. */
      readonly remembered?: boolean
    }

/**
 * Those of the scopes asked for that an app may use already, when the others are new to it: then only these
 * are a question. Nothing when all or none are.
 *
 * @param allowed - scopes of the connections that the app has
 */
export function heldAmong(
  asked: readonly string[],
  allowed: readonly string[],
  scopes: readonly Scope[],
): readonly string[] {
  const covered = withIncluded(allowed, scopes)
  const held = asked.filter((name) => covered.has(name))
  return held.length < asked.length ? held : []
}

/**
 * Whether an app that asks is, to a person, one that is connected already. The key of a self-registered app
 * says only where it runs, and on this machine any program can take a name and a loopback redirect: only an
 * https redirect shows that it is the same.
 */
export const isSameApp = (
  asking: AppIdentity & { readonly redirectUris: readonly string[] },
  connected: AppIdentity,
): boolean =>
  asking.key === connected.key &&
  (asking.kind !== 'dynamic' || (asking.name === connected.name && comesBackByHttps(asking)))

type AppIdentity = Pick<ClientRecord, 'kind' | 'key' | 'name'>

const comesBackByHttps = ({ redirectUris }: { readonly redirectUris: readonly string[] }) =>
  redirectUris.every((uri) => uri.startsWith('https://'))

/**
 * The answer in a form: `undefined` when it says neither, `none_chosen` when every permission was unticked.
 * `listed` says that the form offered a choice; without it and without any `scope` all that was asked is meant.
 * What the app may do already was no question, so it stays.
 */
export function readConsentDecision(
  form: URLSearchParams,
  { scopes: asked, held = [] }: Pick<ConsentTransaction, 'scopes' | 'held'>,
): ConsentDecision | 'none_chosen' | undefined {
  const [decision, ...more] = form.getAll('decision')
  if (more.length > 0) return undefined
  if (decision === 'deny') return { decision }
  if (decision !== 'allow') return undefined

  const ticked = form.getAll('scope')
  const offered = form.has('listed') || ticked.length > 0
  const chosen = asked.filter((name) => !held.includes(name) && (!offered || ticked.includes(name)))
  if (chosen.length === 0) return 'none_chosen'
  return { decision, scopes: asked.filter((name) => held.includes(name) || chosen.includes(name)) }
}
