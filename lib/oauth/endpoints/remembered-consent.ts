import { CONSENT_MEMORY_MS } from '#lib/config/limits'
import type { ConsentTransaction } from '#lib/oauth/consent'
import {
  answersRequest,
  mayBeRemembered,
  type RememberedConsent,
  rememberedConsent,
  rememberedHash,
} from '#lib/oauth/consent-memory'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'
import { parseRecord } from '#lib/store/record'

type Needs = Pick<OAuthDeps, 'store' | 'clock' | 'settings'>
type Request = Pick<ConsentTransaction, 'accountId' | 'client' | 'redirectUri'>

const keyOf = async (request: Request) => keys.consentMemory(request.accountId, await rememberedHash(request))

/** Whether the answer to such a request would be remembered; the page says so. */
export const isRemembered = (request: Request, { settings }: Pick<OAuthDeps, 'settings'>): boolean =>
  settings.consentMemory && mayBeRemembered(request)

/** Whether the person has allowed all of this before and the operator lets that count. */
export async function wasAllowed(transaction: ConsentTransaction, deps: Needs): Promise<boolean> {
  if (!isRemembered(transaction, deps)) return false
  const text = await deps.store.run(get(await keyOf(transaction), { fresh: true }))
  if (text === null) return false
  return answersRequest(parseRecord(rememberedConsent, text), { ...transaction, now: deps.clock() })
}

/** Remembers an answer in place of an earlier one. */
export async function rememberConsent(
  transaction: ConsentTransaction,
  scopes: readonly string[],
  deps: Needs,
): Promise<void> {
  if (!isRemembered(transaction, deps)) return
  const { epoch, clientEpoch, client } = transaction
  const memory: RememberedConsent = {
    v: 1,
    scopes: [...scopes],
    epoch,
    clientEpoch,
    digest: client.digest,
    expiresAt: deps.clock() + CONSENT_MEMORY_MS,
  }
  await deps.store.run(set(await keyOf(transaction), JSON.stringify(memory), { ttlMs: CONSENT_MEMORY_MS }))
}

/**
 * The key of what may be remembered of such a request, whatever the setting is now; none when nothing may be.
 * It is deleted together with the connection: one that was ended must not come back unasked.
 */
export const memoryKeys = async (request: Request): Promise<readonly string[]> =>
  mayBeRemembered(request) ? [await keyOf(request)] : []

/** Forgets what was allowed. */
export async function forgetConsent(request: Request, { store }: Pick<OAuthDeps, 'store'>): Promise<void> {
  const forgotten = await memoryKeys(request)
  if (forgotten.length > 0) await store.run(del(...forgotten))
}
