/**
 * What is known of one host, as data: what it sends, in which order, and what it insists on. Texts may hold
 * `{port}` (the port of its callback when it registered), `{other-port}` (another one, later) and `{version}`.
 */
export interface HostProfile {
  /** Also the name of its file. */
  readonly id: string
  readonly name: string
  /** Where this was read: the host's source, its documentation, or captures and reports of others. */
  readonly sources: readonly string[]
  /** What nobody outside has published, and is therefore replayed as a guess. */
  readonly assumed: readonly string[]
  readonly headers: {
    readonly oauth: Readonly<Record<string, string>>
    readonly mcp: Readonly<Record<string, string>>
  }
  /** What it asks before it knows anything, in its order. */
  readonly discovery: readonly Probe[]
  /** It would rather be known by a metadata document: its client id, and the redirect URI it then uses. */
  readonly document?: { readonly clientId: string; readonly redirectUri: string }
  readonly registration: {
    /** RFC 7591 metadata exactly as it sends it. */
    readonly body: Readonly<Record<string, unknown>>
    /** Adds `scope` to the body. Absent: it does not. */
    readonly scope?: ScopeSource
  }
  readonly authorization: {
    /** The one it uses; on loopback its port may be another than the registered one. */
    readonly redirectUri: string
    readonly scope: ScopeSource
    readonly resource: ResourceSource
    readonly state?: string
    /** Anything else in the query. */
    readonly more?: Readonly<Record<string, string>>
  }
  readonly token: {
    readonly authentication: 'none' | 'client_secret_post' | 'client_secret_basic'
    readonly resource: ResourceSource
  }
  readonly refresh: { readonly race: Race; readonly resource: ResourceSource; readonly scope?: ScopeSource }
  readonly calls: {
    readonly era: Era
    readonly opening: 'initialize' | 'server/discover'
    readonly client: { readonly name: string; readonly version: string }
    /** After the opening, in its order. */
    readonly afterwards: readonly Call[]
    /** Stands before every tool name when a model sees it. */
    readonly toolPrefix: string
  }
  readonly checks: readonly Check[]
}

export type Era = '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28'

/** One request without a token. `{challenged}` is the metadata URL that the 401 named. */
export interface Probe {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly path: string
  readonly answers: 200 | 401 | 404 | 405
  readonly headers?: Readonly<Record<string, string>>
}

/** Where it takes scopes from; `offline_access` is added where the server lists it. */
export type ScopeSource =
  | 'none'
  | 'challenge'
  | 'challenge+offline_access'
  | 'resource-metadata'
  | 'server-metadata'

/** Where it takes `resource` from (RFC 8707): the metadata, or the URL that the person pasted. */
export type ResourceSource = 'none' | 'metadata' | 'url'

/** How its refreshes get into each other's way; see `races.ts`. */
export type Race =
  | 'two addresses at once'
  | 'many processes'
  | 'parallel instances'
  | 'lost answer'
  | 'stale generation'
  | 'every start'
  | 'new registration'

export type Call =
  | 'tools/list'
  | 'prompts/list'
  | 'resources/list'
  | 'resources/templates/list'
  | 'tools/call'
  | 'resources/subscribe'
  | 'subscriptions/listen'
  | 'GET'

/** What it insists on; see `checks.ts`. */
export type Check =
  | 'issuer is the same string everywhere'
  | 'resource is the pasted URL'
  | 'iss comes back'
  | 'audience is the resource'
  | 'tokens are complete'
  | 'S256 is listed'
  | 'lists say how long they hold'
  | 'the first 512 characters of the instructions say what this is'
  | 'tool names fit behind the prefix'
  | 'no tool is larger than 16 KiB'
  | 'no more than 40 tools'
  | 'reading tools say so'
  | 'all scopes of the resource are granted'
  | 'browsers may read every answer'

const WELL_KNOWN = '/.well-known'
const MCP = '/api/mcp'

/** The requests that hosts begin with, by what they are. */
export const probes = {
  call: { method: 'POST', path: MCP, answers: 401 },
  get: { method: 'GET', path: MCP, answers: 401 },
  // Gemini CLI looks for a challenge here and goes on without: HEAD is not served.
  head: { method: 'HEAD', path: MCP, answers: 405 },
  challenged: { method: 'GET', path: '{challenged}', answers: 200 },
  resourceInserted: { method: 'GET', path: `${WELL_KNOWN}/oauth-protected-resource${MCP}`, answers: 200 },
  resourceRoot: { method: 'GET', path: `${WELL_KNOWN}/oauth-protected-resource`, answers: 200 },
  server: { method: 'GET', path: `${WELL_KNOWN}/oauth-authorization-server`, answers: 200 },
  openid: { method: 'GET', path: `${WELL_KNOWN}/openid-configuration`, answers: 200 },
  // An issuer without a path has no document there: 404, never a page and never 5xx (RFC 8414 §3.3).
  serverInserted: { method: 'GET', path: `${WELL_KNOWN}/oauth-authorization-server${MCP}`, answers: 404 },
  serverAppended: { method: 'GET', path: `${MCP}${WELL_KNOWN}/oauth-authorization-server`, answers: 404 },
  openidInserted: { method: 'GET', path: `${WELL_KNOWN}/openid-configuration${MCP}`, answers: 404 },
  openidAppended: { method: 'GET', path: `${MCP}${WELL_KNOWN}/openid-configuration`, answers: 404 },
} as const satisfies Record<string, Probe>

/** A probe with headers of its own. */
export const withHeaders = (probe: Probe, headers: Readonly<Record<string, string>>): Probe => ({
  ...probe,
  headers,
})
