import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Deployment, startLocal } from '#test/support/deployment'
import { authorizeByFetch, personByFetch, redeemByFetch } from '#test/support/person-by-fetch'

/** What becomes of a call whose client leaves without a word, in the built product: its server has to notice. */

const STEPS = 40
const EVERY_MS = 50

let product: Deployment
let token: string

beforeAll(async () => {
  product = await startLocal({ env: { GATEHOUSE_CONFORMANCE: '1' } })
  const person = personByFetch(product.origin)
  await person.signIn(product.ownerLink)
  const { body } = await redeemByFetch(product.origin, await authorizeByFetch(product.origin, person))
  token = body.access_token ?? ''
})
afterAll(() => product?.dispose())

function post(
  body: object,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${product.origin}/api/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    ...(signal ? { signal } : {}),
  })
}

/** How many steps a slow tool has made, by the log of the process. */
const stepsOf = (mark: string) =>
  (product.instances[0]?.log() ?? '')
    .split('\n')
    .filter((line) => line.includes('fixture_step') && line.includes(`"${mark}"`)).length

async function leaveAfterTheFirstFrame(send: (signal: AbortSignal) => Promise<Response>): Promise<void> {
  const leaving = new AbortController()
  const response = await send(leaving.signal)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  await response.body?.getReader().read()
  leaving.abort()
}

const call = (mark: string) => ({
  name: 'gatehouse_steps',
  arguments: { mark, count: STEPS, everyMs: EVERY_MS },
})

describe('a client that leaves during a call', () => {
  it('of 2026-07-28 has cancelled it: the tool stops', async () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      progressToken: 'p',
    }
    await leaveAfterTheFirstFrame((signal) =>
      post(
        { method: 'tools/call', params: { ...call('modern'), _meta } },
        { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'gatehouse_steps' },
        signal,
      ),
    )
    await pause(500)
    const made = stepsOf('modern')
    await pause(500)
    expect(made).toBeLessThan(STEPS)
    expect(stepsOf('modern')).toBe(made)
  })

  it('of 2025 has not: the tool goes on to its end', async () => {
    const clientInfo = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const opened = await post({ method: 'initialize', params }, {})
    const session = opened.headers.get('mcp-session-id') ?? ''
    await leaveAfterTheFirstFrame((signal) =>
      post({ method: 'tools/call', params: call('legacy') }, { 'mcp-session-id': session }, signal),
    )
    for (let waited = 0; stepsOf('legacy') < STEPS && waited < 10_000; waited += 100) await pause(100)
    expect(stepsOf('legacy')).toBe(STEPS)
  })
})
