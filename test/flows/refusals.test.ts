import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refusalPage } from '#lib/oauth/endpoints/refusal-page'
import { type PageRefusal, refusals } from '#lib/oauth/endpoints/refusals'
import {
  type AuthorizationServer,
  ada,
  bob,
  CALLBACK,
  request,
  startAuthorizationServer,
} from '#test/support/authorization-server'
import { dynamicClientOf } from '#test/support/dynamic-client'

let server: AuthorizationServer
let clientId: string
beforeEach(async () => {
  server = await startAuthorizationServer()
  clientId = (await server.register()).client_id
})
afterEach(() => server.close())

const MARKUP = '"><script>alert(1)</script>'
const asked = (change: Readonly<Record<string, string>> = {}, more = '') =>
  server.call(
    'authorize',
    `/oauth/authorize?${new URLSearchParams({ ...request(clientId), ...change })}${more}`,
    {
      headers: { 'x-session': ada.sessionHash },
    },
  )
const without = (name: string, id = clientId) => {
  const query = new URLSearchParams(request(id))
  query.delete(name)
  return server.call('authorize', `/oauth/authorize?${query}`)
}
const form = () => server.consentForm(request(clientId))
const strict = async (redirectUri: string, settings: { strictRedirects: boolean }) => {
  const { client_id } = await server.register({ redirect_uris: [redirectUri] })
  const other = await startAuthorizationServer({ settings })
  const query = { ...request(client_id), redirect_uri: redirectUri }
  const response = await other.authorize(query)
  await other.close()
  return response
}

const drawn = async (reason: PageRefusal) => refusalPage(reason, server.exchange(), server.deps)

/** How a person comes to see each of them. */
const provoke: Readonly<Record<PageRefusal, () => Promise<Response>>> = {
  request_too_long: () => asked({ state: MARKUP + 's'.repeat(4096) }),
  request_repeated: () => asked({}, `&state=${encodeURIComponent(MARKUP)}`),
  request_unprintable: () => asked({ scope: `${MARKUP}\r\nSet-Cookie: a=b` }),
  client_id_missing: () => without('client_id'),
  client_unknown: () => asked({ client_id: MARKUP }),
  redirect_uri_missing: async () => {
    const { client_id } = await server.register({ redirect_uris: [CALLBACK, `${CALLBACK}/2`] })
    return without('redirect_uri', client_id)
  },
  redirect_uri_unregistered: () => asked({ redirect_uri: `https://evil.example/${MARKUP}` }),
  redirect_uri_private: () =>
    strict('cursor://anysphere.cursor-mcp/oauth/callback', { strictRedirects: true }),
  // Nothing registers such an address today: it is one of earlier rules.
  redirect_uri_forbidden: async () => {
    const id = await dynamicClientOf(server, ['javascript:alert(1)'])
    return asked({ client_id: id, redirect_uri: 'javascript:alert(1)' })
  },
  sign_in_needed: () => server.authorize({ ...request(clientId), prompt: 'none' }),
  request_expired: () => server.call('authorize', `/oauth/authorize?rt=${encodeURIComponent(MARKUP)}`),
  answer_used: async () => {
    const { tx, csrf } = await form()
    await server.decide({ tx, csrf, decision: 'deny' })
    return server.decide({ tx, csrf, decision: 'allow' })
  },
  answer_unreadable: async () => {
    const { tx, csrf } = await form()
    return server.decide({ tx, csrf, decision: MARKUP })
  },
  answer_too_long: () => server.decide({ tx: 't'.repeat(17_000) }),
  form_foreign: async () => {
    const { tx, csrf } = await form()
    return server.decide({ tx, csrf, decision: 'allow' }, { headers: { origin: 'https://evil.example' } })
  },
  form_stale: async () => {
    const { tx, csrf } = await form()
    return server.decide({ tx, csrf, decision: 'allow' }, { user: bob })
  },
  form_not_urlencoded: () => server.decide('', { headers: { 'content-type': 'text/plain' } }),
  signed_out: async () => {
    const { tx, csrf } = await form()
    return server.decide({ tx, csrf, decision: 'allow' }, { user: null })
  },
  client_blocked: async () => {
    await server.connect()
    const [grant] = await server.oauth.listGrants('ada')
    await server.oauth.clientStanding.block(grant?.client.key ?? '')
    return asked()
  },
  // Provoked where documents are fetched (`test/flows`, client id metadata documents); here their page.
  client_changed: () => drawn('client_changed'),
  client_id_malformed: () => drawn('client_id_malformed'),
  client_host_blocked: () => drawn('client_host_blocked'),
  client_document_unavailable: () => drawn('client_document_unavailable'),
  client_document_invalid: () => drawn('client_document_invalid'),
  too_many_requests: async () => {
    let response = await server.authorize(request(clientId))
    for (let sent = 0; sent < 3100 && response.status !== 429; sent++) {
      response = await server.authorize(request(clientId))
    }
    return response
  },
  method_not_allowed: () => server.call('authorize', '/oauth/authorize', { method: 'PUT' }),
}

describe.each(Object.entries(refusals))('the refusal %s', (reason, { status, rule, remedy, title }) => {
  it('is a page with its rule, its remedy and a code to quote, and nothing of the request', async () => {
    const response = await provoke[reason as PageRefusal]()
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.has('location')).toBe(false)
    const markup = await response.text()
    for (const words of [title, rule, remedy]) expect(markup).toContain(words)
    expect(markup).toContain(`Rule <span class="code">${reason}</span>`)
    expect(markup).toMatch(/Code <span class="code">[\w-]+<\/span>/)
    expect(markup).not.toMatch(/<script|evil|alert\(/)
  })

  it('is in words that need no escaping, with a step or a setting', () => {
    for (const words of [title, rule, remedy]) expect(words).not.toMatch(/[<>&"']/)
    expect(rule).toMatch(/\.$/)
    expect(remedy.length).toBeGreaterThan(20)
  })
})

it.each([
  { reason: 'redirect_uri_private', names: 'STRICT_REDIRECTS' },
  { reason: 'client_unknown', names: 'AUTH_SECRETS_OLD' },
  { reason: 'form_foreign', names: 'PUBLIC_URL' },
  { reason: 'too_many_requests', names: 'TRUST_PROXY' },
] as const)('$reason names the setting $names', ({ reason, names }) => {
  expect(refusals[reason].remedy).toContain(names)
})
