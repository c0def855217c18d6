import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** Several instances share one token file; the package itself runs in `mcp-remote.test.ts`. */
export const mcpRemote: HostProfile = {
  id: 'mcp-remote',
  name: 'mcp-remote',
  sources: [
    'https://github.com/punkpeye/mcp-remote (version 0.15.1)',
    'https://github.com/punkpeye/mcp-remote/pull/351',
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
  registration: {
    body: {
      redirect_uris: ['http://localhost:{port}/oauth/callback'],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'MCP CLI Proxy',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.15.1',
      application_type: 'native',
    },
    scope: 'challenge+offline_access',
  },
  authorization: {
    redirectUri: 'http://localhost:{port}/oauth/callback',
    scope: 'challenge+offline_access',
    resource: 'metadata',
    more: {
      prompt: 'consent',
    },
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'parallel instances',
    resource: 'metadata',
  },
  calls: {
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'claude-ai (via mcp-remote 0.15.1)',
      version: '0.1.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'GET', 'tools/call'],
    toolPrefix: '',
  },
  checks: [
    'resource is the pasted URL',
    'iss comes back',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
