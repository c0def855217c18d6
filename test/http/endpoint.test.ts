import { describe, expect, it } from 'vitest'
import { endpoint, type Outage } from '#lib/http/endpoint'
import { createLog } from '#lib/observability/log'
import { StoreUnavailable } from '#lib/store/port'
import { UnreadableRecord } from '#lib/store/record'

const outage: Outage = ({ status, requestId, headers }) => Response.json({ requestId }, { status, headers })

function wrapped(handle: Parameters<typeof endpoint>[1]) {
  const lines: Record<string, unknown>[] = []
  let now = 1000
  const clock = () => {
    now += 5
    return now
  }
  const deps = {
    clock,
    random: () => 'request-1',
    log: createLog(
      (line) => lines.push(JSON.parse(line)),
      'debug',
      () => 0,
    ),
  }
  const call = endpoint('token', handle, { deps, outage })
  return { lines, call: () => call(new Request('https://a.example/?code=c4n4ry', { method: 'POST' })) }
}

describe('endpoint', () => {
  it('hands on the answer and writes one line about it, without the query', async () => {
    const { call, lines } = wrapped(
      async (_request, { requestId }) => new Response(requestId, { status: 201 }),
    )
    const response = await call()
    expect(response.status).toBe(201)
    expect(await response.text()).toBe('request-1')
    expect(lines).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'info',
        event: 'request',
        requestId: 'request-1',
        endpoint: 'token',
        method: 'POST',
        status: 201,
        ms: 5,
      },
    ])
  })

  it.each([
    {
      what: 'a store that does not answer',
      error: new StoreUnavailable('get: timed out'),
      event: 'store_unavailable',
    },
    {
      what: 'a record that does not parse',
      error: new UnreadableRecord('a stored record'),
      event: 'store_unavailable',
    },
  ])('answers 503 with Retry-After to $what', async ({ error, event }) => {
    const { call, lines } = wrapped(() => Promise.reject(error))
    const response = await call()
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({ requestId: 'request-1' })
    expect(lines[0]).toMatchObject({ level: 'error', event, reason: error.message })
    expect(lines[1]).toMatchObject({ event: 'request', status: 503 })
  })

  it('answers 500 to a bug, without the words of the error in the answer or the log', async () => {
    const { call, lines } = wrapped(() => Promise.reject(new TypeError('c4n4ry of a library')))
    const response = await call()
    expect(response.status).toBe(500)
    expect(response.headers.get('retry-after')).toBeNull()
    expect(await response.text()).not.toContain('c4n4ry')
    expect(lines[0]).toMatchObject({ event: 'endpoint_failed', error: 'TypeError' })
    expect(JSON.stringify(lines)).not.toContain('c4n4ry')
  })

  it.each([{ thrown: 'a string' }, { thrown: null }, { thrown: undefined }])(
    'survives $thrown being thrown',
    async ({ thrown }) => {
      const { call, lines } = wrapped(() => Promise.reject(thrown))
      expect((await call()).status).toBe(500)
      expect(lines[0]).toMatchObject({ error: 'unknown' })
    },
  )

  it('catches what is thrown before the first await', async () => {
    const { call } = wrapped(() => {
      throw new StoreUnavailable('at once')
    })
    expect((await call()).status).toBe(503)
  })
})
