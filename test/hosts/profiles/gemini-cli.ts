import { type HostProfile, probes } from '#test/hosts/profile'

/** Asks with HEAD, registers with a member of its own, and compares `resource` byte for byte. */
export const geminiCli: HostProfile = {
  id: 'gemini-cli',
  name: 'Gemini CLI',
  sources: [
    'https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/mcp/oauth-provider.ts',
    'https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/mcp/oauth-utils.ts',
    'https://github.com/google-gemini/gemini-cli/issues/12447',
    'https://github.com/google-gemini/gemini-cli/issues/15754',
  ],
  assumed: ['value of `code_challenge_method` in the registration'],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [probes.head, probes.resourceInserted, probes.server],
  registration: {
    body: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      code_challenge_method: ['S256'],
    },
    scope: 'server-metadata',
  },
  authorization: {
    redirectUri: 'http://localhost:7777/oauth/callback',
    scope: 'server-metadata',
    resource: 'url',
  },
  token: {
    authentication: 'none',
    resource: 'url',
  },
  refresh: {
    race: 'lost answer',
    resource: 'url',
    scope: 'server-metadata',
  },
  calls: {
    era: '2025-06-18',
    opening: 'initialize',
    client: {
      name: 'gemini-cli-mcp-client',
      version: '0.0.1',
    },
    afterwards: ['tools/list', 'prompts/list', 'GET', 'tools/call'],
    toolPrefix: 'mcp_notebook_',
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
