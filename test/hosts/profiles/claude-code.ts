import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** Many processes with one stored token; registers without `application_type`. */
export const claudeCode: HostProfile = {
  id: 'claude-code',
  name: 'Claude Code',
  sources: [
    'https://github.com/anthropics/claude-code/issues/47185',
    'https://github.com/anthropics/claude-code/issues/85236',
    'https://github.com/anthropics/claude-code/issues/91641',
    'https://github.com/openstory-so/openstory/issues/1692',
  ],
  assumed: ['wording of the client name'],
  headers: {
    oauth: {
      'user-agent': 'claude-code/2.1.232',
    },
    mcp: {
      'user-agent': 'claude-code/2.1.232 (cli)',
    },
  },
  discovery: [
    withHeaders(probes.call, { 'mcp-protocol-version': '2026-07-28' }),
    withHeaders(probes.challenged, { 'mcp-protocol-version': '2026-07-28' }),
    withHeaders(probes.server, { 'mcp-protocol-version': '2026-07-28' }),
  ],
  document: {
    clientId: 'https://claude.ai/oauth/claude-code-client-metadata',
    redirectUri: 'http://localhost:{port}/callback',
  },
  registration: {
    body: {
      client_name: 'Claude Code (notebook)',
      redirect_uris: ['http://localhost:{port}/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    scope: 'challenge',
  },
  authorization: {
    redirectUri: 'http://localhost:{other-port}/callback',
    scope: 'challenge',
    resource: 'metadata',
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'many processes',
    resource: 'metadata',
  },
  calls: {
    era: '2026-07-28',
    opening: 'server/discover',
    client: {
      name: 'claude-code',
      version: '2.1.232',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'tools/call', 'subscriptions/listen'],
    toolPrefix: 'mcp__notebook__',
  },
  checks: [
    'resource is the pasted URL',
    'iss comes back',
    'lists say how long they hold',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
