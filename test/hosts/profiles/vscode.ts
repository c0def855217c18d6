import { type HostProfile, probes, withHeaders } from '#test/hosts/profile'

/** Its usual port 33418 is taken, so it comes back on another one. */
export const vscode: HostProfile = {
  id: 'vscode',
  name: 'VS Code (Copilot)',
  sources: [
    'https://github.com/microsoft/vscode/blob/main/src/vs/base/common/oauth.ts',
    'https://github.com/microsoft/vscode/issues/278512',
    'https://code.visualstudio.com/docs/copilot/chat/mcp-servers',
  ],
  assumed: ['`resource` in the token request'],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [
    withHeaders(probes.call, { 'mcp-protocol-version': '2025-11-25' }),
    probes.challenged,
    probes.server,
  ],
  document: {
    clientId: 'https://vscode.dev/oauth/client-metadata.json',
    redirectUri: 'http://127.0.0.1:{other-port}/',
  },
  registration: {
    body: {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    scope: 'challenge',
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:{other-port}/',
    scope: 'challenge',
    resource: 'metadata',
    state: 'vscode://dynamicauthprovider/localhost/authorize?nonce=4c1b%2Fa%3D%3D&windowId=1',
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'lost answer',
    resource: 'none',
  },
  calls: {
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'Visual Studio Code',
      version: '1.140.0',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'GET', 'tools/call'],
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
