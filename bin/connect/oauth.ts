import * as oauth from 'oauth4webapi'
import { ConnectFailed } from './failure.ts'

/**
 * What a host does between "here is a URL" and "here is a token", one function a step, with a library that
 * knows nothing of Gatehouse. The tests drive the same functions and stop the server between them.
 */

/** A host may not wait for ever for one answer. */
const REQUEST_TIMEOUT_MS = 15_000

/** What the 401 said (RFC 9728 §5.1, RFC 6750 §3). */
export interface Challenge {
  readonly resourceMetadata: URL
  readonly scope: string | undefined
}

export interface Registered {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly redirectUri: string
}

/** A request for authorization on its way; `state` and `verifier` stay with the host. */
export interface Asked {
  readonly url: string
  readonly state: string
  readonly verifier: string
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly scope: string | undefined
  readonly expiresInSeconds: number | undefined
}

/** Asks without a token and reads where to go from the refusal. */
export async function askWithoutToken(resource: URL): Promise<Challenge> {
  const response = await fetch(resource, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  await response.body?.cancel()
  const doing = `Ask ${resource} without a token`
  if (response.status !== 401) throw new ConnectFailed(doing, `expected 401, got ${response.status}`)

  const challenge = response.headers.get('www-authenticate') ?? ''
  const resourceMetadata = parameter(challenge, 'resource_metadata')
  if (!resourceMetadata) {
    throw new ConnectFailed(doing, `the 401 does not name its metadata (WWW-Authenticate: ${challenge})`)
  }
  return { resourceMetadata: new URL(resourceMetadata), scope: parameter(challenge, 'scope') }
}

/** Reads the protected-resource metadata; it must be about exactly this URL (RFC 9728 §3.3). */
export async function readResourceMetadata(
  resource: URL,
  challenge: Challenge,
): Promise<oauth.ResourceServer> {
  const response = await fetch(challenge.resourceMetadata, {
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  return oauth.processResourceDiscoveryResponse(resource, response)
}

/** Reads the authorization-server metadata; its issuer must be the one asked for (RFC 8414 §3.3). */
export async function readServerMetadata(resource: oauth.ResourceServer): Promise<oauth.AuthorizationServer> {
  const [issuer] = resource.authorization_servers ?? []
  if (!issuer) throw new ConnectFailed('Find the authorization server', 'the resource names none')

  const url = new URL(issuer)
  const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options(url) })
  return oauth.processDiscoveryResponse(url, response)
}

/** Registers as a public client (RFC 7591). */
export async function register(
  server: oauth.AuthorizationServer,
  { name, redirectUri }: { readonly name: string; readonly redirectUri: string },
): Promise<Registered> {
  const response = await oauth.dynamicClientRegistrationRequest(
    server,
    {
      client_name: name,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    options(new URL(server.issuer)),
  )
  const client = await oauth.processDynamicClientRegistrationResponse(response)
  return { server, client, redirectUri }
}

/** Makes the URL for the browser: code flow, PKCE S256, resource indicator, state. */
export async function prepareAuthorization(
  { server, client, redirectUri }: Registered,
  { resource, scope }: { readonly resource: URL; readonly scope: string | undefined },
): Promise<Asked> {
  if (!server.authorization_endpoint) {
    throw new ConnectFailed('Prepare the authorization', 'the server names no authorization endpoint')
  }
  const state = oauth.generateRandomState()
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: resource.href,
    ...(scope ? { scope } : {}),
  }).toString()
  return { url: url.href, state, verifier }
}

/** Checks `state` and `iss` of the answer that came back through the browser (RFC 9207), then redeems it. */
export async function redeem(
  { server, client, redirectUri }: Registered,
  asked: Asked,
  { callback, resource }: { readonly callback: URL; readonly resource: URL },
): Promise<Tokens> {
  const parameters = oauth.validateAuthResponse(server, client, callback, asked.state)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    asked.verifier,
    { ...options(new URL(server.issuer)), additionalParameters: { resource: resource.href } },
  )
  return tokensOf(await oauth.processAuthorizationCodeResponse(server, client, response))
}

/** Gets new tokens without the person. */
export async function refresh(
  { server, client }: Registered,
  refreshToken: string,
  resource: URL,
): Promise<Tokens> {
  const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, {
    ...options(new URL(server.issuer)),
    additionalParameters: { resource: resource.href },
  })
  return tokensOf(await oauth.processRefreshTokenResponse(server, client, response))
}

function tokensOf(answer: oauth.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    scope: answer.scope,
    expiresInSeconds: answer.expires_in,
  }
}

/** Plain http is for this machine only. */
function options(url: URL) {
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return {
    [oauth.allowInsecureRequests]: loopback,
    signal: () => AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  }
}

const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`[ ,]${name}="([^"]*)"`).exec(challenge)?.[1]
