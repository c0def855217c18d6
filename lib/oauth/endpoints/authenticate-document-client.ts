import { err, ok, type Result } from '#lib/core/result'
import { grantIdOfCode } from '#lib/oauth/authorization-code'
import { type ClientRecord, type DocumentClient, grantTypes } from '#lib/oauth/client'
import type { ClientCredentials } from '#lib/oauth/client-credentials'
import { documentAuthMethods } from '#lib/oauth/client-id-metadata'
import type { ClientDocuments } from '#lib/oauth/endpoints/client-documents'
import type { ProvesClient } from '#lib/oauth/endpoints/client-proof'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { asConnection, grantRecord } from '#lib/oauth/grant'
import { readRefreshToken } from '#lib/oauth/refresh-token'
import type { TokenRequest } from '#lib/oauth/token-request'
import { keys } from '#lib/store/keys'
import { readRecord } from '#lib/store/record'

/** All that is needed to know a client again that is named by an address. */
export interface DocumentClientDeps {
  readonly deps: Pick<OAuthDeps, 'store' | 'keyRing'>
  readonly documents: Pick<ClientDocuments, 'accepts'>
  readonly provesClient: ProvesClient
  readonly requestId: string
}

/** The grant that a token request is about; `undefined` when it names none of ours. */
export async function grantIdOfRequest(
  request: TokenRequest,
  { keyRing }: Pick<OAuthDeps, 'keyRing'>,
): Promise<string | undefined> {
  if (request.grantType === 'authorization_code') return grantIdOfCode(request.code)
  return (await readRefreshToken(request.refreshToken, keyRing))?.grantId
}

/**
 * The client that presented these credentials, as it was when its grant was made: its document is never
 * fetched here, so neither an outage nor a change of it touches a connection (OAUTH.md §1.14). Without a grant
 * there is nobody to authenticate, and what was presented is good for nothing: `invalid_grant`.
 */
export async function authenticateDocumentClient(
  { clientId, method, clientAssertion }: ClientCredentials,
  grantId: string | undefined,
  { deps, documents, provesClient, requestId }: DocumentClientDeps,
): Promise<Result<DocumentClient, 'invalid_client' | 'invalid_grant'>> {
  const address = documents.accepts(clientId)
  const isPossible = documentAuthMethods.some((known) => known === method)
  if (!address.ok || !isPossible) return err('invalid_client')

  const found =
    grantId === undefined ? undefined : await readRecord(deps.store, keys.grant(grantId), grantRecord)
  const record = asConnection(found)?.client
  if (record?.id !== clientId || record.kind !== 'metadata_document') return err('invalid_grant')

  const client = fromRecord(record, address.value.host)
  if (!client.authMethods.includes(method)) return err('invalid_client')
  if (method === 'none') return ok(client)
  if (clientAssertion === undefined || client.keys === undefined) return err('invalid_client')
  const isProven = await provesClient(clientAssertion, { clientId, keys: client.keys, requestId })
  return isProven ? ok(client) : err('invalid_client')
}

/** The client that a grant remembers. */
function fromRecord(record: ClientRecord, host: string): DocumentClient {
  const { id, key, name, verified, redirectUris, keys: known, digest = '' } = record
  return {
    kind: 'metadata_document',
    id,
    key,
    host,
    name,
    verified,
    redirectUris,
    grantTypes: grantTypes.filter((type) => record.grantTypes.includes(type)),
    authMethods: documentAuthMethods.filter((method) => record.authMethods?.includes(method)),
    keys: known,
    digest,
    scopeCeiling: undefined,
  }
}
