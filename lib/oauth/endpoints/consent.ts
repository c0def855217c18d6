import { FORM_MAX_BYTES } from '#lib/config/limits'
import { equalInConstantTime } from '#lib/core/hash'
import type { SignedIn } from '#lib/core/signed-in'
import { type BodyProblem, readForm } from '#lib/http/body'
import type { Exchange } from '#lib/http/endpoint'
import { seeOther } from '#lib/http/redirect'
import { isSameOrigin } from '#lib/http/same-origin'
import {
  type ConsentDecision,
  type ConsentTransaction,
  consentTransaction,
  readConsentDecision,
  type WaitingTransaction,
} from '#lib/oauth/consent'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { ClientDocuments } from '#lib/oauth/endpoints/client-documents'
import { readStanding } from '#lib/oauth/endpoints/client-standing'
import { consentPage, switchAccountPage } from '#lib/oauth/endpoints/consent-page'
import { decideConsent } from '#lib/oauth/endpoints/decide-consent'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { refusalPage } from '#lib/oauth/endpoints/refusal-page'
import type { PageRefusal } from '#lib/oauth/endpoints/refusals'
import { forgetConsent, rememberConsent } from '#lib/oauth/endpoints/remembered-consent'
import { sealRequest } from '#lib/oauth/endpoints/sealed-request'
import { keys } from '#lib/store/keys'
import { get } from '#lib/store/operations'
import { parseRecord } from '#lib/store/record'

const TRANSACTION_ID = /^[A-Za-z0-9_-]{32}$/

/** The consent page: GET shows what is asked, POST takes the answer (OAUTH.md §1.5). */
export function consentEndpoint(deps: OAuthDeps, documents: ClientDocuments): Handle {
  return async (request, exchange) => {
    if (request.method === 'GET') return show(request, { deps, exchange })
    if (request.method === 'POST') return decide(request, { deps, exchange, documents })
    return refusalPage('method_not_allowed', { ...exchange, headers: { Allow: 'GET, POST' } }, deps)
  }
}

interface Scene {
  readonly deps: OAuthDeps
  readonly exchange: Exchange
}

interface DecidingScene extends Scene {
  readonly documents: ClientDocuments
}

async function show(request: Request, { deps, exchange }: Scene): Promise<Response> {
  const user = await deps.currentUser(request)
  if (!user) return seeOther('/sign-in')
  const { searchParams } = new URL(request.url)
  const waiting = await findWaiting(searchParams.get('tx') ?? '', user, deps)
  if (!waiting) return refusalPage('answer_used', exchange, deps)
  return searchParams.get('switch') === 'account'
    ? drawSwitch(waiting, user, deps)
    : draw(waiting, user, { deps })
}

const formRefusals: Readonly<Record<BodyProblem, PageRefusal>> = {
  media_type: 'form_not_urlencoded',
  too_large: 'answer_too_long',
  malformed: 'answer_unreadable',
}

async function decide(request: Request, scene: DecidingScene): Promise<Response> {
  const { deps, exchange } = scene
  const refuse = (reason: PageRefusal) => refusalPage(reason, exchange, deps)
  if (!isSameOrigin(request, deps.issuer)) return refuse('form_foreign')

  const form = await readForm(request, FORM_MAX_BYTES)
  if (!form.ok) return refuse(formRefusals[form.error])
  const user = await deps.currentUser(request)
  if (!user) return refuse('signed_out')

  const [id = '', ...otherIds] = form.value.getAll('tx')
  const [csrf = '', ...otherTokens] = form.value.getAll('csrf')
  if (otherIds.length + otherTokens.length > 0) return refuse('answer_unreadable')
  if (!(await isOurForm(csrf, { id, user, deps }))) return refuse('form_stale')

  const waiting = await findWaiting(id, user, deps)
  if (!waiting) return refuse('answer_used')
  const decision = readConsentDecision(form.value, waiting.transaction)
  if (decision === undefined) return refuse('answer_unreadable')
  if (decision === 'none_chosen') return draw(waiting, user, { deps, noneChosen: true })

  const answer = await commit(waiting, decision, scene)
  return typeof answer === 'string' ? refuse(answer) : answer
}

/** Between the question and the answer an operator may have blocked the app, and the app may have changed. */
async function commit(
  waiting: WaitingTransaction,
  decision: ConsentDecision,
  { deps, exchange, documents }: DecidingScene,
): Promise<Response | PageRefusal> {
  const { transaction } = waiting
  const allows = decision.decision === 'allow'
  if (allows && (await readStanding(deps, transaction.client.key)).blocked) return 'client_blocked'
  if (allows && (await hasChanged(transaction, documents))) return 'client_changed'

  const answer = await decideConsent(waiting, decision, { deps, exchange })
  if (!answer) return 'answer_used'
  await bestEffort(deps, () =>
    allows ? rememberConsent(transaction, decision.scopes, deps) : forgetConsent(transaction, deps),
  )
  return answer
}

/**
 * Whether a document is known by now that says something else than the person was shown. A copy that cannot be
 * had says nothing.
 */
async function hasChanged(
  { client: { kind, id, digest } }: ConsentTransaction,
  documents: ClientDocuments,
): Promise<boolean> {
  if (kind !== 'metadata_document') return false
  const now = await documents.resolve(id, { mayFetch: false })
  return now.ok ? now.value.digest !== digest : now.error !== 'client_document_unavailable'
}

/** A request that waits for this browser session's answer. */
async function findWaiting(
  id: string,
  user: SignedIn,
  { store }: OAuthDeps,
): Promise<WaitingTransaction | undefined> {
  const text = TRANSACTION_ID.test(id) ? await store.run(get(keys.consent(id), { fresh: true })) : null
  if (text === null) return undefined

  const transaction = parseRecord(consentTransaction, text)
  const isTheirs =
    equalInConstantTime(transaction.sessionHash, user.sessionHash) && transaction.accountId === user.accountId
  return isTheirs && transaction.decidedBy === undefined ? { id, text, transaction } : undefined
}

async function draw(
  { id, transaction }: WaitingTransaction,
  user: SignedIn,
  { deps, noneChosen = false }: { readonly deps: OAuthDeps; readonly noneChosen?: boolean },
): Promise<Response> {
  const { kid, mac } = await deps.keyRing.sign('csrf', csrfMessage(id, user))
  return consentPage({ id, csrf: `${kid}.${mac}`, transaction, user, noneChosen }, deps)
}

async function drawSwitch(
  { id, transaction }: WaitingTransaction,
  user: SignedIn,
  deps: OAuthDeps,
): Promise<Response> {
  const rt = await sealRequest(transaction.query, deps)
  const signOutFields = (await deps.signOutFields?.(user)) ?? {}
  return switchAccountPage({ id, user, rt, signOutFields }, deps)
}

/** A form is good for one transaction and one browser session. */
const csrfMessage = (id: string, user: SignedIn) => `consent ${user.sessionHash} ${id}`

function isOurForm(
  token: string,
  { id, user, deps }: { readonly id: string; readonly user: SignedIn; readonly deps: OAuthDeps },
): Promise<boolean> {
  const [kid = '', mac = ''] = token.split('.')
  return deps.keyRing.verify('csrf', csrfMessage(id, user), { kid, mac })
}
