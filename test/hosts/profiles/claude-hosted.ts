import { type HostProfile, probes } from '#test/hosts/profile'

/** One hosted client behind all surfaces of Claude; its requests leave from two addresses. */
export const claudeHosted: HostProfile = {
  id: 'claude-hosted',
  name: 'Claude (web, desktop, mobile, Cowork)',
  sources: [
    'https://claude.com/docs/connectors/building/authentication',
    'https://github.com/PostHog/posthog/pull/48397',
    'https://github.com/anthropics/claude-ai-mcp/issues/1043',
    'https://github.com/PrefectHQ/fastmcp/issues/4264',
  ],
  assumed: ['scope of the registration (none was captured)'],
  headers: {
    oauth: {
      'user-agent': 'python-httpx/0.28.1',
      'x-forwarded-for': '160.79.104.10',
    },
    mcp: {
      'user-agent': 'Claude-User',
      'x-forwarded-for': '160.79.104.10',
    },
  },
  discovery: [probes.call, probes.challenged, probes.server],
  document: {
    clientId: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    redirectUri: 'https://claude.ai/api/mcp/auth_callback',
  },
  registration: {
    body: {
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'Claude',
    },
  },
  authorization: {
    redirectUri: 'https://claude.ai/api/mcp/auth_callback',
    scope: 'challenge+offline_access',
    resource: 'metadata',
  },
  token: {
    authentication: 'client_secret_post',
    resource: 'metadata',
  },
  refresh: {
    race: 'two addresses at once',
    resource: 'metadata',
  },
  calls: {
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'claude-ai',
      version: '0.1.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'tools/call'],
    toolPrefix: '',
  },
  checks: [
    'resource is the pasted URL',
    'audience is the resource',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
