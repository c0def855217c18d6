import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { JSON_ANSWER_WINDOW_MS, STREAM_KEEP_ALIVE_MS } from '#lib/config/limits'
import { createLegacyExchange } from '#lib/mcp/legacy-transport'

const request = (id: number): JSONRPCRequest => ({ jsonrpc: '2.0', id, method: 'tools/call' })
const answer = (id: number): JSONRPCMessage => ({ jsonrpc: '2.0', id, result: {} })
const progress: JSONRPCMessage = { jsonrpc: '2.0', method: 'notifications/progress', params: {} }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the answer to a POST of the 2025 era', () => {
  it('becomes a stream when it takes long, with what was already answered first', async () => {
    const exchange = createLegacyExchange([request(1), request(2)], true)
    await exchange.transport.send(answer(1))
    vi.advanceTimersByTime(JSON_ANSWER_WINDOW_MS)
    const response = await exchange.response
    expect(response.headers.get('content-type')).toBe('text/event-stream')

    vi.advanceTimersByTime(STREAM_KEEP_ALIVE_MS)
    await exchange.transport.send(answer(2))
    await exchange.finished
    expect(await response.text()).toBe(
      [answer(1), undefined, answer(2)]
        .map((message) =>
          message ? `event: message\ndata: ${JSON.stringify(message)}\n\n` : ': keepalive\n\n',
        )
        .join(''),
    )
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on without its reader', async () => {
    const exchange = createLegacyExchange([request(1)], false)
    await exchange.transport.send(progress, { relatedRequestId: 1 })
    await (await exchange.response).body?.cancel()
    await exchange.transport.send(progress, { relatedRequestId: 1 })
    await exchange.transport.send(answer(1))
    await expect(exchange.finished).resolves.toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('carries no question of the server: it fails at once instead of waiting', async () => {
    const { transport } = createLegacyExchange([request(1)], false)
    const question: JSONRPCMessage = { jsonrpc: '2.0', id: 0, method: 'elicitation/create', params: {} }
    await expect(transport.send(question, { relatedRequestId: 1 })).rejects.toThrow('cannot be asked')
  })

  it('carries notifications about its own request only', async () => {
    const exchange = createLegacyExchange([request(1)], false)
    await exchange.transport.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    await exchange.transport.send(progress, { relatedRequestId: 9 })
    await exchange.transport.send(answer(9))
    await exchange.transport.send(answer(1))
    const response = await exchange.response
    expect(await response.json()).toEqual(answer(1))
  })
})
