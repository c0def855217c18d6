import {
  auth,
  Client,
  type OAuthDiscoveryState,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import {
  auth as authV1,
  type OAuthDiscoveryState as OAuthDiscoveryStateV1,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  type Asked,
  askWithoutToken,
  prepareAuthorization,
  type Registered,
  readResourceMetadata,
  readServerMetadata,
  redeem,
  refresh,
  register,
  type Tokens,
} from '../../bin/connect/oauth.ts'

/** A host of ours in the tests: a client library used as its documentation says. */
export interface Host {
  /** 401, discovery, registration. Gives the URL for the browser. */
  begin(): Promise<string>
  /** The browser came back with this URL: check it and get tokens. */
  finish(answer: URL): Promise<void>
  /** Connects anew and calls a tool. Gives the text of the result. */
  call(tool: string, input: Record<string, unknown>): Promise<string>
  /** Gets new tokens without the person. */
  refresh(): Promise<void>
  readonly tokens: { readonly access: string; readonly refresh: string }
  /** Of the last call. */
  readonly protocol: string | undefined
}

export interface HostOptions {
  readonly resource: URL
  readonly redirectUri: string
  /** Runs before each HTTP request of the host. */
  readonly before?: () => Promise<void>
}

const metadata = (redirectUri: string, name: string) => ({
  client_name: name,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
})

/** With characters that must survive every redirect byte for byte. */
const STATE = 'of the host/+%20&=é"<'

interface Registration {
  client_id: string
}

interface StoredTokens {
  access_token: string
  token_type: string
}

/** Everything that the SDKs' providers are asked to remember. */
function newProvider<
  Information,
  Stored extends { access_token: string; refresh_token?: string | undefined },
  Discovery,
>(redirectUri: string, name: string) {
  let information: Information | undefined
  let tokens: Stored | undefined
  let discovery: Discovery | undefined
  let verifier = ''
  let authorizationUrl = ''
  return {
    redirectUrl: redirectUri,
    clientMetadata: metadata(redirectUri, name),
    state: () => STATE,
    /** The SDKs leave this to the host. */
    checkState: (answer: URL) => {
      if (answer.searchParams.get('state') !== STATE) throw new Error('another state came back')
    },
    clientInformation: () => information,
    saveClientInformation: (given: Information) => {
      information = given
    },
    tokens: () => tokens,
    saveTokens: (given: Stored) => {
      tokens = given
    },
    redirectToAuthorization: (url: URL) => {
      authorizationUrl = url.href
    },
    saveDiscoveryState: (given: Discovery) => {
      discovery = given
    },
    discoveryState: () => discovery,
    saveCodeVerifier: (given: string) => {
      verifier = given
    },
    codeVerifier: () => verifier,
    authorizationUrl: () => authorizationUrl,
    current: () => {
      if (!tokens?.refresh_token) throw new Error('the host has no tokens')
      return { access: tokens.access_token, refresh: tokens.refresh_token }
    },
  }
}

const fetchAfter =
  (before: HostOptions['before']): typeof fetch =>
  async (input, init) => {
    await before?.()
    return fetch(input, init)
  }

/** The text of a tool's result, whichever SDK gave it. */
function textOf(result: object): string {
  const parts = 'content' in result && Array.isArray(result.content) ? result.content : []
  return parts.map((part: { text?: string }) => part.text ?? '').join('\n')
}

/** `@modelcontextprotocol/sdk`: the client of the 2025 era. */
export function hostV1({ resource, redirectUri, before }: HostOptions): Host {
  const provider = newProvider<Registration, StoredTokens, OAuthDiscoveryStateV1>(
    redirectUri,
    'Host on SDK v1',
  )
  const fetchFn = fetchAfter(before)
  const transport = () => new TransportV1(resource, { authProvider: provider, fetch: fetchFn })
  const client = () => new ClientV1({ name: 'host-v1', version: '1.0.0' })
  let first = transport()
  let protocol: string | undefined

  return {
    async begin() {
      first = transport()
      const refused = await client()
        // The SDK's own types disagree under exactOptionalPropertyTypes.
        .connect(first as never)
        .catch((error: unknown) => error)
      if (!provider.authorizationUrl()) throw refused
      return provider.authorizationUrl()
    },
    async finish(answer) {
      provider.checkState(answer)
      await first.finishAuth(answer.searchParams.get('code') ?? '')
    },
    async call(tool, input) {
      const connected = client()
      const fresh = transport()
      await connected.connect(fresh as never)
      protocol = fresh.protocolVersion
      try {
        return textOf(await connected.callTool({ name: tool, arguments: input }))
      } finally {
        await connected.close()
      }
    },
    async refresh() {
      const outcome = await authV1(provider, { serverUrl: resource, fetchFn })
      if (outcome !== 'AUTHORIZED') throw new Error(`refresh: ${outcome}`)
    },
    get tokens() {
      return provider.current()
    },
    get protocol() {
      return protocol
    },
  }
}

/** `@modelcontextprotocol/client` in the mode `auto`: it prefers 2026-07-28. */
export function hostV2({ resource, redirectUri, before }: HostOptions): Host {
  const provider = newProvider<Registration, StoredTokens, OAuthDiscoveryState>(redirectUri, 'Host on SDK v2')
  const fetchFn = fetchAfter(before)
  const transport = () =>
    new StreamableHTTPClientTransport(resource, { authProvider: provider, fetch: fetchFn })
  const client = () =>
    new Client({ name: 'host-v2', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  let first = transport()
  let protocol: string | undefined

  return {
    async begin() {
      first = transport()
      const refused = await client()
        .connect(first)
        .catch((error: unknown) => error)
      if (!provider.authorizationUrl()) throw refused
      return provider.authorizationUrl()
    },
    async finish(answer) {
      provider.checkState(answer)
      await first.finishAuth(answer.searchParams)
    },
    async call(tool, input) {
      const connected = client()
      await connected.connect(transport())
      protocol = connected.getNegotiatedProtocolVersion()
      try {
        return textOf(await connected.callTool({ name: tool, arguments: input }))
      } finally {
        await connected.close()
      }
    },
    async refresh() {
      const outcome = await auth(provider, { serverUrl: resource, fetchFn })
      if (outcome !== 'AUTHORIZED') throw new Error(`refresh: ${outcome}`)
    },
    get tokens() {
      return provider.current()
    },
    get protocol() {
      return protocol
    },
  }
}

/** `oauth4webapi`, which knows no MCP, for everything about tokens; calls go out in the 2026-07-28 era. */
export function hostOAuth4WebApi({ resource, redirectUri, before }: HostOptions): Host {
  let registered: Registered | undefined
  let asked: Asked | undefined
  let tokens: Tokens | undefined

  const step = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    await before?.()
    return act()
  }
  const known = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error('the host has not come that far')
    return value
  }

  return {
    async begin() {
      const challenge = await step(() => askWithoutToken(resource))
      const described = await step(() => readResourceMetadata(resource, challenge))
      const server = await step(() => readServerMetadata(described))
      registered = await step(() => register(server, { name: 'Host on oauth4webapi', redirectUri }))
      asked = await prepareAuthorization(registered, { resource, scope: challenge.scope })
      return asked.url
    },
    async finish(answer) {
      tokens = await step(() => redeem(known(registered), known(asked), { callback: answer, resource }))
    },
    async call(tool, input) {
      const { accessToken } = known(tokens)
      const client = new Client(
        { name: 'host-oauth4webapi', version: '1.0.0' },
        { versionNegotiation: { mode: { pin: '2026-07-28' } } },
      )
      const authProvider = { token: async () => accessToken }
      const fetchFn = fetchAfter(before)
      await client.connect(new StreamableHTTPClientTransport(resource, { authProvider, fetch: fetchFn }))
      try {
        return textOf(await client.callTool({ name: tool, arguments: input }))
      } finally {
        await client.close()
      }
    },
    async refresh() {
      const { refreshToken } = known(tokens)
      tokens = await step(() => refresh(known(registered), known(refreshToken), resource))
    },
    get tokens() {
      const { accessToken, refreshToken } = known(tokens)
      return { access: accessToken, refresh: known(refreshToken) }
    },
    protocol: '2026-07-28',
  }
}

/** Every kind of host. */
export const hosts = [
  { name: 'SDK v1', open: hostV1, protocol: '2025-11-25' },
  { name: 'SDK v2 (auto)', open: hostV2, protocol: '2026-07-28' },
  { name: 'oauth4webapi', open: hostOAuth4WebApi, protocol: '2026-07-28' },
] as const
