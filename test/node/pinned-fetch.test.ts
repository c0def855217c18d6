import type { LookupAddress } from 'node:dns'
import { createServer, type Server } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPinnedFetch, type PinnedFetchOptions } from '#lib/node/pinned-fetch'
import { readMetadataDocument } from '#lib/oauth/client-id-metadata'
import { isPublicAddress } from '#lib/oauth/special-addresses'
import { type Answer, startDocumentHost } from '#test/support/document-host'

const URL_OF_APP = 'https://app.example/client.json'
const LIMIT = 5 * 1024
const here: readonly LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]

let host: Awaited<ReturnType<typeof startDocumentHost>>
let lookups: string[]

beforeAll(async () => {
  host = await startDocumentHost()
})
afterAll(() => host.close())
beforeEach(() => {
  lookups = []
  host.requests.length = 0
})

/** Fetches from the real server; only its loopback address counts as public. */
function fetchWith(
  options: PinnedFetchOptions & { answers?: readonly LookupAddress[] } = {},
  url = URL_OF_APP,
) {
  const { answers = here, ...rest } = options
  const fetchDocument = createPinnedFetch({
    ca: host.ca,
    port: host.port,
    isAllowedAddress: (address) => address === '127.0.0.1' || isPublicAddress(address),
    lookup: async (name) => {
      lookups.push(name)
      return answers
    },
    ...rest,
  })
  return fetchDocument(url, { maxBytes: LIMIT })
}

const json =
  (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)

describe('fetching a document that a stranger named', () => {
  it('gives the body and what says how long it is good', async () => {
    host.answerWith(json('{"a":1}', { 'cache-control': 'max-age=60', age: '5', expires: 'never' }))
    const fetched = await fetchWith()
    expect(fetched).toMatchObject({
      ok: true,
      value: { contentType: 'application/json', cacheControl: 'max-age=60', age: '5', expires: 'never' },
    })
    expect(fetched.ok && new TextDecoder().decode(fetched.value.body)).toBe('{"a":1}')
  })

  it('asks as the name, once, plainly, and with nothing that says who we are talking for', async () => {
    host.answerWith(json('{}'))
    await fetchWith({}, `${URL_OF_APP}?v=1`)
    const [request, ...more] = host.requests
    expect(more).toEqual([])
    expect(lookups).toEqual(['app.example'])
    expect(request?.method).toBe('GET')
    expect(request?.url).toBe('/client.json?v=1')
    const { 'user-agent': agent, ...headers } = request?.headers ?? {}
    expect(agent).toMatch(/^Gatehouse\/\d/)
    expect(headers).toEqual({
      host: 'app.example',
      accept: 'application/json',
      'accept-encoding': 'identity',
      connection: 'close',
    })
  })

  it('takes a body of exactly the limit and refuses one byte more', async () => {
    host.answerWith(json('x'.repeat(LIMIT)))
    expect((await fetchWith()).ok).toBe(true)
    host.answerWith(json('x'.repeat(LIMIT + 1)))
    expect(await fetchWith()).toEqual({ ok: false, error: 'too_large' })
  })

  it('reads a body that comes in pieces', async () => {
    host.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      for (const piece of ['{"a"', ':', '1}']) response.write(piece)
      response.end()
    })
    const fetched = await fetchWith()
    expect(fetched.ok && new TextDecoder().decode(fetched.value.body)).toBe('{"a":1}')
  })

  it('is one attempt of each address family: a dead one does not lock a host out', async () => {
    host.answerWith(json('{}'))
    const answers = [{ address: '::1', family: 6 }, ...here]
    expect(await fetchWith({ answers, isAllowedAddress: () => true })).toMatchObject({ ok: true })
  })
})

describe('an attack by address', () => {
  it.each([
    { attack: 'http', url: 'http://app.example/c' },
    { attack: 'a port', url: 'https://app.example:8443/c' },
    { attack: 'an IPv4 literal', url: 'https://127.0.0.1/c' },
    { attack: 'a decimal literal', url: 'https://2130706433/c' },
    { attack: 'an IPv6 literal', url: 'https://[::1]/c' },
    { attack: 'localhost', url: 'https://localhost/c' },
    { attack: 'the metadata service', url: 'https://metadata.google.internal/c' },
    { attack: 'user information', url: 'https://app.example@127.0.0.1/c' },
    { attack: 'a file', url: 'file:///etc/passwd' },
  ])('with $attack asks no name server and nobody else', async ({ url }) => {
    const connections = host.connections()
    expect(await fetchWith({}, url)).toEqual({ ok: false, error: 'address_refused' })
    expect(lookups).toEqual([])
    expect(host.connections()).toBe(connections)
  })
})

describe('an attack by name server', () => {
  it.each([
    { attack: 'loopback', answers: ['127.0.0.2'] },
    { attack: 'a metadata service', answers: ['169.254.169.254'] },
    { attack: 'a private network', answers: ['10.0.0.1'] },
    { attack: 'public and private', answers: ['93.184.216.34', '10.0.0.1'] },
    { attack: 'private last of three', answers: ['93.184.216.34', '1.1.1.1', '192.168.0.1'] },
    { attack: 'private in the other family', answers: ['93.184.216.34', 'fd00::1'] },
    { attack: 'mapped loopback', answers: ['::ffff:127.0.0.1'] },
    { attack: 'NAT64 of a metadata service', answers: ['64:ff9b::a9fe:a9fe'] },
    { attack: '6to4 of loopback', answers: ['2002:7f00:1::'] },
    { attack: 'a link-local zone', answers: ['fe80::1%lo'] },
    { attack: 'no address', answers: ['localhost'] },
  ])('with $attack connects to nobody', async ({ answers }) => {
    const connections = host.connections()
    const found = answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    expect(await fetchWith({ answers: found, isAllowedAddress: isPublicAddress })).toEqual({
      ok: false,
      error: 'address_not_public',
    })
    expect(host.connections()).toBe(connections)
  })

  it('by rebinding finds no second look-up to answer', async () => {
    let reached: string | undefined
    host.answerWith((request, response) => {
      reached = request.socket.localAddress
      json('{}')(request, response)
    })
    const turns = [here, [{ address: '169.254.169.254', family: 4 }]]
    const fetched = await fetchWith({
      lookup: async (name) => {
        lookups.push(name)
        return turns[lookups.length - 1] ?? []
      },
    })
    expect(fetched.ok).toBe(true)
    expect(lookups).toEqual(['app.example'])
    expect(reached).toBe('127.0.0.1')
  })

  it('by a connection that ends elsewhere than at the checked address is noticed before a request is sent', async () => {
    host.answerWith(json('{}'))
    // 127.1 is 127.0.0.1 to the system, but it is not the address that was checked.
    const fetched = await fetchWith({
      answers: [{ address: '127.1', family: 4 }],
      isAllowedAddress: () => true,
    })
    expect(fetched.ok).toBe(false)
    expect(host.requests).toEqual([])
  })

  it('by an address that is no longer allowed when it was reached is noticed before a request is sent', async () => {
    let asked = 0
    const fetched = await fetchWith({
      isAllowedAddress: () => {
        asked += 1
        return asked === 1
      },
    })
    expect(fetched).toEqual({ ok: false, error: 'address_not_public' })
    expect(host.requests).toEqual([])
  })

  it.each([
    { attack: 'no answer', lookup: async () => [] },
    { attack: 'a failure', lookup: () => Promise.reject(new Error('SERVFAIL')) },
  ])('with $attack is an unreachable host', async ({ lookup }) => {
    expect(await fetchWith({ lookup })).toEqual({ ok: false, error: 'unreachable' })
  })

  it('that never answers is given up after 3 seconds', async () => {
    const begun = performance.now()
    expect(await fetchWith({ lookup: () => new Promise(() => undefined) })).toEqual({
      ok: false,
      error: 'timed_out',
    })
    expect(performance.now() - begun).toBeLessThan(4500)
  })
})

describe('an attack by certificate', () => {
  it('for another name is refused before a request is sent', async () => {
    expect(await fetchWith({}, 'https://other.example/c')).toEqual({ ok: false, error: 'unreachable' })
    expect(host.requests).toEqual([])
  })

  it('from nobody we trust is refused, also where the process was told to trust everybody', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const fetchDocument = createPinnedFetch({
        port: host.port,
        isAllowedAddress: () => true,
        lookup: async () => here,
      })
      expect(await fetchDocument(URL_OF_APP, { maxBytes: LIMIT })).toEqual({
        ok: false,
        error: 'unreachable',
      })
      expect(host.requests).toEqual([])
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })
})

describe('an attack by answer', () => {
  it.each([
    { attack: 'a redirect within the host', status: 301, headers: { location: '/other.json' } },
    { attack: 'a redirect into a network', status: 302, headers: { location: 'https://169.254.169.254/' } },
    { attack: 'a redirect that keeps the method', status: 307, headers: { location: 'https://127.0.0.1/' } },
    { attack: 'a permanent redirect', status: 308, headers: { location: 'http://app.example/' } },
    { attack: '304 without having been asked', status: 304, headers: {} },
    { attack: '201', status: 201, headers: {} },
    { attack: '204', status: 204, headers: {} },
    { attack: '206', status: 206, headers: {} },
    { attack: '401', status: 401, headers: { 'www-authenticate': 'Basic' } },
    { attack: '403', status: 403, headers: {} },
    { attack: '500', status: 500, headers: {} },
    { attack: '503', status: 503, headers: {} },
  ])('with $attack is followed nowhere', async ({ status, headers }) => {
    host.answerWith((_, response) => response.writeHead(status, headers).end())
    expect(await fetchWith()).toEqual({ ok: false, error: 'status_unexpected' })
    expect(host.requests).toHaveLength(1)
    expect(lookups).toEqual(['app.example'])
  })

  it.each([404, 410])('with %d says that there is no document', async (status) => {
    host.answerWith((_, response) => response.writeHead(status).end('{}'))
    expect(await fetchWith()).toEqual({ ok: false, error: 'not_found' })
  })

  it('with a length that is too large is not read', async () => {
    host.answerWith((_, response) => {
      response.writeHead(200, { 'content-length': '1000000000' }).flushHeaders()
    })
    expect(await fetchWith()).toEqual({ ok: false, error: 'too_large' })
  })

  it('without a length and without an end is read up to the limit', async () => {
    let sent = 0
    let closed: () => void = () => undefined
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    host.answerWith((_, response) => {
      response.on('close', closed)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1024))) sent += 1024
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    expect(await fetchWith()).toEqual({ ok: false, error: 'too_large' })
    await gone
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  it('with a length that lies is a cut off body', async () => {
    host.answerWith((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{}')
      setTimeout(() => response.destroy(), 20)
    })
    expect(await fetchWith()).toEqual({ ok: false, error: 'cut_off' })
  })

  it.each(['gzip', 'br', 'deflate', 'x-gzip'])('as a bomb in %s is not unpacked', async (encoding) => {
    host.answerWith(json(gzipSync(Buffer.alloc(10_000_000)), { 'content-encoding': encoding }))
    expect(await fetchWith()).toEqual({ ok: false, error: 'encoded' })
  })

  it('that was compressed in secret is not JSON', async () => {
    host.answerWith(json(gzipSync('{}')))
    const fetched = await fetchWith()
    if (!fetched.ok) throw new Error(fetched.error)
    const policy = { scopes: [], strictRedirects: false }
    expect(readMetadataDocument(URL_OF_APP, fetched.value, policy)).toEqual({
      ok: false,
      error: 'not_the_document',
    })
  })

  it.each([
    { attack: 'HTML', headers: { 'content-type': 'text/html' }, body: goodBody() },
    {
      attack: 'bytes that are not UTF-8',
      headers: {},
      body: Buffer.from(goodBody(), 'utf8').fill(0xff, 3, 4),
    },
    { attack: 'no content type', headers: { 'content-type': '' }, body: goodBody() },
  ])('in $attack is no document', async ({ headers, body }) => {
    host.answerWith(json(body, headers))
    const fetched = await fetchWith()
    if (!fetched.ok) throw new Error(fetched.error)
    const read = readMetadataDocument(URL_OF_APP, fetched.value, { scopes: [], strictRedirects: false })
    expect(read).toEqual({ ok: false, error: 'not_the_document' })
  })

  it('by a slow body is given up after 3 seconds in all', async () => {
    host.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => response.write(' '), 200)
      response.on('close', () => clearInterval(drip))
    })
    const begun = performance.now()
    expect(await fetchWith()).toEqual({ ok: false, error: 'timed_out' })
    expect(performance.now() - begun).toBeLessThan(4500)
  })

  it('by silence is given up after 3 seconds', async () => {
    host.answerWith(() => undefined)
    const begun = performance.now()
    expect(await fetchWith()).toEqual({ ok: false, error: 'timed_out' })
    expect(performance.now() - begun).toBeLessThan(4500)
  })

  it('with more headers than 16 KiB is not read', async () => {
    host.answerWith(json('{}', { 'x-large': 'x'.repeat(20_000) }))
    expect((await fetchWith()).ok).toBe(false)
  })

  it('with cookies leaves nothing behind for the next request', async () => {
    host.answerWith(json('{}', { 'set-cookie': 'a=b' }))
    await fetchWith()
    await fetchWith()
    expect(host.requests[1]?.headers.cookie).toBeUndefined()
  })

  it('by another protocol is refused', async () => {
    host.answerWith((_, response) => {
      response.writeHead(101, { upgrade: 'websocket', connection: 'upgrade' }).end()
    })
    expect((await fetchWith()).ok).toBe(false)
  })
})

describe('a host that speaks no TLS', () => {
  let plain: Server
  beforeAll(async () => {
    plain = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.resume()
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}')
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise((resolve) => plain.close(resolve)))

  it('is unreachable', async () => {
    const address = plain.address()
    const port = typeof address === 'object' && address ? address.port : 0
    expect(await fetchWith({ port })).toEqual({ ok: false, error: 'unreachable' })
  })
})

function goodBody(): string {
  return JSON.stringify({
    client_id: URL_OF_APP,
    client_name: 'App',
    redirect_uris: ['https://app.example/cb'],
  })
}
