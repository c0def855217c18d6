import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** Registers again for every run, without `application_type`. */
export const opencode: HostProfile = {
  id: 'opencode',
  name: 'OpenCode',
  sources: [
    'https://github.com/anomalyco/opencode/blob/dev/packages/opencode/src/mcp/oauth-provider.ts',
    'https://github.com/anomalyco/opencode/issues/35625',
    'https://github.com/anomalyco/opencode/issues/49439',
  ],
  assumed: [],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [
    withHeaders(probes.call, { 'mcp-protocol-version': '2025-11-25' }),
    withHeaders(probes.challenged, { 'mcp-protocol-version': '2025-11-25' }),
    withHeaders(probes.server, { 'mcp-protocol-version': '2025-11-25' }),
  ],
  document: {
    clientId: 'https://opencode.ai/oauth/opencode/client.json',
    redirectUri: 'http://127.0.0.1:19876/callback',
  },
  registration: {
    body: {
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      client_name: 'OpenCode',
      client_uri: 'https://opencode.ai',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:19876/mcp/oauth/callback',
    scope: 'challenge',
    resource: 'metadata',
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'new registration',
    resource: 'metadata',
  },
  calls: {
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'opencode',
      version: '1.0.193',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'GET', 'tools/call'],
    toolPrefix: 'notebook_',
  },
  checks: [
    'resource is the pasted URL',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
