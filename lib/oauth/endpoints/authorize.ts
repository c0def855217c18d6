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
  redirectFault,
  returnAddress,
  wantsInteraction,
  wantsNoInteraction,
} from '#lib/oauth/authorization-request'
import { type Client, toClientRecord } from '#lib/oauth/client'
import { looksLikeClientIdUrl, readClientIdUrl } from '#lib/oauth/client-id-url'
import { type ConsentTransaction, heldAmong, isSameApp, type WaitingTransaction } from '#lib/oauth/consent'
import { answerClient } from '#lib/oauth/endpoints/answer-client'
import type { ClientDocuments } from '#lib/oauth/endpoints/client-documents'
import { readStanding } from '#lib/oauth/endpoints/client-standing'
import { decideConsent } from '#lib/oauth/endpoints/decide-consent'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { FloodLimit } from '#lib/oauth/endpoints/flood-limit'
import { listGrants } from '#lib/oauth/endpoints/grants'
import { refusalPage } from '#lib/oauth/endpoints/refusal-page'
import type { PageRefusal } from '#lib/oauth/endpoints/refusals'
import { wasAllowed } from '#lib/oauth/endpoints/remembered-consent'
import { resolveClient } from '#lib/oauth/endpoints/resolve-client'
import { openRequest, sealRequest } from '#lib/oauth/endpoints/sealed-request'
import { keys } from '#lib/store/keys'
import { set } from '#lib/store/operations'

/** A request that may be looked into further. */
interface Heard {
  readonly query: string
  readonly parsed: AuthorizationQuery
}

/** A request of which it is known who asks and where the answer may go. */
interface Asked extends Heard {
  readonly client: Client
  readonly address: ReturnAddress
}

/** A request of a client that is named by an address, which nobody is asked about before sign-in. */
interface Named extends Heard {
  readonly client?: undefined
  /** The name of the host, which may be shown. */
  readonly host: string
}

/** Why it goes no further, and which host is to be named. */
interface Refused {
  readonly reason: PageRefusal
  readonly host?: string | undefined
}

/** What authorization needs besides the server's own parts. */
interface Parts {
  readonly flood: FloodLimit
  readonly documents: ClientDocuments
}

/**
 * The authorization endpoint (OAuth 2.1 §4.1.1; the order of checks is OAUTH.md §1.4). Before sign-in
 * nothing is written and nothing is told to the client; after it the request waits on the consent page.
 */
export function authorizationEndpoint(deps: OAuthDeps, { flood, documents }: Parts): Handle {
  return async (request, exchange) => {
    if (request.method !== 'GET') {
      const headers = { Allow: 'GET' }
      return refusalPage('method_not_allowed', { ...exchange, headers }, deps)
    }
    const refuse = ({ reason, host }: Refused) => refusalPage(reason, { ...exchange, host }, deps)
    const first = await firstLook(request, { deps, documents })
    if (!first.ok) return refuse(first.error)

    const user = await deps.currentUser(request)
    if (user) {
      const asked = await lookUp(first.value, { deps, documents })
      return asked.ok ? askPerson(asked.value, user, { deps, exchange }) : refuse(asked.error)
    }
    return signInFirst(first.value, () => flood(request), { deps, exchange })
  }
}

async function signInFirst(
  { query, parsed }: Heard,
  mustWait: () => ReturnType<FloodLimit>,
  { deps, exchange }: Scene,
): Promise<Response> {
  if (wantsNoInteraction(parsed)) return refusalPage('sign_in_needed', exchange, deps)
  const wait = mustWait()
  if (!wait) return seeOther(`/sign-in?rt=${await sealRequest(query, deps)}`)
  const headers = { 'Retry-After': String(wait.retryAfterSeconds) }
  return refusalPage('too_many_requests', { ...exchange, headers }, deps)
}

interface Looking {
  readonly deps: OAuthDeps
  readonly documents: ClientDocuments
}

/**
 * Who asks in a sealed request; for the sign-in page, which says why the person is there. A client that is
 * named by an address is called by its host: nobody has been asked for its name yet.
 */
export async function describeRequest(
  rt: string,
  looking: Looking,
): Promise<{ readonly clientName: string } | undefined> {
  const query = await openRequest(rt, looking.deps)
  const first = query === undefined ? undefined : await readQuery(query, looking)
  if (!first?.ok) return undefined
  return { clientName: first.value.client ? first.value.client.name : first.value.host }
}

/** What can be known without a session. A browser that comes back from sign-in brings the request sealed. */
async function firstLook(request: Request, looking: Looking): Promise<Result<Asked | Named, Refused>> {
  const { search, searchParams } = new URL(request.url)
  const rt = searchParams.get('rt')
  if (rt === null || searchParams.has('client_id')) return readQuery(search.slice(1), looking)

  const query = await openRequest(rt, looking.deps)
  return query === undefined ? err({ reason: 'request_expired' }) : readQuery(query, looking)
}

async function readQuery(
  query: string,
  { deps, documents }: Looking,
): Promise<Result<Asked | Named, Refused>> {
  const parsed = readAuthorizationQuery(query)
  if (!parsed.ok) return err({ reason: parsed.error })
  const heard = { query, parsed: parsed.value }
  const { clientId, parameters } = heard.parsed
  if (!looksLikeClientIdUrl(clientId)) {
    const client = await resolveClient(clientId, deps)
    return client ? withAddress(heard, client, deps) : err({ reason: 'client_unknown' })
  }
  const address = documents.accepts(clientId)
  if (!address.ok) return err({ reason: address.error, host: readClientIdUrl(clientId)?.host })
  const redirectUri = parameters.get('redirect_uri')
  const fault = redirectUri === undefined ? undefined : redirectFault(redirectUri, deps.settings)
  return fault ? err({ reason: fault }) : ok({ ...heard, host: address.value.host })
}

/** The client of a request; one that is named by an address is fetched, because a person is signed in. */
async function lookUp(first: Asked | Named, { deps, documents }: Looking): Promise<Result<Asked, Refused>> {
  if (first.client) return ok(first)
  const client = await documents.resolve(first.parsed.clientId, { mayFetch: true })
  if (!client.ok) return err({ reason: client.error, host: first.host })
  return withAddress(first, client.value, deps)
}

function withAddress({ query, parsed }: Heard, client: Client, deps: OAuthDeps): Result<Asked, Refused> {
  const address = returnAddress(parsed, client, deps.settings)
  return address.ok ? ok({ query, parsed, client, address: address.value }) : err({ reason: address.error })
}

/** Keeps the request under an id of its own and shows it under that id, so that loading again is harmless. */
async function askPerson(asked: Asked, user: SignedIn, scene: Scene): Promise<Response> {
  const { deps } = scene
  const request = readAuthorizationRequest(asked.parsed, asked.client, deps)
  const standing = await readStanding(deps, asked.client.key)
  // Not told to the client: what is blocked gets nobody sent to it.
  if (standing.blocked) return refusalPage('client_blocked', scene.exchange, deps)
  if (!request.ok) return tellClient(asked, request.error, scene)

  const transaction = transactionOf(asked, request.value, { user, clientEpoch: standing.epoch })
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
  const grants = (await listGrants(deps, accountId)).filter((grant) => isSameApp(client, grant.client))
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
  { user, clientEpoch }: { readonly user: SignedIn; readonly clientEpoch: number },
): ConsentTransaction {
  return {
    v: 1,
    sessionHash: user.sessionHash,
    accountId: user.accountId,
    epoch: user.epoch,
    client: toClientRecord(client),
    clientEpoch,
    redirectUri: address.redirectUri,
    ...(address.rawState === undefined ? {} : { rawState: address.rawState }),
    scopes: [...scopes],
    codeChallenge,
    query,
  }
}
