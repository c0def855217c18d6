import { sha256 } from '#lib/core/hash'
import { type ClientStanding, clientStanding, GOOD_STANDING } from '#lib/oauth/client-standing'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { type Edit, editRecord, parseRecord } from '#lib/store/record'

/** The read of a client's standing, for a batch; `keyHash` is the SHA-256 of the client key. */
export const standingRead = (keyHash: string) => get(keys.clientStanding(keyHash), { fresh: true })

/** What such a read answered. */
export const standingOf = (text: string | null): ClientStanding =>
  text === null ? GOOD_STANDING : parseRecord(clientStanding, text)

/** How a client stands now. One request. */
export async function readStanding(
  { store }: Pick<OAuthDeps, 'store'>,
  clientKey: string,
): Promise<ClientStanding> {
  return standingOf(await store.run(standingRead(await sha256(clientKey))))
}

/**
 * Changes how a client stands: one swap, effective on the next call on every instance. An epoch that a lost
 * reply raises twice ends nothing more than once would.
 *
 * @param how.ttlMs - for a client whose key never comes back
 */
export async function changeStanding(
  { store, audit }: Pick<OAuthDeps, 'store' | 'audit'>,
  clientKey: string,
  how: {
    readonly event: string
    readonly next: (standing: ClientStanding) => ClientStanding
    readonly ttlMs?: number
  },
): Promise<ClientStanding> {
  const key = keys.clientStanding(await sha256(clientKey))
  await store.run(set(key, JSON.stringify(GOOD_STANDING), { ifAbsent: true }))
  const standing = await editRecord(
    store,
    { key, schema: clientStanding },
    (current = GOOD_STANDING): Edit<ClientStanding, ClientStanding> => {
      const next = how.next(current)
      return { write: next, ttlMs: how.ttlMs, answer: next }
    },
  )
  await audit({ event: how.event, clientKey })
  return standing
}
