import { AUTHORIZATION_REQUEST_MS } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { SignedIn } from '#lib/core/signed-in'
import type { Exchange } from '#lib/http/endpoint'
import { seeOther } from '#lib/http/redirect'
import {
  type AuthorizationError,
  type AuthorizationQuery,
  type AuthorizationRequest,
  type ReturnAddress,
  readAuthorizationQuery,
  readAuthorizationRequest,
  returnAddress,
  type UntoldRefusal,
  wantsInteraction,
  wantsNoInteraction,
} from '#lib/oauth/authorization-request'
import { type Client, toClientRecord } from '#lib/oauth/client'
import { type ConsentTransaction, heldAmong, isSameApp, type WaitingTransaction } from '#lib/oauth/consent'
import { answerClient } from '#lib/oauth/endpoints/answer-client'
import { decideConsent } from '#lib/oauth/endpoints/decide-consent'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { FloodLimit } from '#lib/oauth/endpoints/flood-limit'
import { listGrants } from '#lib/oauth/endpoints/grants'
import { refusalPage } from '#lib/oauth/endpoints/refusal-page'
import { wasAllowed } from '#lib/oauth/endpoints/remembered-consent'
import { resolveClient } from '#lib/oauth/endpoints/resolve-client'
import { openRequest, sealRequest } from '#lib/oauth/endpoints/sealed-request'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'

/** A request of which it is known who asks and where the answer may go. */
interface Asked {
  readonly query: string
  readonly parsed: AuthorizationQuery
  readonly client: Client
  readonly address: ReturnAddress
}

/**
 * The authorization endpoint (OAuth 2.1 §4.1.1; the order of checks is OAUTH.md §1.4). Before sign-in
 * nothing is written and nothing is told to the client; after it the request waits on the consent page.
 */
export function authorizationEndpoint(deps: OAuthDeps, flood: FloodLimit): Handle {
  return async (request, exchange) => {
    if (request.method !== 'GET') {
      const headers = { Allow: 'GET' }
      return refusalPage('method_not_allowed', { ...exchange, headers }, deps)
    }
    const asked = await readAsked(request, deps)
    if (!asked.ok) return refusalPage(asked.error, exchange, deps)

    const user = await deps.currentUser(request)
    if (user) return askPerson(asked.value, user, { deps, exchange })
    if (wantsNoInteraction(asked.value.parsed)) return refusalPage('sign_in_needed', exchange, deps)

    const wait = flood(request)
    if (wait) {
      const headers = { 'Retry-After': String(wait.retryAfterSeconds) }
      return refusalPage('too_many_requests', { ...exchange, headers }, deps)
    }
    return seeOther(`/sign-in?rt=${await sealRequest(asked.value.query, deps)}`)
  }
}

/** Who asks in a sealed request; for the sign-in page, which says why the person is there. */
export async function describeRequest(
  rt: string,
  deps: OAuthDeps,
): Promise<{ readonly clientName: string } | undefined> {
  const query = await openRequest(rt, deps)
  const asked = query === undefined ? undefined : await readQuery(query, deps)
  return asked?.ok ? { clientName: asked.value.client.name } : undefined
}

/** A browser that comes back from sign-in brings the request sealed, as `rt` alone. */
async function readAsked(request: Request, deps: OAuthDeps): Promise<Result<Asked, UntoldRefusal>> {
  const { search, searchParams } = new URL(request.url)
  const rt = searchParams.get('rt')
  if (rt === null || searchParams.has('client_id')) return readQuery(search.slice(1), deps)

  const query = await openRequest(rt, deps)
  return query === undefined ? err('request_expired') : readQuery(query, deps)
}

async function readQuery(query: string, deps: OAuthDeps): Promise<Result<Asked, UntoldRefusal>> {
  const parsed = readAuthorizationQuery(query)
  if (!parsed.ok) return parsed
  const client = await resolveClient(parsed.value.clientId, deps)
  if (!client) return err('client_unknown')
  const address = returnAddress(parsed.value, client, deps.settings)
  return address.ok ? ok({ query, parsed: parsed.value, client, address: address.value }) : address
}

/** Keeps the request under an id of its own and shows it under that id, so that loading again is harmless. */
async function askPerson(asked: Asked, user: SignedIn, scene: Scene): Promise<Response> {
  const { deps } = scene
  const request = readAuthorizationRequest(asked.parsed, asked.client, deps)
  if (!request.ok) return tellClient(asked, request.error, scene)

  const transaction = transactionOf(asked, request.value, user)
  const remembered = !wantsInteraction(asked.parsed) && (await wasAllowed(transaction, deps))
  if (!remembered && wantsNoInteraction(asked.parsed)) return tellClient(asked, 'interaction_required', scene)

  const waiting = await keepWaiting(remembered ? transaction : await withHeld(transaction, deps), deps)
  if (!remembered) return seeOther(`/oauth/consent?tx=${waiting.id}`)

  const decision = { decision: 'allow', scopes: transaction.scopes, remembered } as const
  return (await decideConsent(waiting, decision, scene)) ?? refusalPage('answer_used', scene.exchange, deps)
}

interface Scene {
  readonly deps: OAuthDeps
  readonly exchange: Exchange
}

function tellClient({ address }: Asked, error: AuthorizationError, { deps, exchange }: Scene): Response {
  deps.log('info', 'authorization_refused', { requestId: exchange.requestId, reason: error })
  return answerClient(address, { error }, { deps, personAnswered: false })
}

async function keepWaiting(transaction: ConsentTransaction, deps: OAuthDeps): Promise<WaitingTransaction> {
  const id = deps.random(24)
  const text = JSON.stringify(transaction)
  await deps.store.run(set(keys.consent(id), text, { ttlMs: AUTHORIZATION_REQUEST_MS }))
  return { id, text, transaction }
}

/** Tells what the app may do already, so that only what is new is asked (step-up). */
async function withHeld(transaction: ConsentTransaction, deps: OAuthDeps): Promise<ConsentTransaction> {
  const { accountId, client, scopes } = transaction
  if (scopes.length < 2) return transaction
  const grants = (await listGrants(deps, accountId)).filter((grant) => isSameApp(grant.client, client))
  const held = heldAmong(
    scopes,
    grants.flatMap((grant) => grant.scopes),
    deps.scopes,
  )
  return held.length > 0 ? { ...transaction, held: [...held] } : transaction
}

function transactionOf(
  { query, client, address }: Asked,
  { scopes, codeChallenge }: AuthorizationRequest,
  user: SignedIn,
): ConsentTransaction {
  return {
    v: 1,
    sessionHash: user.sessionHash,
    accountId: user.accountId,
    epoch: user.epoch,
    client: toClientRecord(client),
    redirectUri: address.redirectUri,
    ...(address.rawState === undefined ? {} : { rawState: address.rawState }),
    scopes: [...scopes],
    codeChallenge,
    query,
  }
}
