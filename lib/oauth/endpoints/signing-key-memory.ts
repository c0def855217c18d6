import { SIGNING_KEYS_REFRESH_MS, SIGNING_KEYS_REREAD_MS } from '#lib/config/limits'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import {
  createSigningKeys,
  importSigningKeys,
  type SigningKeys,
  type SigningKeysRecord,
  signingKeysRecord,
} from '#lib/oauth/signing-keys'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'
import { parseRecord, UnreadableRecord } from '#lib/store/record'

/** The keys as they were read, and the text that they were read from. */
export interface LoadedKeys {
  readonly keys: SigningKeys
  readonly record: SigningKeysRecord
  readonly text: string
}

/** A request for the keys: its place among all and when it was sent (ms). */
export interface KeyRequest {
  readonly place: number
  readonly at: number
}

/** What one instance knows of the signing keys. */
export interface KeyMemory {
  readonly loaded: () => LoadedKeys | undefined
  /** Begins a request whose answer `absorb` will be given. */
  begin(): KeyRequest
  /** Takes what the store has; an answer that was overtaken by a newer one changes nothing. */
  absorb(text: string | null, request: KeyRequest): Promise<LoadedKeys>
  /** Reads the keys. Of any number of callers at once one asks the store. */
  load(): Promise<LoadedKeys>
  /** Whether what is known may be older than 10 seconds. */
  isOld(): boolean
  /** Whether the store answered so recently that a stranger must not make us ask again. */
  wasJustAsked(): boolean
  /** Whether it is time to read again without a reason. */
  isStale(): boolean
  /** Whether the last time the store did not answer. */
  hasFailed(): boolean
}

type Needs = Pick<OAuthDeps, 'store' | 'keyRing' | 'clock'>

const KEY = keys.signingKeys()

/** The read of the keys, for a batch. */
export const readKeys = () => get(KEY, { fresh: true })

/** Makes the memory. Nothing is read before the first use. */
export function createKeyMemory(deps: Needs): KeyMemory {
  const { store, clock } = deps
  let loaded: LoadedKeys | undefined
  let loading: Promise<LoadedKeys> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let places = 0
  /** The request whose answer memory is. */
  let answered: KeyRequest = { place: 0, at: Number.NEGATIVE_INFINITY }
  let failed = false

  const begin = (): KeyRequest => ({ place: ++places, at: clock() })

  async function absorb(text: string | null, request: KeyRequest): Promise<LoadedKeys> {
    const next = await open(deps, text ?? (await create(deps)), loaded)
    if (loaded && request.place < answered.place) return loaded
    loaded = next
    answered = request
    return next
  }

  async function ask(): Promise<LoadedKeys> {
    const request = begin()
    askedAt = request.at
    failed = true
    const next = await absorb(await store.run(readKeys()), request)
    failed = false
    return next
  }

  function load(): Promise<LoadedKeys> {
    loading ??= ask().finally(() => {
      loading = undefined
    })
    return loading
  }

  return {
    loaded: () => loaded,
    begin,
    absorb,
    load,
    isOld: () => clock() - answered.at >= SIGNING_KEYS_REREAD_MS,
    wasJustAsked: () => loading === undefined && clock() - askedAt < SIGNING_KEYS_REREAD_MS,
    isStale: () => clock() - askedAt >= SIGNING_KEYS_REFRESH_MS,
    hasFailed: () => failed,
  }
}

/** The keys as they are stored. */
export const sealKeys = ({ keyRing }: Pick<Needs, 'keyRing'>, record: SigningKeysRecord): Promise<string> =>
  keyRing.seal('signing-keys', JSON.stringify(record))

async function open(deps: Needs, text: string, known: LoadedKeys | undefined): Promise<LoadedKeys> {
  if (text === known?.text) return known

  const opened = await deps.keyRing.open('signing-keys', text)
  // Never replaced by new ones: an instance with a wrong secret would end every token of the others.
  if (opened === undefined) throw new UnreadableRecord('the signing keys do not open with these secrets')
  const record = parseRecord(signingKeysRecord, opened)
  return { text, record, keys: await importSigningKeys(record) }
}

/** Makes the first keys; of several instances that begin at once one succeeds and all use its keys. */
async function create(deps: Needs): Promise<string> {
  const text = await sealKeys(deps, await createSigningKeys(deps.clock()))
  if (await deps.store.run(set(KEY, text, { ifAbsent: true }))) return text
  const first = await deps.store.run(readKeys())
  if (first === null) throw new StoreUnavailable('the signing keys vanished')
  return first
}
