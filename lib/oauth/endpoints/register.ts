import { FORM_MAX_BYTES } from '#lib/config/limits'
import { toSeconds } from '#lib/core/clock'
import { type BodyProblem, readJson } from '#lib/http/body'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import {
  type ClientMetadata,
  parseClientMetadata,
  type RegistrationRefusal,
} from '#lib/oauth/client-metadata'
import { effectiveAuthMethod, type RegisteredClient, registerDynamicClient } from '#lib/oauth/dynamic-client'
import type { Handle, OAuthDeps } from '#lib/oauth/endpoints/deps'
import type { FloodLimit } from '#lib/oauth/endpoints/flood-limit'
import { publicEndpoint } from '#lib/oauth/endpoints/methods'
import { bodyFaults, registrationFault, TOO_MUCH } from '#lib/oauth/registration-fault'

const headers = { ...PUBLIC_CORS, ...NO_STORE }

const bodyStatus: Readonly<Record<BodyProblem, number>> = { media_type: 415, too_large: 413, malformed: 400 }

/** Dynamic client registration (RFC 7591 §3). Nothing is written: the client id holds the client. */
export function registrationEndpoint(deps: OAuthDeps, flood: FloodLimit): Handle {
  const policy = {
    scopes: deps.scopes.map((scope) => scope.name),
    strictRedirects: deps.settings.strictRedirects,
  }

  return publicEndpoint('POST', async (request) => {
    const wait = flood(request)
    if (wait) {
      const retry = { ...headers, 'Retry-After': String(wait.retryAfterSeconds) }
      return Response.json({ error: 'temporarily_unavailable' }, { status: 429, headers: retry })
    }
    const body = await readJson(request, FORM_MAX_BYTES)
    if (!body.ok) {
      return refused('invalid_client_metadata', bodyFaults[body.error], bodyStatus[body.error])
    }

    const metadata = parseClientMetadata(body.value, policy)
    if (!metadata.ok) {
      return refused(metadata.error, registrationFault(body.value, metadata.error, policy))
    }

    const registered = await registerDynamicClient(metadata.value, deps)
    if (!registered) return refused('invalid_client_metadata', TOO_MUCH)
    return Response.json(registration(metadata.value, registered, deps.clock()), { status: 201, headers })
  })
}

/** RFC 7591 §3.2.2. */
const refused = (error: RegistrationRefusal, error_description: string, status = 400) =>
  Response.json({ error, error_description }, { status, headers })

/** What was registered, which may be less than was asked (RFC 7591 §3.2.1). Absent members are left out. */
function registration(metadata: ClientMetadata, registered: RegisteredClient, now: number) {
  const { clientId, clientSecret } = registered
  const { name, scopes, applicationType } = metadata
  return {
    client_id: clientId,
    client_id_issued_at: toSeconds(now),
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 }),
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    response_types: ['code'],
    token_endpoint_auth_method: effectiveAuthMethod(metadata),
    ...(name === undefined ? {} : { client_name: name }),
    ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
    ...(applicationType === undefined ? {} : { application_type: applicationType }),
  }
}
