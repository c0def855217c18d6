import { type HostProfile, probes } from '#test/hosts/profile'

/** Registers one port and comes back on another; compares issuers strictly. */
export const copilotCli: HostProfile = {
  id: 'copilot-cli',
  name: 'GitHub Copilot CLI',
  sources: [
    'https://github.com/dozigden/boardoil/issues/11',
    'https://github.com/github/copilot-cli/issues/1951',
    'https://github.com/github/copilot-cli/issues/4793',
    'https://github.com/github/copilot-cli/issues/4439',
    'https://github.com/github/copilot-cli/issues/4901',
  ],
  assumed: ['client name', '`resource`'],
  headers: {
    oauth: {},
    mcp: {},
  },
  discovery: [probes.call, probes.challenged, probes.server],
  document: {
    clientId: 'https://github.com/copilot/cli/client-metadata.json',
    redirectUri: 'http://127.0.0.1:{other-port}/',
  },
  registration: {
    body: {
      client_name: 'GitHub Copilot CLI',
      redirect_uris: ['http://127.0.0.1:{port}/'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
  },
  authorization: {
    redirectUri: 'http://127.0.0.1:{other-port}/',
    scope: 'none',
    resource: 'metadata',
  },
  token: {
    authentication: 'none',
    resource: 'metadata',
  },
  refresh: {
    race: 'parallel instances',
    resource: 'metadata',
  },
  calls: {
    era: '2025-11-25',
    opening: 'initialize',
    client: {
      name: 'github-copilot-developer',
      version: '1.0.86',
    },
    afterwards: ['tools/list', 'prompts/list', 'resources/list', 'tools/call'],
    toolPrefix: 'notebook-',
  },
  checks: [
    'resource is the pasted URL',
    'iss comes back',
    'issuer is the same string everywhere',
    'tokens are complete',
    'S256 is listed',
    'tool names fit behind the prefix',
    'no tool is larger than 16 KiB',
  ],
}
