import type { Config } from '#lib/config/env'
import { systemClock } from '#lib/core/clock'
import { err, ok, type Result } from '#lib/core/result'
import { callRateCheck } from '#lib/http/rate-limit'
import type { Identity } from '#lib/identity/identity'
import type { Caller } from '#lib/mcp/define'
import type { Admission } from '#lib/mcp/endpoint'
import type { AdmissionRefusal } from '#lib/mcp/refusals'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import type { CallClaims } from '#lib/oauth/personal-token'
import type { Operation, Store } from '#lib/store/port'

/** Asks everything that stands before a call in one store request: grant, account, rate, client (DESIGN.md §3). */
export function admission(store: Store, { oauth, identity, config, waitUntil }: Admitting) {
  return async (
    claims: CallClaims,
    calls: number,
    also: readonly Operation[],
  ): Promise<Result<Admission, AdmissionRefusal>> => {
    const grantCheck = oauth.grantCheck(claims)
    const accountCheck = identity.accountCheck(claims.accountId, claims.epoch)
    const rateCheck = callRateCheck({
      accountId: claims.accountId,
      calls,
      limit: config.rateLimitPerMinute,
      now: systemClock(),
    })
    const standing = oauth.standingCheck(claims)
    const [grantText, accountText, counted, ...others] = await store.batch(
      grantCheck.operation,
      accountCheck.operation,
      rateCheck.operation,
      ...standing.operations,
      ...also,
    )
    const grant = grantCheck.decide(grantText)
    const account = accountCheck.decide(accountText)
    const stands = await standing.decide(others.slice(0, standing.operations.length).map(textOrNull))
    if (!grant.ok || !account.ok || !stands) return err({ reason: 'token_invalid' })

    const rate = rateCheck.decide(counted)
    // Whoever only asks whether it may go on makes no call.
    if (!rate.ok && calls > 0)
      return err({ reason: 'rate_limited', retryAfterSeconds: rate.error.retryAfterSeconds })

    // An open stream that asks whether it may go on makes no call, and so is no use of the connection.
    if (calls > 0) waitUntil(oauth.noteUse(claims, grant.value))
    const { client, scopes } = grant.value
    const answers = others.slice(standing.operations.length)
    return ok({ caller: { accountId: claims.accountId, client, scopes }, answers })
  }
}

/**
 * Whom a task acts for, by the claims that its call came with: asked again before each step, because the
 * connection may have ended since. `undefined` when it has.
 */
export function taskStanding(admit: ReturnType<typeof admission>) {
  return async (authority: string): Promise<Caller | undefined> => {
    // Written by `admit` of the endpoint, perhaps by another release: what it no longer means has ended.
    const admitted = await admit(JSON.parse(authority) as CallClaims, 0, [])
    return admitted.ok ? admitted.value.caller : undefined
  }
}

/** What a `get` answered. */
const textOrNull = (answer: unknown) => (typeof answer === 'string' ? answer : null)

interface Admitting {
  readonly oauth: OAuth
  readonly identity: Identity
  readonly config: Config
  readonly waitUntil: (work: Promise<unknown>) => void
}
