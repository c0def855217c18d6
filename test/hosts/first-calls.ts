import assert from 'node:assert/strict'
import { known, type Memory, type Tool } from '#test/hosts/memory'
import type { Call } from '#test/hosts/profile'

/** A host that is left waiting by `GET` shows the server as broken, or counts it as a stream. */
const AT_ONCE_MS = 2000

type Message = {
  readonly id?: unknown
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string }
}

/** The opening of its era, then everything else that the host does when it starts. */
export async function makeFirstCalls(memory: Memory): Promise<void> {
  await open(memory)
  for (const call of memory.profile.calls.afterwards) await calls[call](memory)
}

/** Whether an access token is good for a tool call in this host's era. */
export async function callWorks(memory: Memory, accessToken: string): Promise<boolean> {
  const { status } = await send(memory, 'tools/call', { name: 'list_notes', arguments: {} }, accessToken)
  return status === 200
}

/** Starts anew, as after every launch of the app. */
export async function open(memory: Memory): Promise<void> {
  const { era, opening, client } = memory.profile.calls
  delete memory.session
  if (opening === 'server/discover') {
    const { result } = await ask(memory, 'server/discover')
    const { supportedVersions } = known(result, 'discovery') as { supportedVersions?: readonly string[] }
    assert.ok(supportedVersions?.includes(era), `${era} is spoken`)
    memory.instructions = String(result?.['instructions'])
    return
  }
  const { result } = await ask(memory, 'initialize', {
    protocolVersion: era,
    capabilities: { roots: { listChanged: true } },
    clientInfo: client,
  })
  assert.equal(result?.['protocolVersion'], era)
  known(memory.session, 'session')
  memory.instructions = String(result?.['instructions'])
  const { status } = await send(memory, 'notifications/initialized')
  assert.equal(status, 202)
}

const calls: Readonly<Record<Call, (memory: Memory) => Promise<void>>> = {
  async 'tools/list'(memory) {
    const { result } = await ask(memory, 'tools/list')
    memory.listed = known(result, 'tools')
    memory.tools = result?.['tools'] as readonly Tool[]
    assert.ok(memory.tools.length > 0, 'there are tools')
  },
  async 'prompts/list'(memory) {
    const { result } = await ask(memory, 'prompts/list')
    assert.ok(Array.isArray(result?.['prompts']))
  },
  async 'resources/list'(memory) {
    const { result } = await ask(memory, 'resources/list')
    assert.ok(Array.isArray(result?.['resources']))
  },
  async 'resources/templates/list'(memory) {
    const { result } = await ask(memory, 'resources/templates/list')
    assert.ok(Array.isArray(result?.['resourceTemplates']))
  },
  async 'tools/call'(memory) {
    const { result } = await ask(memory, 'tools/call', { name: 'list_notes', arguments: {} })
    assert.notEqual(result?.['isError'], true)
  },
  /** Tried whatever the server promised; a refusal must read as one, in a message. */
  async 'resources/subscribe'(memory) {
    const { status, message } = await send(memory, 'resources/subscribe', { uri: 'note://probe' })
    assert.ok(status < 500, `resources/subscribe gives ${status}`)
    assert.ok(message?.error ?? message?.result, 'resources/subscribe is answered by a message')
  },
  async 'subscriptions/listen'(memory) {
    const controller = new AbortController()
    const response = await post(memory, 'subscriptions/listen', {
      params: { notifications: { toolsListChanged: true } },
      signal: controller.signal,
    })
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
    controller.abort()
  },
  async GET(memory) {
    const controller = new AbortController()
    const startedAt = performance.now()
    const response = await fetch(memory.url, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${known(memory.tokens, 'tokens').access_token}`,
        ...inSession(memory),
        ...memory.profile.headers.mcp,
      },
      signal: controller.signal,
    })
    const took = performance.now() - startedAt
    const type = response.headers.get('content-type') ?? ''
    controller.abort()
    assert.ok(took < AT_ONCE_MS, `GET is answered after ${Math.round(took)} ms`)
    // A session of the 2025 era listens there; without one there is nothing to listen to.
    assert.equal(response.status, memory.session === undefined ? 405 : 200)
    if (memory.session !== undefined) assert.match(type, /^text\/event-stream/)
  },
}

/** Sends a request and expects a result. */
async function ask(memory: Memory, method: string, params: Record<string, unknown> = {}): Promise<Message> {
  const { status, message } = await send(memory, method, params)
  assert.equal(status, 200, `${method} gives ${status}: ${JSON.stringify(message)}`)
  assert.equal(message?.error, undefined, `${method} gives ${JSON.stringify(message?.error)}`)
  return known(message, `answer to ${method}`)
}

async function send(
  memory: Memory,
  method: string,
  params: Record<string, unknown> = {},
  accessToken?: string,
): Promise<{ readonly status: number; readonly message: Message | undefined }> {
  const response = await post(memory, method, { params, ...(accessToken ? { accessToken } : {}) })
  const session = response.headers.get('mcp-session-id')
  if (session) memory.session = session
  return { status: response.status, message: messageOf(await response.text()) }
}

interface Sent {
  readonly params: Record<string, unknown>
  readonly accessToken?: string
  readonly signal?: AbortSignal
}

function post(memory: Memory, method: string, { params, accessToken, signal }: Sent): Promise<Response> {
  const { era, client } = memory.profile.calls
  const modern = era === '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': client,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const notification = method.startsWith('notifications/')
  return fetch(memory.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${accessToken ?? known(memory.tokens, 'tokens').access_token}`,
      ...(method === 'initialize' ? {} : inSession(memory)),
      ...(modern ? { 'mcp-method': method } : {}),
      ...(modern && params['name'] ? { 'mcp-name': String(params['name']) } : {}),
      ...memory.profile.headers.mcp,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      ...(notification ? {} : { id: 1 }),
      method,
      params: modern ? { ...params, _meta } : params,
    }),
    ...(signal ? { signal } : {}),
  })
}

/** What stands on every request after the opening. */
function inSession({ profile, session }: Memory): Readonly<Record<string, string>> {
  const { era } = profile.calls
  return {
    ...(era === '2025-03-26' ? {} : { 'mcp-protocol-version': era }),
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  }
}

/** The last message of an answer, be it JSON or a stream that ends. */
function messageOf(said: string): Message | undefined {
  if (said === '') return undefined
  const events = said.split('\n').filter((line) => line.startsWith('data: {'))
  return JSON.parse(events.at(-1)?.slice('data: '.length) ?? said) as Message
}
