import type { Config } from '#lib/config/env'
import { systemClock } from '#lib/core/clock'
import { err, ok, type Result } from '#lib/core/result'
import { callRateCheck } from '#lib/http/rate-limit'
import type { Identity } from '#lib/identity/identity'
import type { Caller } from '#lib/mcp/define'
import type { AdmissionRefusal } from '#lib/mcp/endpoint'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import type { CallClaims } from '#lib/oauth/personal-token'
import type { Store } from '#lib/store/port'

/** Asks everything that stands before a call in one store request: grant, account, rate, client (DESIGN.md §3). */
export function admission(store: Store, { oauth, identity, config, waitUntil }: Admitting) {
  return async (claims: CallClaims, calls: number): Promise<Result<Caller, AdmissionRefusal>> => {
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
    )
    const grant = grantCheck.decide(grantText)
    const account = accountCheck.decide(accountText)
    const stands = await standing.decide(others)
    if (!grant.ok || !account.ok || !stands) return err({ reason: 'token_invalid' })

    const rate = rateCheck.decide(counted)
    if (!rate.ok) return err({ reason: 'rate_limited', retryAfterSeconds: rate.error.retryAfterSeconds })

    // An open stream that asks whether it may go on makes no call, and so is no use of the connection.
    if (calls > 0) waitUntil(oauth.noteUse(claims, grant.value))
    return ok({ accountId: claims.accountId, client: grant.value.client, scopes: grant.value.scopes })
  }
}

interface Admitting {
  readonly oauth: OAuth
  readonly identity: Identity
  readonly config: Config
  readonly waitUntil: (work: Promise<unknown>) => void
}
