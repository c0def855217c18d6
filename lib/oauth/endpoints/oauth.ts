import { challengeOf } from '#lib/oauth/bearer'
import { blocked, endedSoFar, unblocked } from '#lib/oauth/client-standing'
import { authorizationEndpoint, describeRequest } from '#lib/oauth/endpoints/authorize'
import { createBearerReader } from '#lib/oauth/endpoints/bearer-reader'
import { createClientAuthentication } from '#lib/oauth/endpoints/client-authentication'
import { createClientDocuments } from '#lib/oauth/endpoints/client-documents'
import { createClientKeySets } from '#lib/oauth/endpoints/client-key-sets'
import { createClientProof } from '#lib/oauth/endpoints/client-proof'
import { changeStanding, readStanding } from '#lib/oauth/endpoints/client-standing'
import { consentEndpoint } from '#lib/oauth/endpoints/consent'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { discoveryEndpoints } from '#lib/oauth/endpoints/documents'
import { endGrantsOf } from '#lib/oauth/endpoints/end-grants'
import { createFetchPace } from '#lib/oauth/endpoints/fetch-pace'
import { createFloodLimit } from '#lib/oauth/endpoints/flood-limit'
import { createUseNotes, endGrant, grantCheck, listGrants } from '#lib/oauth/endpoints/grants'
import {
  createPersonalToken,
  endPersonalToken,
  listPersonalTokens,
  personalTokenDays,
} from '#lib/oauth/endpoints/personal-tokens'
import { registrationEndpoint } from '#lib/oauth/endpoints/register'
import { revocationEndpoint } from '#lib/oauth/endpoints/revoke'
import { createSigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { standingCheck } from '#lib/oauth/endpoints/standing-check'
import { createStaticClients } from '#lib/oauth/endpoints/static-clients'
import { tokenEndpoint } from '#lib/oauth/endpoints/token'
import { resourceMetadataUrl } from '#lib/oauth/metadata'
import { baseScopes } from '#lib/oauth/scope'

/** Binds the authorization server to its deployment. Opens nothing and asks the store nothing. */
export function createOAuth(deps: OAuthDeps): OAuth {
  const signingKeys = createSigningKeySet(deps)
  const flood = createFloodLimit(deps)
  const noteUse = createUseNotes(deps)
  const pace = createFetchPace(deps.clock)
  const documents = createClientDocuments({ ...documentRules(deps), pace })
  const provesClient = createClientProof(deps, createClientKeySets({ ...deps, pace }))
  const authenticates = createClientAuthentication(deps, { documents, provesClient })
  const challenged = {
    resourceMetadata: resourceMetadataUrl(deps.issuer, deps.resource),
    baseScopes: baseScopes(deps.scopes),
  }

  return {
    ...discoveryEndpoints(deps, signingKeys),
    register: registrationEndpoint(deps, flood),
    authorize: authorizationEndpoint(deps, { flood, documents }),
    consent: consentEndpoint(deps, documents),
    token: tokenEndpoint(deps, { signingKeys, authenticates }),
    revoke: revocationEndpoint(deps, { signingKeys, authenticates }),
    standingCheck: standingCheck(signingKeys),
    readBearer: createBearerReader(deps, signingKeys),
    grantCheck: grantCheck(deps),
    noteUse: async (claims, grant) => {
      await noteUse(claims, grant)
      await signingKeys.advance()
    },
    challenge: (refusal) => challengeOf(refusal, challenged),
    listGrants: (accountId) => listGrants(deps, accountId),
    endGrant: (which) => endGrant(deps, which),
    personalTokenDays: personalTokenDays(deps),
    createPersonalToken: (asked) => createPersonalToken(deps, asked),
    listPersonalTokens: (accountId) => listPersonalTokens(deps, accountId),
    endPersonalToken: (which) => endPersonalToken(deps, which),
    endGrantsOf: (which) => endGrantsOf(deps, which),
    clientStanding: clientStandingOf(deps),
    staticClients: createStaticClients(deps),
    signingKeys,
    describeRequest: (rt) => describeRequest(rt, { deps, documents }),
    warmUp: async () => {
      await signingKeys.current()
    },
  }
}

/** What is asked of a document, and of whom it may be. */
const documentRules = (deps: OAuthDeps) => ({
  ...deps,
  policy: {
    scopes: deps.scopes.map((scope) => scope.name),
    strictRedirects: deps.settings.strictRedirects,
  },
  allow: deps.settings.cimdAllow,
  block: deps.settings.cimdBlock,
})

const clientStandingOf = (deps: OAuthDeps): OAuth['clientStanding'] => ({
  block: async (key) => {
    await changeStanding(deps, key, { event: 'client_blocked', next: blocked })
  },
  unblock: async (key) => {
    await changeStanding(deps, key, { event: 'client_unblocked', next: unblocked })
  },
  endConnections: async (key) => {
    await changeStanding(deps, key, { event: 'client_ended', next: endedSoFar })
  },
  isBlocked: async (key) => (await readStanding(deps, key)).blocked,
})
