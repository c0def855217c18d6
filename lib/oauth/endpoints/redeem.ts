import { SPENT_CODE_LOOKS, SPENT_CODE_PAUSE_MS } from '#lib/config/limits'
import { equalInConstantTime, sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { grantIdOfCode } from '#lib/oauth/authorization-code'
import type { Client } from '#lib/oauth/client'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { grantStands } from '#lib/oauth/endpoints/grant-stands'
import { noteEnd } from '#lib/oauth/endpoints/grants'
import type { Issue } from '#lib/oauth/endpoints/issue-tokens'
import type { Withdrawals } from '#lib/oauth/endpoints/withdrawals'
import { asConnection, type ConnectionGrant, type Grant, grantRecord } from '#lib/oauth/grant'
import { matchesChallenge } from '#lib/oauth/pkce'
import { decideRedemption, mayBeUnanswered, type RedemptionDecision } from '#lib/oauth/redemption'
import { grantLifetimeMs } from '#lib/oauth/rotation'
import type { TokenError, TokenRequest } from '#lib/oauth/token-request'
import { keys } from '#lib/store/keys'
import { type Edit, editRecord } from '#lib/store/record'

type CodeRequest = Extract<TokenRequest, { grantType: 'authorization_code' }>

/** What came of it. `spent`: another request was first, a moment ago. `ended`: the grant as it was, and why it is no more. */
type Outcome =
  | { readonly kind: 'issued'; readonly issue: Issue }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'spent' }
  | { readonly kind: 'ended'; readonly grant: ConnectionGrant; readonly why: string }

interface Scene {
  readonly client: Client
  readonly requestId: string
  readonly deps: OAuthDeps
  readonly withdrawals: Withdrawals
}

/** Redeems an authorization code (OAuth 2.1 §4.1.3): one swap from pending to active. */
export async function redeemCode(request: CodeRequest, scene: Scene): Promise<Result<Issue, TokenError>> {
  const { deps, requestId, withdrawals } = scene
  const grantId = grantIdOfCode(request.code)
  if (grantId === undefined) return err('invalid_grant')

  await withdrawals.settle(grantId)
  const outcome = await attempts(grantId, await redemptionOf(request, scene), scene)
  if (outcome.kind === 'issued') return ok(outcome.issue)

  const ended = outcome.kind === 'ended' ? outcome : undefined
  const reason = outcome.kind === 'refused' ? outcome.reason : ended?.why
  deps.log(ended ? 'warn' : 'info', 'code_refused', { requestId, reason })
  if (ended) await noteEnd(deps, ended.grant, ended.why)
  return err('invalid_grant')
}

/** Looks again at a code that was spent a moment ago, and ends its grant when nobody takes that back. */
async function attempts(
  grantId: string,
  { decide, pending }: Decides,
  { deps, requestId, withdrawals }: Scene,
): Promise<Outcome> {
  const record = { key: keys.grant(grantId), schema: grantRecord }
  try {
    for (let look = 1; look < SPENT_CODE_LOOKS; look++) {
      const outcome = await editRecord(deps.store, record, (found) => decide(found, 'may wait'))
      if (outcome.kind !== 'spent') return outcome
      await deps.pause(SPENT_CODE_PAUSE_MS)
    }
    return await editRecord(deps.store, record, (found) => decide(found, 'last look'))
  } catch (error) {
    // Whatever the store did with it, this request is answered with an outage and with nothing else.
    const codeExpiresAt = pending()
    if (codeExpiresAt !== undefined) withdrawals.begin({ grantId, requestId, codeExpiresAt })
    throw error
  }
}

interface Decides {
  decide(found: Grant | undefined, how: 'may wait' | 'last look'): Promise<Edit<Grant, Outcome>>
  /** Once a redemption was sent to the store: when its code expires (ms). */
  pending(): number | undefined
}

/** The decision over the record. What costs time and does not depend on it is done once. */
async function redemptionOf(request: CodeRequest, { client, requestId, deps }: Scene): Promise<Decides> {
  const { clock, settings } = deps
  const codeHash = await sha256(request.code)
  const salt = deps.random(32)
  const stands = grantStands(deps)
  const { redirectUri, codeVerifier } = request
  let codeExpiresAt: number | undefined

  const attemptAt = async (grant: ConnectionGrant | undefined) => ({
    clientId: client.id,
    redirectUri,
    codeMatches: grant !== undefined && equalInConstantTime(grant.codeHash, codeHash),
    verifierMatches: grant !== undefined && (await matchesChallenge(codeVerifier, grant.codeChallenge)),
    requestId,
  })

  return {
    pending: () => codeExpiresAt,
    async decide(found, how) {
      const grant = asConnection(found)
      const attempt = await attemptAt(grant)
      const now = clock()
      const decision = decideRedemption(grant, attempt, { ...settings, now, salt })
      const edit = editFor(decision, { grant, now, idleSeconds: settings.refreshIdleSeconds })
      if (!grant) return edit

      if (decision.outcome === 'replayed') {
        const waits = how === 'may wait' && mayBeUnanswered(grant, now, settings.codeSeconds)
        return waits ? { leave: true, answer: { kind: 'spent' } } : edit
      }
      if (decision.outcome !== 'redeemed') return edit
      const fault = await stands(grant)
      if (fault) return { write: null, answer: { kind: 'ended', grant, why: fault } }
      codeExpiresAt = decision.codeExpiresAt
      return edit
    },
  }
}

function editFor(
  decision: RedemptionDecision,
  {
    grant,
    now,
    idleSeconds,
  }: { readonly grant: ConnectionGrant | undefined; readonly now: number; readonly idleSeconds: number },
): Edit<Grant, Outcome> {
  switch (decision.outcome) {
    case 'refused':
      return { leave: true, answer: { kind: 'refused', reason: decision.reason } }
    case 'replayed':
      if (!grant) throw new Error('a replay without a grant')
      return { write: null, answer: { kind: 'ended', grant, why: 'code_replay' } }
    case 'repeated':
      return { leave: true, answer: issued(decision) }
    case 'redeemed':
      return {
        write: decision.grant,
        ttlMs: grantLifetimeMs(decision.grant, { now, idleSeconds }),
        answer: issued(decision),
      }
  }
}

const issued = ({ grant }: Extract<RedemptionDecision, { outcome: 'redeemed' | 'repeated' }>): Outcome => ({
  kind: 'issued',
  issue: { grant, scopes: grant.scopes, generation: 1 },
})
