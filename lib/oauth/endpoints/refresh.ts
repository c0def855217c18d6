import { err, ok, type Result } from '#lib/core/result'
import type { Client } from '#lib/oauth/client'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { grantStands } from '#lib/oauth/endpoints/grant-stands'
import { noteEnd } from '#lib/oauth/endpoints/grants'
import type { Issue } from '#lib/oauth/endpoints/issue-tokens'
import { type Grant, grantRecord } from '#lib/oauth/grant'
import { isProven, type PresentedRefreshToken, readRefreshToken } from '#lib/oauth/refresh-token'
import {
  decideRotation,
  grantLifetimeMs,
  isRefreshable,
  type RefreshableGrant,
  type RotationDecision,
} from '#lib/oauth/rotation'
import { narrowedScopes } from '#lib/oauth/scope'
import type { TokenError, TokenRequest } from '#lib/oauth/token-request'
import { keys } from '#lib/store/keys'
import { type Edit, editRecord } from '#lib/store/record'

type RefreshRequest = Extract<TokenRequest, { grantType: 'refresh_token' }>

/** What came of it. `ended`: the grant as it was, and why it is no more. */
type Outcome =
  | { readonly kind: 'issued'; readonly issue: Issue; readonly rolledForward: boolean }
  | { readonly kind: 'refused'; readonly error: TokenError; readonly reason: string }
  | { readonly kind: 'ended'; readonly grant: RefreshableGrant; readonly why: string }

interface Scene {
  readonly client: Client
  readonly requestId: string
  readonly deps: OAuthDeps
}

/** Refreshes (OAuth 2.1 §4.3.1). A token that this server did not mint is refused without the store. */
export async function refreshTokens(
  request: RefreshRequest,
  scene: Scene,
): Promise<Result<Issue, TokenError>> {
  const { deps, client, requestId } = scene
  if (!client.grantTypes.includes('refresh_token')) return err('unauthorized_client')
  const presented = await readRefreshToken(request.refreshToken, deps.keyRing)
  if (!presented) return err('invalid_grant')

  const decide = rotationOf({ presented, scope: request.scope }, scene)
  const record = { key: keys.grant(presented.grantId), schema: grantRecord }
  const outcome = await editRecord(deps.store, record, decide)
  if (outcome.kind === 'issued') {
    if (outcome.rolledForward) await noteRollForward(outcome.issue, deps)
    return ok(outcome.issue)
  }
  if (outcome.kind === 'refused') {
    deps.log('info', 'refresh_refused', { requestId, reason: outcome.reason })
    return err(outcome.error)
  }
  deps.log('warn', 'refresh_refused', { requestId, reason: outcome.why })
  await noteEnd(deps, outcome.grant, outcome.why)
  return err('invalid_grant')
}

/** The decision over the record; it may be made several times, for each state that turns out to stand. */
function rotationOf(
  { presented, scope }: { readonly presented: PresentedRefreshToken; readonly scope: string | undefined },
  { client, deps }: Scene,
): (grant: Grant | undefined) => Promise<Edit<Grant, Outcome>> {
  const { settings } = deps
  const stands = grantStands(deps)

  return async (grant) => {
    if (!isRefreshable(grant)) return refuse('invalid_grant', 'grant_unknown')
    if (!(await isProven(presented, grant.refresh.salt))) return refuse('invalid_grant', 'proof_differs')

    const now = deps.clock()
    const idleSeconds = settings.refreshIdleSeconds
    const decision = decideRotation(
      grant,
      { generation: presented.generation, clientId: client.id },
      { now, idleSeconds, graceSeconds: settings.refreshGraceSeconds },
    )
    if (decision.outcome === 'refused') return refuse('invalid_grant', decision.reason)
    if (decision.outcome === 'reused') return end(grant, 'refresh_reuse')
    const fault = await stands(grant)
    if (fault) return end(grant, fault)

    const scopes = narrowedScopes(scope, grant.scopes, deps.scopes)
    if (!scopes.ok) return refuse('invalid_scope', 'scope_not_granted')
    return issue(decision, { grant, scopes: scopes.value, now, idleSeconds })
  }
}

const refuse = (error: TokenError, reason: string): Edit<Grant, Outcome> => ({
  leave: true,
  answer: { kind: 'refused', error, reason },
})

const end = (grant: RefreshableGrant, why: string): Edit<Grant, Outcome> => ({
  write: null,
  answer: { kind: 'ended', grant, why },
})

function issue(
  decision: Extract<RotationDecision, { generation: number }>,
  from: {
    readonly grant: RefreshableGrant
    readonly scopes: readonly string[]
    readonly now: number
    readonly idleSeconds: number
  },
): Edit<Grant, Outcome> {
  const { scopes, now, idleSeconds } = from
  const { generation } = decision
  const grant = decision.outcome === 'replayed' ? from.grant : decision.grant
  const rolledForward = decision.outcome === 'rolled_forward'
  const answer: Outcome = { kind: 'issued', rolledForward, issue: { grant, generation, scopes } }
  return decision.outcome === 'replayed'
    ? { leave: true, answer }
    : { write: grant, ttlMs: grantLifetimeMs(grant, { now, idleSeconds }), answer }
}

/** The store had forgotten generations: the operator should know that it went back in time. */
async function noteRollForward({ grant }: Issue, deps: OAuthDeps): Promise<void> {
  const { accountId, id, client } = grant
  await bestEffort(deps, () =>
    deps.audit({ event: 'refresh_rolled_forward', accountId, grantId: id, clientKey: client.key }),
  )
}
