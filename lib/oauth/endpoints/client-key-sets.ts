import type { JWK } from 'jose'
import { z } from 'zod'
import {
  CLIENT_DOCUMENT_FRESH_MAX_MS,
  CLIENT_DOCUMENT_FRESH_MIN_MS,
  CLIENT_DOCUMENT_STALE_MS,
  CLIENT_KEYS_MAX_BYTES,
} from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { cacheLifetimeMs } from '#lib/oauth/cache-lifetime'
import { readJsonObject } from '#lib/oauth/client-id-metadata'
import { readClientIdUrl } from '#lib/oauth/client-id-url'
import { publicJwks } from '#lib/oauth/client-metadata'
import { bestEffort } from '#lib/oauth/endpoints/best-effort'
import type { FetchPace } from '#lib/oauth/endpoints/fetch-pace'
import type { FetchDocument, FetchedDocument } from '#lib/oauth/fetch-document'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** The public keys of clients, at the addresses that their metadata names. */
export interface ClientKeySets {
  /**
   * The keys at an address, from the cache while they are fresh; with `renew` from their host, because a key is
   * missing. `undefined`: neither has them now.
   */
  at(jwksUri: string, how: { readonly renew: boolean }): Promise<readonly JWK[] | undefined>
}

/** All that the key sets are given. */
export interface ClientKeySetsDeps {
  readonly store: Store
  readonly clock: () => number
  readonly log: Log
  readonly fetchDocument: FetchDocument
  readonly pace: FetchPace
}

/** A key set as the cache of the store keeps it. */
const cachedKeySet = z.looseObject({
  v: z.literal(1),
  jwksUri: z.string(),
  jwks: publicJwks,
  /** ms */
  freshUntil: z.number(),
})

/** Makes the key sets of one instance. Fetches nothing by itself. */
export function createClientKeySets(deps: ClientKeySetsDeps): ClientKeySets {
  const running = new Map<string, Promise<readonly JWK[] | undefined>>()

  function ask(jwksUri: string): Promise<readonly JWK[] | undefined> {
    const known = running.get(jwksUri)
    if (known !== undefined) return known
    const address = readClientIdUrl(jwksUri)
    if (!address || !deps.pace(address)) return Promise.resolve(undefined)
    const asking = fetchAndKeep(jwksUri, deps).finally(() => running.delete(jwksUri))
    running.set(jwksUri, asking)
    return asking
  }

  return {
    async at(jwksUri, { renew }) {
      const cached = await readCache(jwksUri, deps)
      if (cached && !renew && deps.clock() < cached.freshUntil) return cached.keys
      return (await ask(jwksUri)) ?? cached?.keys
    },
  }
}

async function fetchAndKeep(jwksUri: string, deps: ClientKeySetsDeps): Promise<readonly JWK[] | undefined> {
  const fetched = await deps.fetchDocument(jwksUri, { maxBytes: CLIENT_KEYS_MAX_BYTES })
  const parsed = fetched.ok ? publicJwks.safeParse(readJsonObject(fetched.value)) : undefined
  if (!fetched.ok || !parsed?.success) {
    const reason = fetched.ok ? 'not_a_key_set' : fetched.error
    deps.log('info', 'client_keys_refused', { host: readClientIdUrl(jwksUri)?.host, reason })
    return undefined
  }
  await bestEffort(deps, () => keep(jwksUri, parsed.data, { headers: fetched.value, deps }))
  return parsed.data.keys as readonly JWK[]
}

async function keep(
  jwksUri: string,
  jwks: z.output<typeof publicJwks>,
  { headers, deps }: { readonly headers: FetchedDocument; readonly deps: ClientKeySetsDeps },
): Promise<void> {
  const now = deps.clock()
  const bounds = { now, minMs: CLIENT_DOCUMENT_FRESH_MIN_MS, maxMs: CLIENT_DOCUMENT_FRESH_MAX_MS }
  const freshMs = cacheLifetimeMs(headers, bounds)
  if (freshMs === undefined) return
  const record = JSON.stringify({ v: 1, jwksUri, jwks, freshUntil: now + freshMs })
  const key = keys.clientKeySet(await sha256(jwksUri))
  await deps.store.run(set(key, record, { ttlMs: freshMs + CLIENT_DOCUMENT_STALE_MS }))
}

async function readCache(
  jwksUri: string,
  { store }: ClientKeySetsDeps,
): Promise<{ readonly keys: readonly JWK[]; readonly freshUntil: number } | undefined> {
  const text = await store.run(get(keys.clientKeySet(await sha256(jwksUri))))
  if (text === null) return undefined
  try {
    const cached = cachedKeySet.parse(JSON.parse(text))
    const isTheirs = cached.jwksUri === jwksUri
    return isTheirs ? { keys: cached.jwks.keys as readonly JWK[], freshUntil: cached.freshUntil } : undefined
  } catch {
    return undefined
  }
}
