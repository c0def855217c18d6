import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** Takes scopes from the authorization server, asks with GET, and keeps old refresh tokens. */
export const codex: HostProfile = {
  id: 'codex',
  name: 'Codex (CLI, IDE)',
  sources: [
    'https://github.com/openai/codex/blob/main/codex-rs/rmcp-client/src/perform_oauth_login.rs',
    'https://github.com/openai/codex/issues/42427',
    'https://github.com/openai/codex/issues/38944',
    'https://github.com/openai/codex/issues/15643',
  ],
  assumed: ['`application_type`'],
  headers: {
    oauth: {},
    mcp: {
      'user-agent': 'codex-mcp-client',
    },
  },
  discovery: [
    withHeaders(probes.serverInserted, { 'mcp-protocol-version': '2024-11-05' }),
    withHeaders(probes.serverAppended, { 'mcp-protocol-version': '2024-11-05' }),
    withHeaders(probes.server, { 'mcp-protocol-version': '2024-11-05' }),
    probes.get,
    probes.challenged,
    probes.server,
  ],
  document: {
    clientId: 'https://chatgpt.com/oauth/codex/client.json',
    redirectUri: 'http://127.0.0.1:{port}/callback',
  },
  registration: {
    body: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:{port}/callback/q83vEjRWeJCr'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
    },
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:{port}/callback/q83vEjRWeJCr',
    scope: 'server-metadata',
    resource: 'url',
  },
  token: {
    authentication: 'none',
    resource: 'url',
  },
  refresh: {
    race: 'stale generation',
    resource: 'url',
  },
  calls: {
    era: '2025-06-18',
    opening: 'initialize',
    client: {
      name: 'codex-mcp-client',
      version: '0.120.0',
    },
    afterwards: ['tools/list', 'GET', 'tools/call', 'resources/list', 'resources/templates/list'],
    toolPrefix: 'mcp__notebook__',
  },
  checks: [
    'resource is the pasted URL',
    'the first 512 characters of the instructions say what this is',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
