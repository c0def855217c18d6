import {
  CLIENT_DOCUMENT_FRESH_MAX_MS,
  CLIENT_DOCUMENT_FRESH_MIN_MS,
  CLIENT_DOCUMENT_MAX_BYTES,
  CLIENT_DOCUMENT_STALE_MS,
} from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { cacheLifetimeMs } from '#lib/oauth/cache-lifetime'
import type { DocumentClient } from '#lib/oauth/client'
import {
  cachedDocument,
  type DocumentFault,
  type MetadataDocument,
  readMetadataDocument,
  toDocumentClient,
} from '#lib/oauth/client-id-metadata'
import { type ClientIdUrl, readClientIdUrl } from '#lib/oauth/client-id-url'
import type { RegistrationPolicy } from '#lib/oauth/client-metadata'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { FetchPace } from '#lib/oauth/endpoints/fetch-pace'
import type { FetchDocument, FetchedDocument, FetchFault } from '#lib/oauth/fetch-document'
import { matchesHost } from '#lib/oauth/host-pattern'
import { knownClients } from '#lib/oauth/known-clients'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'

/** Why there is no client at an address. */
export type DocumentRefusal =
  /** The text cannot be the address of a document. */
  | 'client_id_malformed'
  /** `CIMD_ALLOW` or `CIMD_BLOCK`. */
  | 'client_host_blocked'
  /** Not at hand, and the host did not give it. */
  | 'client_document_unavailable'
  /** The host gave something that is no acceptable client. */
  | 'client_document_invalid'

/** Clients that are named by the address of their metadata. */
export interface ClientDocuments {
  /** Whether an address may name a client at all: its spelling and the operator's lists, nothing else. */
  accepts(clientId: string): Result<ClientIdUrl, 'client_id_malformed' | 'client_host_blocked'>
  /**
   * The client at an address: from the cache; else, with `mayFetch`, from its host; else the last copy, however
   * old within a week; else the one that ships with this server. Without the store the host is asked each
   * time, within the budget.
   */
  resolve(
    clientId: string,
    how: { readonly mayFetch: boolean },
  ): Promise<Result<DocumentClient, DocumentRefusal>>
}

/** All that the resolver of documents is given. */
export interface ClientDocumentsDeps {
  readonly store: Store
  readonly clock: () => number
  readonly log: Log
  readonly fetchDocument: FetchDocument
  readonly pace: FetchPace
  readonly policy: RegistrationPolicy
  /** Patterns of hosts; an empty list allows every public host. */
  readonly allow: readonly string[]
  /** Patterns of hosts; stronger than `allow`. */
  readonly block: readonly string[]
}

/** A document, and until when (ms) its host need not be asked again. */
interface Cached {
  readonly document: MetadataDocument
  readonly freshUntil: number
}

type Fault = FetchFault | DocumentFault | 'paced'
type Asked = Result<MetadataDocument, Fault>

/** Answers in which the host itself says that there is no such client: no older copy contradicts it. */
const isFinal = (fault: Fault) => fault === 'not_found' || isRefusedDocument(fault)

const refusedDocuments: readonly string[] = [
  'name_missing',
  'redirect_uris_unacceptable',
  'secret_present',
  'auth_method_unsupported',
  'grant_types_unsupported',
  'member_malformed',
] satisfies DocumentFault[]
const isRefusedDocument = (fault: Fault) => refusedDocuments.includes(fault)

/** Makes the resolver of one instance. Fetches nothing by itself. */
export function createClientDocuments(deps: ClientDocumentsDeps): ClientDocuments {
  const running = new Map<string, Promise<Asked>>()

  const accepts: ClientDocuments['accepts'] = (clientId) => {
    const address = readClientIdUrl(clientId)
    if (!address) return err('client_id_malformed')
    const listed = deps.allow.length === 0 || matchesHost(deps.allow, address.host)
    return listed && !matchesHost(deps.block, address.host) ? ok(address) : err('client_host_blocked')
  }

  /** Of any number of people who connect the same app at once one asks its host. */
  function ask(address: ClientIdUrl): Promise<Asked> {
    const known = running.get(address.url)
    if (known !== undefined) return known
    if (!deps.pace(address)) return Promise.resolve(err('paced'))
    const asking = fetchAndKeep(address, deps).finally(() => running.delete(address.url))
    running.set(address.url, asking)
    return asking
  }

  return {
    accepts,
    async resolve(clientId, { mayFetch }) {
      const address = accepts(clientId)
      if (!address.ok) return address

      const cached = await readCache(clientId, deps)
      const isFresh = cached !== undefined && deps.clock() < cached.freshUntil
      if (isFresh || !mayFetch) return clientOf(cached?.document)

      const asked = await ask(address.value)
      if (asked.ok) return clientOf(asked.value)
      deps.log('info', 'client_document_refused', { host: address.value.host, reason: asked.error })
      return insteadOf(asked.error, cached?.document ?? knownClients.get(clientId))
    },
  }
}

const clientOf = async (
  document: MetadataDocument | undefined,
): Promise<Result<DocumentClient, DocumentRefusal>> =>
  document ? ok(await toDocumentClient(document)) : err('client_document_unavailable')

/** An outage of the host is bridged by an older copy; what the host itself said is not. */
function insteadOf(
  fault: Fault,
  older: MetadataDocument | undefined,
): Promise<Result<DocumentClient, DocumentRefusal>> | Result<DocumentClient, DocumentRefusal> {
  const isWrong = isRefusedDocument(fault) || (fault === 'not_the_document' && !older)
  if (isWrong) return err('client_document_invalid')
  return fault === 'not_found' ? err('client_document_unavailable') : clientOf(older)
}

/** Asks the host. Only a good document is kept, and only for as long as its headers and our bounds allow. */
async function fetchAndKeep(address: ClientIdUrl, deps: ClientDocumentsDeps): Promise<Asked> {
  const fetched = await deps.fetchDocument(address.url, { maxBytes: CLIENT_DOCUMENT_MAX_BYTES })
  const document = fetched.ok ? readMetadataDocument(address.url, fetched.value, deps.policy) : fetched
  const key = keys.clientDocument(await sha256(address.url))
  if (fetched.ok && document.ok) {
    await bestEffort(deps, () => keep(document.value, { key, headers: fetched.value, deps }))
  } else if (!document.ok && isFinal(document.error)) {
    await bestEffort(deps, () => deps.store.run(del(key)))
  }
  return document
}

async function keep(
  document: MetadataDocument,
  {
    key,
    headers,
    deps,
  }: { readonly key: string; readonly headers: FetchedDocument; readonly deps: ClientDocumentsDeps },
): Promise<void> {
  const now = deps.clock()
  const freshMs = cacheLifetimeMs(headers, {
    now,
    minMs: CLIENT_DOCUMENT_FRESH_MIN_MS,
    maxMs: CLIENT_DOCUMENT_FRESH_MAX_MS,
  })
  if (freshMs === undefined) {
    await deps.store.run(del(key))
    return
  }
  const record = JSON.stringify({ v: 1, ...document, freshUntil: now + freshMs })
  await deps.store.run(set(key, record, { ttlMs: freshMs + CLIENT_DOCUMENT_STALE_MS }))
}

/** What is cached of an address. A cache that does not answer or cannot be read is none. */
async function readCache(clientId: string, { store }: ClientDocumentsDeps): Promise<Cached | undefined> {
  const text = await store.run(get(keys.clientDocument(await sha256(clientId)))).catch(ignoreOutage)
  if (text === null) return undefined
  try {
    const { v: _, freshUntil, ...document } = cachedDocument.parse(JSON.parse(text))
    return document.clientId === clientId ? { document, freshUntil } : undefined
  } catch {
    return undefined
  }
}

function ignoreOutage(error: unknown): null {
  if (error instanceof StoreUnavailable) return null
  throw error
}
