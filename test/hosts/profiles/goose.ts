import { type HostProfile, probes } from '#test/hosts/profile'

/** Refreshes at every start, and asks the person again when that fails. */
export const goose: HostProfile = {
  id: 'goose',
  name: 'Goose',
  sources: [
    'https://github.com/block/goose/blob/main/crates/goose/src/oauth/mod.rs',
    'https://github.com/modelcontextprotocol/rust-sdk',
    'https://github.com/block/goose/issues/11235',
    'https://github.com/aaif-goose/goose/pull/8550',
  ],
  assumed: ['`resource`', '`application_type`'],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [probes.get, probes.challenged, probes.server],
  document: {
    clientId: 'https://goose-docs.ai/oauth/client-metadata.json',
    redirectUri: 'http://127.0.0.1:{port}/oauth_callback',
  },
  registration: {
    body: {
      client_name: 'goose',
      redirect_uris: ['http://127.0.0.1:{port}/oauth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
    },
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:{port}/oauth_callback',
    scope: 'challenge',
    resource: 'url',
  },
  token: {
    authentication: 'none',
    resource: 'url',
  },
  refresh: {
    race: 'every start',
    resource: 'none',
  },
  calls: {
    era: '2025-03-26',
    opening: 'initialize',
    client: {
      name: 'goose',
      version: '1.20.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'GET', 'tools/call'],
    toolPrefix: 'notebook__',
  },
  checks: [
    'iss comes back',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
