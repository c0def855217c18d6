import { equalInConstantTime, sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { grantIdOfCode } from '#lib/oauth/authorization-code'
import type { Client } from '#lib/oauth/client'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { grantStands } from '#lib/oauth/endpoints/grant-stands'
import { noteEnd } from '#lib/oauth/endpoints/grants'
import type { Issue } from '#lib/oauth/endpoints/issue-tokens'
import { asConnection, type ConnectionGrant, type Grant, grantRecord } from '#lib/oauth/grant'
import { matchesChallenge } from '#lib/oauth/pkce'
import { decideRedemption, type RedemptionDecision } from '#lib/oauth/redemption'
import { grantLifetimeMs } from '#lib/oauth/rotation'
import type { TokenError, TokenRequest } from '#lib/oauth/token-request'
import { keys } from '#lib/store/keys'
import { type Edit, editRecord } from '#lib/store/record'

type CodeRequest = Extract<TokenRequest, { grantType: 'authorization_code' }>

/** What came of it. `ended`: the grant as it was, and why it is no more. */
type Outcome =
  | { readonly kind: 'issued'; readonly issue: Issue }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'ended'; readonly grant: ConnectionGrant; readonly why: string }

interface Scene {
  readonly client: Client
  readonly requestId: string
  readonly deps: OAuthDeps
}

/** Redeems an authorization code (OAuth 2.1 §4.1.3): one swap from pending to active. */
export async function redeemCode(request: CodeRequest, scene: Scene): Promise<Result<Issue, TokenError>> {
  const { deps, requestId } = scene
  const grantId = grantIdOfCode(request.code)
  if (grantId === undefined) return err('invalid_grant')

  const decide = await redemptionOf(request, scene)
  const outcome = await editRecord(deps.store, { key: keys.grant(grantId), schema: grantRecord }, decide)
  if (outcome.kind === 'issued') return ok(outcome.issue)

  const reason = outcome.kind === 'ended' ? outcome.why : outcome.reason
  deps.log(outcome.kind === 'ended' ? 'warn' : 'info', 'code_refused', { requestId, reason })
  if (outcome.kind === 'ended') {
    const { accountId, client } = outcome.grant
    await noteEnd(deps, { accountId, grantId, clientKey: client.key, why: outcome.why })
  }
  return err('invalid_grant')
}

/** The decision over the record. What costs time and does not depend on it is done once. */
async function redemptionOf(
  request: CodeRequest,
  { client, requestId, deps }: Scene,
): Promise<(grant: Grant | undefined) => Promise<Edit<Grant, Outcome>>> {
  const { clock, settings } = deps
  const codeHash = await sha256(request.code)
  const salt = deps.random(32)
  const stands = grantStands(deps)

  return async (found) => {
    const grant = asConnection(found)
    const attempt = {
      clientId: client.id,
      redirectUri: request.redirectUri,
      codeMatches: grant !== undefined && equalInConstantTime(grant.codeHash, codeHash),
      verifierMatches:
        grant !== undefined && (await matchesChallenge(request.codeVerifier, grant.codeChallenge)),
      requestId,
    }
    const now = clock()
    const decision = decideRedemption(grant, attempt, { ...settings, now, salt })
    const fault = decision.outcome === 'redeemed' && grant ? await stands(grant) : undefined
    if (fault && grant) return { write: null, answer: { kind: 'ended', grant, why: fault } }
    return editFor(decision, { grant, now, idleSeconds: settings.refreshIdleSeconds })
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
