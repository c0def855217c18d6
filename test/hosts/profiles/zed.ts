import { type HostProfile, probes } from '#test/hosts/profile'

/** Sends `resource` everywhere, also with every refresh. */
export const zed: HostProfile = {
  id: 'zed',
  name: 'Zed',
  sources: [
    'https://github.com/zed-industries/zed/blob/main/crates/context_server/src/oauth.rs',
    'https://zed.dev/docs/ai/mcp',
  ],
  assumed: [],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [probes.call, probes.challenged, probes.server],
  document: {
    clientId: 'https://zed.dev/oauth/client-metadata.json',
    redirectUri: 'http://127.0.0.1:{port}/callback',
  },
  registration: {
    body: {
      client_name: 'Zed',
      redirect_uris: ['http://127.0.0.1:{port}/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    scope: 'challenge',
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:{port}/callback',
    scope: 'challenge',
    resource: 'metadata',
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
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'Zed',
      version: '0.220.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'tools/call'],
    toolPrefix: '',
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
