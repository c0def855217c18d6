import { afterEach, describe, expect, it, vi } from 'vitest'
import { STREAM_KEEP_ALIVE_MS } from '#lib/config/limits'
import { type EventStream, openEventStream } from '#lib/mcp/live/event-stream'

afterEach(() => {
  vi.useRealTimers()
})

const message = (text: string) => ({
  jsonrpc: '2.0' as const,
  method: 'notifications/test',
  params: { text },
})
const data = (text: string) => JSON.stringify(message(text))
const whole = ({ response }: EventStream) => response.text()

describe('a stream of events', () => {
  it('frames messages with and without ids, tells places, and ends where the client is to come back', async () => {
    const stream = openEventStream()
    stream.prime('p_1', 1500)
    stream.send(message('a'))
    stream.send(message('b\nc'), 'p_2')
    stream.end({ id: 'p_3', retryMs: 200 })
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no')
    expect(await whole(stream)).toBe(
      `id: p_1\nretry: 1500\ndata: \n\nevent: message\ndata: ${data('a')}\n\n` +
        `event: message\nid: p_2\ndata: ${data('b\nc')}\n\nid: p_3\nretry: 200\ndata: \n\n`,
    )
  })

  it('tells older clients nothing that they would parse', async () => {
    const stream = openEventStream({ primes: false })
    stream.prime('p_1', 1500)
    stream.send(message('a'), 'p_2')
    stream.end({ id: 'p_2', retryMs: 200 })
    expect(await whole(stream)).toBe(
      `retry: 1500\n\nevent: message\nid: p_2\ndata: ${data('a')}\n\nretry: 200\n\n`,
    )
  })

  it('takes no more after its end, and calls nobody', async () => {
    const stream = openEventStream()
    let gone = 0
    stream.onGone(() => gone++)
    stream.end()
    stream.end({ id: 'x', retryMs: 1 })
    expect([stream.open, stream.send(message('a'))]).toEqual([false, false])
    expect(await whole(stream)).toBe('')
    expect(gone).toBe(0)
  })

  it('says once that its reader left, and stops its timer', async () => {
    vi.useFakeTimers()
    const stream = openEventStream()
    let gone = 0
    stream.onGone(() => gone++)
    await stream.response.body?.cancel()
    expect([gone, stream.open, stream.send(message('a')), vi.getTimerCount()]).toEqual([1, false, false, 0])
  })

  it('keeps a silent connection open with comments', async () => {
    vi.useFakeTimers()
    const stream = openEventStream()
    vi.advanceTimersByTime(STREAM_KEEP_ALIVE_MS)
    stream.end()
    expect(await whole(stream)).toBe(': keepalive\n\n')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('drops a reader that leaves too much unread, but takes one large message', async () => {
    const stream = openEventStream({ unreadMaxBytes: 1000 })
    let gone = 0
    stream.onGone(() => gone++)
    expect(stream.send(message('x'.repeat(5000)))).toBe(true)
    expect(stream.send(message('a'))).toBe(false)
    expect([gone, stream.open]).toEqual([1, false])
    await expect(whole(stream)).rejects.toThrow()
  })

  it('lets a writer wait until little is unread, and never for ever', async () => {
    const stream = openEventStream({ unreadMaxBytes: 1000 })
    const reader = stream.response.body?.getReader()
    await stream.drained()
    for (let at = 0; at < 8; at++) stream.send(message('x'.repeat(30)))
    let drained = false
    const waiting = stream.drained().then(() => {
      drained = true
    })
    await reader?.read()
    await Promise.resolve()
    expect(drained).toBe(false)
    for (let at = 0; at < 4; at++) await reader?.read()
    await waiting
    for (let at = 0; at < 6; at++) stream.send(message('x'.repeat(30)))
    const left = stream.drained()
    await reader?.cancel()
    await left
    expect(drained).toBe(true)
  })
})
