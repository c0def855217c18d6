import { METADATA_MAX_AGE_SECONDS, SIGNING_KEY_MARGIN_MS, SIGNING_KEY_MAX_AGE_MS } from '#lib/config/limits'
import { createSigningKey, type SigningKey, type SigningKeysRecord } from '#lib/oauth/signing-keys'

const PUBLISHED_FOR_MS = METADATA_MAX_AGE_SECONDS * 1000

/** When the next key begins to sign (ms); `undefined` when none was published. */
export function signsFrom({ keys }: SigningKeysRecord): number | undefined {
  const next = keys.find((key) => key.state === 'next')
  return next && next.createdAt + PUBLISHED_FOR_MS
}

/** When something becomes due (ms): a key to drop, to sign with, or too old. */
export function stepDueAt(record: SigningKeysRecord): number {
  const current = record.keys.find((key) => key.state === 'current')
  const tooOld = current ? since(current) + SIGNING_KEY_MAX_AGE_MS : 0
  const drops = record.keys.filter((key) => key.state === 'retired').map(verifiesUntil)
  return Math.min(signsFrom(record) ?? tooOld, ...drops)
}

/**
 * The set after everything that is due (OAUTH.md §2.2): a key is published for as long as others may keep the
 * old document, signs, and is kept until the last token that it signed has expired.
 *
 * @returns `undefined` when nothing is due
 */
export async function advanceKeys(
  record: SigningKeysRecord,
  { now, accessTokenSeconds }: { readonly now: number; readonly accessTokenSeconds: number },
): Promise<SigningKeysRecord | undefined> {
  if (now < stepDueAt(record)) return undefined

  const kept = record.keys.filter((key) => key.state !== 'retired' || now < verifiesUntil(key))
  const from = signsFrom(record)
  if (from === undefined) {
    const current = kept.find((key) => key.state === 'current')
    const isTooOld = current !== undefined && now >= since(current) + SIGNING_KEY_MAX_AGE_MS
    return { ...record, keys: isTooOld ? [...kept, await createSigningKey(now, 'next')] : kept }
  }
  return {
    ...record,
    keys: now < from ? kept : kept.map((key) => promoted(key, { now, accessTokenSeconds })),
  }
}

/** The set with a key that will sign next; `undefined` when there is one already. */
export async function withNextKey(
  record: SigningKeysRecord,
  now: number,
): Promise<SigningKeysRecord | undefined> {
  if (signsFrom(record) !== undefined) return undefined
  return { ...record, keys: [...record.keys, await createSigningKey(now, 'next')] }
}

function promoted(
  key: SigningKey,
  { now, accessTokenSeconds }: { readonly now: number; readonly accessTokenSeconds: number },
): SigningKey {
  if (key.state === 'next') return { ...key, state: 'current', currentSince: now }
  if (key.state === 'retired') return key
  return { ...key, state: 'retired', verifyUntil: now + accessTokenSeconds * 1000 + SIGNING_KEY_MARGIN_MS }
}

const since = ({ currentSince, createdAt }: SigningKey) => currentSince ?? createdAt
const verifiesUntil = ({ verifyUntil }: SigningKey) => verifyUntil ?? Number.POSITIVE_INFINITY
