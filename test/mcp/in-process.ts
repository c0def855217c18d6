import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { createKeyRing, type KeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { err, ok, type Result } from '#lib/core/result'
import { endpoint } from '#lib/http/endpoint'
import { type Admission, createMcpEndpoint, type McpEndpointDeps } from '#lib/mcp/endpoint'
import type { AdmissionRefusal, BearerRefusal } from '#lib/mcp/refusals'
import type { ServerFactory } from '#lib/mcp/server'
import type { LogFields } from '#lib/observability/log'
import { liveParts, localStoreLater } from '#test/support/live-parts'

export const ORIGIN = 'http://localhost:3000'
export const ENDPOINT = `${ORIGIN}/api/mcp`

export interface TestClaims {
  readonly accountId: string
  readonly expiresAt: number
  readonly scopes: readonly string[]
}

type Overrides = Partial<McpEndpointDeps<TestClaims>> & { readonly factory: ServerFactory }

/** The endpoint as the product binds it, with tokens `<account>[:scope,scope]` instead of an authorization server. */
export function inProcess(overrides: Overrides) {
  const admitted: TestClaims[] = []
  const logged: { readonly event: string; readonly fields: LogFields }[] = []
  const log = (_level: string, event: string, fields: LogFields = {}) => {
    logged.push({ event, fields })
  }
  const clock = overrides.clock ?? (() => Date.now())
  const live = liveParts(overrides.store ?? localStoreLater())
  const mcp = createMcpEndpoint<TestClaims>({
    origin: ORIGIN,
    allowedOrigins: ['https://inspector.example'],
    allowedHosts: [],
    keyRing: testKeyRing(),
    clock,
    readBearer: async (request) => readTestBearer(request, clock()),
    ...live,
    log,
    admit: async (claims, _calls, also) => {
      admitted.push(claims)
      return admitTest(claims, await live.store.batch(...also))
    },
    challenge: (refusal) => ({
      status: { missing: 401, invalid_request: 400, invalid_token: 401, insufficient_scope: 403 }[
        refusal.kind
      ] as 400 | 401 | 403,
      wwwAuthenticate: `Bearer error="${refusal.kind}"${'scopes' in refusal ? `, scope="${refusal.scopes.join(' ')}"` : ''}`,
    }),
    ...overrides,
  })
  const deps = { log, clock, random: systemRandom }
  return {
    fetch: endpoint('mcp', mcp.handle, { deps, outage: mcp.outage }),
    drain: mcp.drain,
    outage: mcp.outage,
    admitted,
    logged,
  }
}

export type InProcess = ReturnType<typeof inProcess>

let ring: KeyRing | undefined
function testKeyRing(): KeyRing {
  ring ??= createKeyRing(['a secret of the tests, long enough to be one'], 'test')
  return ring
}

function readTestBearer(request: Request, now: number): Result<TestClaims, BearerRefusal> {
  const header = request.headers.get('authorization')
  if (header === null) return err({ kind: 'missing' })
  const token = /^Bearer (\S+)$/i.exec(header)?.[1]
  if (token === undefined) return err({ kind: 'invalid_request' })
  if (token === 'forged') return err({ kind: 'invalid_token' })
  const [accountId = '', scopes = 'notes:read,notes:write'] = token.split('/')
  return ok({ accountId, scopes: scopes.split(','), expiresAt: Math.floor(now / 1000) + 3600 })
}

function admitTest(
  { accountId, scopes }: TestClaims,
  answers: readonly unknown[],
): Result<Admission, AdmissionRefusal> {
  if (accountId === 'ended') return err({ reason: 'token_invalid' })
  if (accountId === 'busy') return err({ reason: 'rate_limited', retryAfterSeconds: 17 })
  const client = { key: 'test-client', name: 'Test', verified: false }
  return ok({ caller: { accountId, scopes, client }, answers })
}

/** A `fetch` for SDK clients that ends in this process, with a bearer token. */
export function fetchAs(server: InProcess, token: string): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init)
    request.headers.set('authorization', `Bearer ${token}`)
    return server.fetch(request)
  }
}

/** Listens with a web-standard handler on a loopback port. */
export async function listen(
  handle: (request: Request) => Promise<Response>,
  at = 0,
): Promise<{
  readonly url: string
  close(): Promise<void>
}> {
  const server: Server = createServer((incoming, outgoing) => {
    const left = new AbortController()
    outgoing.on('close', () => left.abort())
    const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD'
    const request = new Request(`http://127.0.0.1${incoming.url ?? '/'}`, {
      method: incoming.method ?? 'GET',
      headers: Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
        (values ?? []).map((value): [string, string] => [name, value]),
      ),
      signal: left.signal,
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
    } as RequestInit)
    void handle(request).then((response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      if (!response.body) return outgoing.end()
      outgoing.flushHeaders()
      const body = Readable.fromWeb(response.body as NodeReadableStream)
      body.on('error', () => outgoing.destroy())
      outgoing.on('close', () => body.destroy())
      return body.pipe(outgoing)
    })
  })
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
