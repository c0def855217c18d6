import { type HostProfile, probes } from '#test/hosts/profile'

/** A redirect URI for each tool, and no `scope` at all. */
export const copilotStudio: HostProfile = {
  id: 'copilot-studio',
  name: 'Microsoft Copilot Studio',
  sources: [
    'https://github.com/Teamwork/mcp/issues/67',
    'https://github.com/pantalytics/odoo-mcp-pro/pull/57',
    'https://learn.microsoft.com/en-us/microsoft-copilot-studio/mcp-add-existing-server-to-agent',
  ],
  assumed: ['client name', 'authentication at the token endpoint', 'PKCE', '`resource`'],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [probes.call, probes.resourceInserted, probes.server],
  registration: {
    body: {
      client_name: 'Microsoft Copilot Studio',
      redirect_uris: ['https://global.consent.azure-apim.net/redirect/cr8a1-5fnotebook-5f3c6b1d2e4f708192'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  },
  authorization: {
    redirectUri: 'https://global.consent.azure-apim.net/redirect/cr8a1-5fnotebook-5f3c6b1d2e4f708192',
    scope: 'none',
    resource: 'none',
  },
  token: {
    authentication: 'client_secret_post',
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
      name: 'mcs',
      version: '1.0.0',
    },
    afterwards: ['tools/list', 'resources/list', 'tools/call'],
    toolPrefix: '',
  },
  checks: [
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
