import { challengeOf } from '#lib/oauth/bearer'
import { authorizationEndpoint, describeRequest } from '#lib/oauth/endpoints/authorize'
import { createBearerReader } from '#lib/oauth/endpoints/bearer-reader'
import { consentEndpoint } from '#lib/oauth/endpoints/consent'
import type { OAuth, OAuthDeps } from '#lib/oauth/endpoints/deps'
import { discoveryEndpoints } from '#lib/oauth/endpoints/documents'
import { createFloodLimit } from '#lib/oauth/endpoints/flood-limit'
import { createUseNotes, endGrant, grantCheck, listGrants } from '#lib/oauth/endpoints/grants'
import {
  createPersonalToken,
  endPersonalToken,
  listPersonalTokens,
  personalTokenDays,
} from '#lib/oauth/endpoints/personal-tokens'
import { registrationEndpoint } from '#lib/oauth/endpoints/register'
import { createSigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { tokenEndpoint } from '#lib/oauth/endpoints/token'
import { resourceMetadataUrl } from '#lib/oauth/metadata'
import { baseScopes } from '#lib/oauth/scope'

/** Binds the authorization server to its deployment. Opens nothing and asks the store nothing. */
export function createOAuth(deps: OAuthDeps): OAuth {
  const signingKeys = createSigningKeySet(deps)
  const flood = createFloodLimit(deps)
  const noteUse = createUseNotes(deps)
  const challenged = {
    resourceMetadata: resourceMetadataUrl(deps.issuer, deps.resource),
    baseScopes: baseScopes(deps.scopes),
  }

  return {
    ...discoveryEndpoints(deps, signingKeys),
    register: registrationEndpoint(deps, flood),
    authorize: authorizationEndpoint(deps, flood),
    consent: consentEndpoint(deps),
    token: tokenEndpoint(deps, signingKeys),
    readBearer: createBearerReader(deps, signingKeys),
    grantCheck: grantCheck(deps),
    noteUse: async (claims, grant) => {
      await noteUse(claims, grant)
      await signingKeys.refresh()
    },
    challenge: (refusal) => challengeOf(refusal, challenged),
    listGrants: (accountId) => listGrants(deps, accountId),
    endGrant: (which) => endGrant(deps, which),
    personalTokenDays: personalTokenDays(deps),
    createPersonalToken: (asked) => createPersonalToken(deps, asked),
    listPersonalTokens: (accountId) => listPersonalTokens(deps, accountId),
    endPersonalToken: (which) => endPersonalToken(deps, which),
    describeRequest: (rt) => describeRequest(rt, deps),
    warmUp: async () => {
      await signingKeys.current()
    },
  }
}
