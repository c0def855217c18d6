import assert from 'node:assert/strict'
import { known, type Memory, type ServerMetadata, type Tool } from '#test/hosts/memory'
import type { Check } from '#test/hosts/profile'

const TOOL_MAX_BYTES = 16_384
const TOOL_NAME_MAX_LENGTH = 64
const TOOLS_MAX = 40
const INSTRUCTIONS_READ = 512

/** Everything that this host insists on. */
export async function check(memory: Memory): Promise<void> {
  for (const name of memory.profile.checks) await checks[name](memory)
}

const server = (memory: Memory): ServerMetadata => known(memory.server, 'server metadata')
const tools = (memory: Memory): readonly Tool[] => known(memory.tools, 'tools')

const checks: Readonly<Record<Check, (memory: Memory) => void | Promise<void>>> = {
  'issuer is the same string everywhere'(memory) {
    const { issuer } = server(memory)
    assert.equal(issuer, known(memory.resource, 'resource metadata').authorization_servers[0])
    assert.doesNotMatch(issuer, /\/$/)
    assert.equal(claims(memory)['iss'], issuer)
  },
  'resource is the pasted URL'(memory) {
    assert.equal(known(memory.resource, 'resource metadata').resource, memory.url)
  },
  'iss comes back'(memory) {
    assert.equal(server(memory).authorization_response_iss_parameter_supported, true)
    const { answer } = known(memory.authorized, 'code')
    assert.deepEqual(answer.searchParams.getAll('iss'), [server(memory).issuer])
  },
  'audience is the resource'(memory) {
    assert.equal(claims(memory)['aud'], known(memory.resource, 'resource metadata').resource)
  },
  'tokens are complete'(memory) {
    const tokens = known(memory.tokens, 'tokens')
    assert.equal(tokens.token_type, 'Bearer')
    assert.ok(Number.isInteger(tokens.expires_in) && tokens.expires_in > 0)
    assert.ok(tokens.refresh_token && tokens.scope)
  },
  'S256 is listed'(memory) {
    assert.ok(server(memory).code_challenge_methods_supported.includes('S256'))
  },
  'lists say how long they hold'(memory) {
    const listed = known(memory.listed, 'list')
    assert.equal(typeof listed['ttlMs'], 'number')
    assert.match(String(listed['cacheScope']), /^(public|private)$/)
  },
  'the first 512 characters of the instructions say what this is'(memory) {
    const read = known(memory.instructions, 'instructions').slice(0, INSTRUCTIONS_READ)
    assert.match(read, /notebook[^.]*\./i)
  },
  'tool names fit behind the prefix'(memory) {
    const names = tools(memory).map(({ name }) => memory.profile.calls.toolPrefix + name)
    for (const name of names) {
      assert.match(name, /^[A-Za-z0-9_-]+$/)
      assert.ok(name.length <= TOOL_NAME_MAX_LENGTH, `${name} is too long`)
    }
    assert.equal(new Set(names).size, names.length)
  },
  'no tool is larger than 16 KiB'(memory) {
    for (const tool of tools(memory)) {
      assert.ok(Buffer.byteLength(JSON.stringify(tool)) <= TOOL_MAX_BYTES, tool.name)
      for (const combinator of ['anyOf', 'oneOf', 'allOf'])
        assert.ok(!(combinator in tool.inputSchema), `${tool.name} has a top-level ${combinator}`)
    }
  },
  'no more than 40 tools'(memory) {
    assert.ok(tools(memory).length <= TOOLS_MAX)
  },
  'reading tools say so'(memory) {
    for (const name of ['search_notes', 'read_note', 'list_notes'])
      assert.equal(tools(memory).find((tool) => tool.name === name)?.annotations?.readOnlyHint, true, name)
  },
  'all scopes of the resource are granted'(memory) {
    const wanted = known(memory.resource, 'resource metadata').scopes_supported
    const held = known(memory.tokens, 'tokens').scope.split(' ')
    assert.deepEqual(new Set(held), new Set(wanted))
  },
  async 'browsers may read every answer'(memory) {
    const origin = 'http://localhost:6274'
    const { registration_endpoint, token_endpoint } = server(memory)
    const requests: readonly (readonly [string, RequestInit])[] = [
      [`${memory.origin}/.well-known/oauth-protected-resource/api/mcp`, {}],
      [`${memory.origin}/.well-known/oauth-authorization-server`, {}],
      [`${memory.origin}/.well-known/oauth-authorization-server/api/mcp`, {}],
      [registration_endpoint, { method: 'POST', body: '{}' }],
      [token_endpoint, { method: 'POST', body: '' }],
      [memory.url, { method: 'POST', body: '{}' }],
    ]
    for (const [url, init] of requests) {
      const response = await fetch(url, { ...init, headers: { origin, 'content-type': 'application/json' } })
      const allowed = response.headers.get('access-control-allow-origin')
      assert.ok(allowed === '*' || allowed === origin, `${url} (${response.status}) allows ${allowed}`)
      if (response.status === 401)
        assert.match(response.headers.get('access-control-expose-headers') ?? '', /www-authenticate/i)
    }
  },
}

/** What the access token says; a host may look, and ChatGPT does. */
function claims(memory: Memory): Record<string, unknown> {
  const [, payload = ''] = known(memory.tokens, 'tokens').access_token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}
