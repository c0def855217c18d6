import { type HostProfile, probes } from '#test/hosts/profile'

/** With a redirect URI of its own for each connector, which nobody can list beforehand. */
export const chatgptConnector: HostProfile = {
  id: 'chatgpt-connector',
  name: 'ChatGPT (redirect for each connector)',
  sources: [
    'https://developers.openai.com/plugins/build/auth',
    'https://github.com/BasedHardware/omi/issues/8824',
    'https://github.com/danielealbano/android-remote-control-mcp/pull/166',
  ],
  assumed: ['members of the registration other than the redirect URI', 'revision of the protocol'],
  headers: {
    oauth: {
      'user-agent': 'openai-mcp/1.0.0',
    },
    mcp: {
      'user-agent': 'openai-mcp/1.0.0',
    },
  },
  discovery: [probes.call, probes.challenged, probes.server, probes.openid],
  registration: {
    body: {
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector/oauth/OUbdUMlL15Ct'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
  },
  authorization: {
    redirectUri: 'https://chatgpt.com/connector/oauth/OUbdUMlL15Ct',
    scope: 'none',
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
    era: '2025-06-18',
    opening: 'initialize',
    client: {
      name: 'openai-mcp',
      version: '1.0.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'tools/call'],
    toolPrefix: '',
  },
  checks: [
    'resource is the pasted URL',
    'iss comes back',
    'audience is the resource',
    'reading tools say so',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
