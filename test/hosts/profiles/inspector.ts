import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** In a browser, so every answer needs CORS; its command-line client runs for real in `inspector.test.ts`. */
export const inspector: HostProfile = {
  id: 'inspector',
  name: 'MCP Inspector',
  sources: [
    'https://github.com/modelcontextprotocol/inspector (version 2.12.0)',
    'https://github.com/modelcontextprotocol/inspector/issues/817',
  ],
  assumed: [],
  headers: {
    oauth: {
      origin: 'http://localhost:6274',
    },
    mcp: {
      origin: 'http://localhost:6274',
    },
  },
  discovery: [
    withHeaders(probes.call, { 'mcp-protocol-version': '2025-11-25' }),
    withHeaders(probes.challenged, { 'mcp-protocol-version': '2025-11-25' }),
    withHeaders(probes.server, { 'mcp-protocol-version': '2025-11-25' }),
  ],
  registration: {
    body: {
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      application_type: 'native',
    },
    scope: 'challenge+offline_access',
  },
  authorization: {
    redirectUri: 'http://localhost:6274/oauth/callback',
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
    race: 'lost answer',
    resource: 'metadata',
  },
  calls: {
    era: '2026-07-28',
    opening: 'server/discover',
    client: {
      name: 'inspector-web',
      version: '2.12.0',
    },
    afterwards: [
      'tools/list',
      'prompts/list',
      'resources/list',
      'resources/templates/list',
      'tools/call',
      'subscriptions/listen',
    ],
    toolPrefix: '',
  },
  checks: [
    'browsers may read every answer',
    'iss comes back',
    'lists say how long they hold',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
