import { err, ok } from '#lib/core/result'
import type { FetchDocument, FetchFault } from '#lib/oauth/fetch-document'

interface Answer {
  readonly body: unknown
  readonly cacheControl?: string | null
  readonly contentType?: string
}

/** The hosts of documents, as the fetcher sees them, with a list of what was fetched. */
export function createDocumentHosts(documents: Readonly<Record<string, unknown>> = {}) {
  const answers = new Map<string, Answer | FetchFault>()
  const fetched: string[] = []
  const put = (url: string, answer: Answer | FetchFault) => {
    answers.set(url, answer)
  }
  for (const [url, body] of Object.entries(documents)) put(url, { body })

  const fetchDocument: FetchDocument = async (url, { maxBytes }) => {
    fetched.push(url)
    await Promise.resolve()
    const answer = answers.get(url) ?? 'not_found'
    if (typeof answer === 'string') return err(answer)
    const { body, cacheControl = 'max-age=3600', contentType = 'application/json' } = answer
    const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
    if (bytes.length > maxBytes) return err('too_large')
    return ok({ body: bytes, contentType, cacheControl, expires: null, age: null })
  }
  return { fetchDocument, fetched, put }
}

export const CHATGPT = 'https://chatgpt.com/oauth/client.json'
export const CHATGPT_KEYS = 'https://chatgpt.com/oauth/jwks.json'
export const CHATGPT_REDIRECT = 'https://chatgpt.com/connector_platform_oauth_redirect'

/** As ChatGPT publishes it: signs by preference, and offers not to. */
export const chatgpt = {
  client_id: CHATGPT,
  client_name: 'ChatGPT',
  client_uri: 'https://chatgpt.com/',
  redirect_uris: [CHATGPT_REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  token_endpoint_auth_signing_alg: 'RS256',
  jwks_uri: CHATGPT_KEYS,
}

export const CLAUDE_CODE = 'https://claude.ai/oauth/claude-code-client-metadata'

/** As Claude Code publishes it: loopback redirects without a port. */
export const claudeCode = {
  client_id: CLAUDE_CODE,
  client_name: 'Claude Code',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}
