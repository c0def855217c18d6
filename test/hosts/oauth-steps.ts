import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  fill,
  known,
  type Memory,
  type ResourceMetadata,
  resourceOf,
  type ServerMetadata,
  scopeOf,
  type Tokens,
} from '#test/hosts/memory'
import type { Probe } from '#test/hosts/profile'

/** Claude waits ten seconds for each of these; a server that is asked locally has no excuse for one. */
const PATIENCE_MS = 10_000

/** Asks for everything that the host asks for, in its order. */
export async function discover(memory: Memory): Promise<void> {
  for (const probe of memory.profile.discovery) await ask(probe, memory)
  known(memory.resource, 'resource metadata')
  known(memory.server, 'server metadata')
}

async function ask(probe: Probe, memory: Memory): Promise<void> {
  const challenged = probe.path === '{challenged}'
  const path = challenged ? known(memory.challenge, 'challenge').resourceMetadata : probe.path
  const body = probe.method === 'POST' ? { body: JSON.stringify(firstMessage(memory)) } : {}
  const response = await fetch(new URL(path, memory.origin), {
    method: probe.method,
    redirect: 'manual',
    headers: {
      accept: 'application/json, text/event-stream',
      ...(probe.method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...memory.profile.headers[path === '/api/mcp' ? 'mcp' : 'oauth'],
      ...probe.headers,
    },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...body,
  })
  const said = await response.text()
  assert.equal(response.status, probe.answers, `${probe.method} ${path} answers ${response.status}`)
  if (probe.answers === 401) readChallenge(response, memory)
  if (probe.answers !== 401 && probe.method !== 'HEAD') readDocument(new URL(response.url), said, memory)
}

function firstMessage({ profile }: Memory) {
  const { era, client, opening } = profile.calls
  const params =
    opening === 'initialize'
      ? { protocolVersion: era, capabilities: {}, clientInfo: client }
      : { _meta: { 'io.modelcontextprotocol/protocolVersion': era } }
  return { jsonrpc: '2.0', id: 0, method: opening, params }
}

function readChallenge(response: Response, memory: Memory): void {
  const challenge = response.headers.get('www-authenticate') ?? ''
  assert.match(challenge, /^Bearer /, 'the 401 has a Bearer challenge')
  const parameter = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
  assert.ok(URL.canParse(parameter('resource_metadata')), 'the challenge names an absolute metadata URL')
  memory.challenge = { resourceMetadata: parameter('resource_metadata'), scope: parameter('scope') }
}

function readDocument({ pathname }: URL, said: string, memory: Memory): void {
  // Also for a 404: a page there sends some hosts astray.
  const parsed = JSON.parse(said) as Record<string, unknown>
  if ('error' in parsed) return
  if (pathname.includes('oauth-protected-resource')) memory.resource ??= parsed as never as ResourceMetadata
  else memory.server ??= parsed as never as ServerMetadata
}

/** Registers as this host does, and takes the answer as this host reads it. */
export async function register(memory: Memory): Promise<void> {
  const server = known(memory.server, 'server metadata')
  if (memory.byDocument) {
    assert.equal(server.client_id_metadata_document_supported, true)
    assert.ok(server.token_endpoint_auth_methods_supported.includes('none'))
  }
  memory.client = await newClient(memory)
}

/** One registration; with a document the client is the same each time. */
export async function newClient(memory: Memory): Promise<NonNullable<Memory['client']>> {
  const { profile } = memory
  if (memory.byDocument) return { id: known(profile.document, 'document').clientId, secret: undefined }

  const server = known(memory.server, 'server metadata')
  const scope = scopeOf(profile.registration.scope, memory)
  const sent = fill({ ...profile.registration.body, ...(scope === undefined ? {} : { scope }) }, memory)
  const response = await fetch(server.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...profile.headers.oauth },
    body: JSON.stringify(sent),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const answer = (await response.json()) as Record<string, unknown>
  assert.equal(response.status, 201, JSON.stringify(answer))

  const redirects = answer['redirect_uris'] as readonly string[]
  const used = fill(profile.authorization.redirectUri, memory)
  const place = (uri: string) => uri.replace(/^(http:\/\/[^/:]+):\d+/, '$1')
  assert.ok(redirects.map(place).includes(place(used)), `${used} is registered`)
  assert.equal(answer['token_endpoint_auth_method'], profile.token.authentication)
  assert.ok((answer['grant_types'] as readonly string[]).includes('refresh_token'))
  assert.equal(
    typeof answer['client_secret'],
    profile.token.authentication === 'none' ? 'undefined' : 'string',
  )
  return { id: String(answer['client_id']), secret: answer['client_secret'] as string | undefined }
}

/** The person is sent to the server and allows everything. */
export async function authorize(memory: Memory): Promise<void> {
  const { profile } = memory
  const { authorization } = profile
  const verifier = randomBytes(48).toString('base64url')
  const redirectUri = fill(
    memory.byDocument ? known(profile.document, 'document').redirectUri : authorization.redirectUri,
    memory,
  )
  const state = authorization.state ?? randomBytes(16).toString('hex')
  const scope = scopeOf(authorization.scope, memory)
  const url = new URL(known(memory.server, 'server metadata').authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: known(memory.client, 'client').id,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(scope === undefined ? {} : { scope }),
    ...resourceOf(authorization.resource, memory),
    ...authorization.more,
  }).toString()

  const answer = await memory.person.allow(url.href)
  assert.ok(answer.href.startsWith(redirectUri), `it comes back to ${redirectUri}, not to ${answer.href}`)
  assert.equal(answer.searchParams.get('error'), null)
  assert.equal(answer.searchParams.get('state'), state, 'the state comes back as it was sent')
  assert.ok(answer.searchParams.get('code'), 'there is a code')
  memory.authorized = { answer, verifier, redirectUri }
}

/** The code becomes tokens. */
export async function redeem(memory: Memory): Promise<void> {
  const { answer, verifier, redirectUri } = known(memory.authorized, 'code')
  const { status, tokens } = await askForTokens(memory, {
    grant_type: 'authorization_code',
    code: answer.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...resourceOf(memory.profile.token.resource, memory),
  })
  assert.equal(status, 200, JSON.stringify(tokens))
  memory.tokens = tokens
}

/** A refresh with this token, as this host sends it. */
export function refreshWith(memory: Memory, refreshToken: string, headers: Record<string, string> = {}) {
  const { resource, scope: source } = memory.profile.refresh
  const scope = scopeOf(source, memory)
  return askForTokens(
    memory,
    {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...(scope === undefined ? {} : { scope }),
      ...resourceOf(resource, memory),
    },
    headers,
  )
}

async function askForTokens(
  memory: Memory,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly tokens: Tokens }> {
  const client = known(memory.client, 'client')
  const { authentication } = memory.profile.token
  const basic = Buffer.from(`${client.id}:${client.secret}`).toString('base64')
  const response = await fetch(known(memory.server, 'server metadata').token_endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...memory.profile.headers.oauth,
      ...(client.secret && authentication === 'client_secret_basic'
        ? { authorization: `Basic ${basic}` }
        : {}),
      ...headers,
    },
    body: new URLSearchParams({
      ...form,
      ...(client.secret && authentication === 'client_secret_basic' ? {} : { client_id: client.id }),
      ...(client.secret && authentication === 'client_secret_post' ? { client_secret: client.secret } : {}),
    }).toString(),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  return { status: response.status, tokens: (await response.json()) as Tokens }
}
