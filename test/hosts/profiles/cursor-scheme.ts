import { type HostProfile, probes } from '#test/hosts/profile'

/** An older desktop app, which the person reaches by a click. */
export const cursorScheme: HostProfile = {
  id: 'cursor-scheme',
  name: 'Cursor (before the loopback redirect)',
  sources: [
    'https://github.com/soflyy/agent-connector-for-wp/issues/111',
    'https://github.com/erp-mafia/accounted/pull/2225',
    'https://github.com/bytebase/bytebase/issues/20510',
    'https://articles.mcpruntime.org/mcp/request-flow/',
    'https://cursor.com/docs/mcp',
  ],
  assumed: ['`resource`', 'revision of the protocol'],
  headers: {
    oauth: {},
    mcp: {
      'user-agent': 'Cursor/2.4',
    },
  },
  discovery: [probes.resourceInserted, probes.resourceRoot, probes.call, probes.challenged, probes.server],
  registration: {
    body: {
      client_name: 'Cursor',
      redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  authorization: {
    redirectUri: 'cursor://anysphere.cursor-mcp/oauth/callback',
    scope: 'resource-metadata',
    resource: 'none',
  },
  token: {
    authentication: 'none',
    resource: 'none',
  },
  refresh: {
    race: 'lost answer',
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
