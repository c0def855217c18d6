import type { MetadataDocument } from '#lib/oauth/client-id-metadata'

const web = ['authorization_code', 'refresh_token'] as const

const known = (
  clientId: string,
  name: string,
  redirectUris: readonly string[],
  signing: Pick<MetadataDocument, 'authMethods' | 'keys'> = { authMethods: ['none'] },
): readonly [string, MetadataDocument] => [
  clientId,
  { clientId, name, redirectUris, grantTypes: web, ...signing },
]

/** RFC 8252 §7.3: ports do not count. */
const loopback = ['http://127.0.0.1/callback', 'http://localhost/callback']

/**
 * The documents of well-known hosts, so that their users are not locked out when a document cannot be
 * fetched: some of these hosts answer servers in clouds with 403. Used for nothing else; a document that can be
 * fetched always wins, and one that its host took away (404, 410) is not replaced.
 *
 * From a survey of 2026-11-22: vendors' documentation and sources, public issues, and copies of the documents
 * that other servers had made. Only redirect URIs that such a copy showed stand here.
 */
export const knownClients: ReadonlyMap<string, MetadataDocument> = new Map([
  known('https://claude.ai/oauth/mcp-oauth-client-metadata', 'Claude', [
    'https://claude.ai/api/mcp/auth_callback',
  ]),
  known('https://claude.ai/oauth/claude-code-client-metadata', 'Claude Code', loopback),
  known(
    'https://chatgpt.com/oauth/client.json',
    'ChatGPT',
    ['https://chatgpt.com/connector_platform_oauth_redirect'],
    {
      authMethods: ['none', 'private_key_jwt'],
      keys: { jwksUri: 'https://chatgpt.com/oauth/jwks.json' },
    },
  ),
  known('https://chatgpt.com/oauth/codex/client.json', 'Codex', loopback),
  known('https://cursor.com/oauth/mcp-client.json', 'Cursor', [
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'https://www.cursor.com/bot/mcp/oauth/callback',
    'http://localhost:8787/callback',
  ]),
  known('https://vscode.dev/oauth/client-metadata.json', 'Visual Studio Code', [
    'http://127.0.0.1:33418/',
    'https://vscode.dev/redirect',
  ]),
  known('https://zed.dev/oauth/client-metadata.json', 'Zed', ['http://127.0.0.1/callback']),
  known('https://opencode.ai/oauth/opencode/client.json', 'OpenCode', loopback),
  // Its source: documentation/static/oauth/client-metadata.json of the repository aaif-goose/goose.
  known('https://goose-docs.ai/oauth/client-metadata.json', 'goose', [
    'http://127.0.0.1/oauth_callback',
    'http://[::1]/oauth_callback',
  ]),
  // As github/copilot-cli#4901 quotes it; the program comes back on any port.
  known('https://github.com/copilot/cli/client-metadata.json', 'GitHub Copilot CLI', [
    'http://127.0.0.1:33418/',
  ]),
])
