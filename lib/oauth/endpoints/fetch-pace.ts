import {
  CLIENT_DOCUMENT_PAUSE_MS,
  CLIENT_DOCUMENTS_PACED_MAX,
  CLIENT_DOCUMENTS_PER_MINUTE,
  CLIENT_DOCUMENTS_PER_ORIGIN_MINUTE,
} from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import type { Clock } from '#lib/core/clock'

/** Whether an address may be fetched now; asking counts as a fetch when the answer is yes. */
export type FetchPace = (address: { readonly url: string; readonly origin: string }) => boolean

const MINUTE_MS = 60_000

/**
 * Makes the budget of one instance for fetching what strangers name: so often an address, an origin and all
 * together, so that this server cannot be made to attack another (OAUTH.md §1.14).
 */
export function createFetchPace(clock: Clock): FetchPace {
  const lastFetch = createBoundedMap<number>(CLIENT_DOCUMENTS_PACED_MAX)
  const ofOrigin = createBoundedMap<readonly number[]>(CLIENT_DOCUMENTS_PACED_MAX)
  let all: readonly number[] = []

  return ({ url, origin }) => {
    const now = clock()
    const recent = (times: readonly number[]) => times.filter((time) => now - time < MINUTE_MS)
    const there = recent(ofOrigin.get(origin) ?? [])
    all = recent(all)
    if (now - (lastFetch.get(url) ?? Number.NEGATIVE_INFINITY) < CLIENT_DOCUMENT_PAUSE_MS) return false
    if (there.length >= CLIENT_DOCUMENTS_PER_ORIGIN_MINUTE) return false
    if (all.length >= CLIENT_DOCUMENTS_PER_MINUTE) return false

    lastFetch.set(url, now)
    ofOrigin.set(origin, [...there, now])
    all = [...all, now]
    return true
  }
}
