import { GRANTS_LISTED_MAX, PENDING_GRANT_MARGIN_MS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { Exchange } from '#lib/http/endpoint'
import { newAuthorizationCode, newGrantId } from '#lib/oauth/authorization-code'
import type { ReturnAddress } from '#lib/oauth/authorization-request'
import type { ConsentDecision, WaitingTransaction } from '#lib/oauth/consent'
import { answerClient } from '#lib/oauth/endpoints/answer-client'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { dropExcessGrants } from '#lib/oauth/endpoints/grants'
import type { PendingGrant } from '#lib/oauth/grant'
import type { RegisteredRedirectUri } from '#lib/oauth/redirect-uri'
import { keys } from '#lib/store/keys'
import { del, range, rank, set, swap, unrank } from '#lib/store/operations'
import type { Swapped } from '#lib/store/port'

interface Scene {
  readonly deps: OAuthDeps
  readonly exchange: Exchange
}

type Allowed = Extract<ConsentDecision, { decision: 'allow' }>

/**
 * Commits an answer and gives it to the client; `undefined` when another answer was faster. A lost reply of
 * the store is no second answer: the record then names this very request.
 */
export async function decideConsent(
  waiting: WaitingTransaction,
  decision: ConsentDecision,
  scene: Scene,
): Promise<Response | undefined> {
  return decision.decision === 'allow' ? allow(waiting, decision, scene) : deny(waiting, scene)
}

async function deny(waiting: WaitingTransaction, { deps, exchange }: Scene): Promise<Response | undefined> {
  const { swapOperation, isOurs } = commit(waiting, exchange)
  if (!isOurs(await deps.store.run(swapOperation))) return undefined

  const { accountId, client } = waiting.transaction
  await bestEffort(deps, () => deps.audit({ event: 'consent_denied', accountId, clientKey: client.key }))
  return answerClient(addressOf(waiting), { error: 'access_denied' }, { deps, personAnswered: true })
}

/**
 * One request: the index entry first, the grant second, the answer last. Whatever of it is carried out
 * alone is harmless: an entry without a grant is forgotten, and a grant whose code nobody has expires.
 */
async function allow(
  waiting: WaitingTransaction,
  { scopes, remembered }: Allowed,
  { deps, exchange }: Scene,
): Promise<Response | undefined> {
  const { store, random, clock, settings } = deps
  const now = clock()
  const grantId = newGrantId(random)
  const code = newAuthorizationCode(grantId, random)
  const grant = pendingGrant(waiting, { id: grantId, codeHash: await sha256(code), scopes, now, deps })
  const index = keys.grantsOf(grant.accountId)
  const refreshMaxMs = settings.refreshMaxSeconds * 1000
  const { swapOperation, isOurs } = commit(waiting, exchange)

  const [, , swapped, entries] = await store.batch(
    rank(index, grantId, now, refreshMaxMs),
    set(keys.grant(grantId), JSON.stringify(grant), {
      ttlMs: settings.codeSeconds * 1000 + PENDING_GRANT_MARGIN_MS,
    }),
    swapOperation,
    range(index, { limit: GRANTS_LISTED_MAX, highestFirst: true, dropBelow: now - refreshMaxMs }),
  )
  if (!isOurs(swapped)) {
    await store.batch(del(keys.grant(grantId)), unrank(index, grantId))
    return undefined
  }
  const { accountId, client } = grant
  const why = remembered ? { why: 'remembered' } : {}
  await bestEffort(deps, () =>
    deps.audit({ event: 'consent_given', accountId, grantId, clientKey: client.key, ...why }),
  )
  await bestEffort(deps, () => dropExcessGrants(deps, { accountId, clientId: client.id, entries }))
  return answerClient(addressOf(waiting), { code }, { deps, personAnswered: true })
}

function pendingGrant(
  { transaction }: WaitingTransaction,
  made: {
    readonly id: string
    readonly codeHash: string
    readonly scopes: readonly string[]
    readonly now: number
    readonly deps: OAuthDeps
  },
): PendingGrant {
  const { accountId, epoch, client, clientEpoch = 0, codeChallenge, redirectUri } = transaction
  const { id, codeHash, scopes, now, deps } = made
  return {
    v: 1,
    status: 'pending',
    id,
    accountId,
    epoch,
    client,
    clientEpoch,
    scopes: [...scopes],
    resource: deps.resource,
    createdAt: now,
    codeHash,
    codeChallenge,
    redirectUri,
    codeExpiresAt: now + deps.settings.codeSeconds * 1000,
  }
}

/** Marks a transaction as answered by this request, if nobody answered it before. */
function commit({ id, text, transaction }: WaitingTransaction, { requestId }: Exchange) {
  const next = JSON.stringify({ ...transaction, decidedBy: requestId })
  return {
    swapOperation: swap(keys.consent(id), text, next),
    isOurs: (swapped: Swapped) => swapped.done || swapped.current === next,
  }
}

const addressOf = ({ transaction }: WaitingTransaction): ReturnAddress => ({
  // Matched before the transaction was written, and nothing else writes one.
  redirectUri: transaction.redirectUri as RegisteredRedirectUri,
  rawState: transaction.rawState,
})
