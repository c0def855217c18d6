import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import type { IdentityDeps } from '#lib/identity/deps'
import { createIdentity, type Identity } from '#lib/identity/identity'
import { createLocalStore } from '#lib/node/local-store'
import type { AuditEvent } from '#lib/observability/audit'
import type { Store } from '#lib/store/port'

export const ORIGIN = 'https://gatehouse.example'
export const START = Date.UTC(2026, 10, 22, 12)

/** Identity over a real local store, with a clock that tests move. */
export interface Rig {
  readonly identity: Identity
  readonly store: Store
  readonly deps: IdentityDeps
  readonly audited: AuditEvent[]
  readonly logged: string[]
  /** Requests sent to the store since the start. */
  readonly requests: () => number
  readonly advance: (ms: number) => void
  readonly close: () => Promise<void>
}

export async function openRig(overrides: Partial<IdentityDeps> = {}): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-identity-'))
  let now = START
  let requests = 0
  const clock = () => now
  const observe = () => {
    requests += 1
  }
  const store = await createLocalStore({ directory, prefix: 'test', clock, observe })
  const audited: AuditEvent[] = []
  const logged: string[] = []
  const deps: IdentityDeps = {
    origin: ORIGIN,
    serverName: 'Notebook',
    version: '0.0.0',
    secure: true,
    keyRing: createKeyRing(['a secret of tests'], 'test'),
    store,
    clock,
    random: systemRandom,
    log: (_level, event, fields) => logged.push(JSON.stringify({ event, ...fields })),
    audit: async (event) => {
      audited.push(event)
    },
    describeRequest: async (rt) => (rt === 'sealed-request' ? { clientName: 'Claude <b>' } : undefined),
    ...overrides,
  }
  return {
    identity: createIdentity(deps),
    store,
    deps,
    audited,
    logged,
    requests: () => requests,
    advance: (ms) => {
      now += ms
    },
    close: async () => {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const exchange = { requestId: 'request-1' }

/** A browser: keeps cookies, sends what a browser sends. */
export function createBrowser() {
  const jar = new Map<string, string>()

  function keep(response: Response): Response {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const at = pair.indexOf('=')
      if (attributes.includes('Max-Age=0')) jar.delete(pair.slice(0, at))
      else jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return response
  }

  const cookies = (): Record<string, string> =>
    jar.size === 0 ? {} : { Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }

  const request = (path: string, init: RequestInit = {}) =>
    new Request(`${ORIGIN}${path}`, { ...init, headers: { ...cookies(), ...init.headers } })

  type Endpoint = Identity['signInPage']
  return {
    jar,
    request,
    get: async (endpoint: Endpoint, path: string) => keep(await endpoint(request(path), exchange)),
    post: async (
      endpoint: Endpoint,
      path: string,
      fields: Record<string, string> | string,
      headers: Record<string, string> = { Origin: ORIGIN },
    ) => {
      const body = new URLSearchParams(fields).toString()
      const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
      return keep(
        await endpoint(request(path, { method: 'POST', body, headers: { ...type, ...headers } }), exchange),
      )
    },
  }
}

export type Browser = ReturnType<typeof createBrowser>

/** The token of a link: what its script moves into the form. */
export const tokenOf = (link: string): string => link.slice(link.indexOf('#') + 1)
