import { type HostProfile, probes } from '#test/hosts/profile'

/** The current desktop app: registers for all its surfaces at once. */
export const cursor: HostProfile = {
  id: 'cursor',
  name: 'Cursor',
  sources: [
    'https://github.com/soflyy/agent-connector-for-wp/issues/111',
    'https://github.com/erp-mafia/accounted/pull/2225',
    'https://github.com/bytebase/bytebase/issues/20510',
    'https://articles.mcpruntime.org/mcp/request-flow/',
    'https://cursor.com/docs/mcp',
  ],
  assumed: ['`resource`', 'revision of the protocol', 'spelling of the grokbot redirect URI'],
  headers: {
    oauth: {},
    mcp: {
      'user-agent': 'Cursor/2.4',
    },
  },
  discovery: [probes.resourceInserted, probes.resourceRoot, probes.call, probes.challenged, probes.server],
  document: {
    clientId: 'https://cursor.com/oauth/mcp-client.json',
    redirectUri: 'http://localhost:8787/callback',
  },
  registration: {
    body: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
        'grokbot://anysphere.cursor-mcp/oauth/callback',
      ],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  authorization: {
    redirectUri: 'http://localhost:8787/callback',
    scope: 'resource-metadata',
    resource: 'metadata',
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'parallel instances',
    resource: 'none',
  },
  calls: {
    era: '2025-06-18',
    opening: 'initialize',
    client: {
      name: 'cursor-vscode',
      version: '1.0.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'resources/subscribe', 'GET', 'tools/call'],
    toolPrefix: 'mcp_notebook_',
  },
  checks: [
    'all scopes of the resource are granted',
    'no more than 40 tools',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
