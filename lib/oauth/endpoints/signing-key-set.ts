import { SIGNING_KEYS_REFRESH_MS, SIGNING_KEYS_REREAD_MS } from '#lib/config/limits'
import type { Verifier } from '#lib/oauth/access-token'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import {
  createSigningKeys,
  importSigningKeys,
  type SigningKeys,
  signingKeysRecord,
} from '#lib/oauth/signing-keys'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'
import { parseRecord, UnreadableRecord } from '#lib/store/record'

/** The signing keys of this deployment, kept in memory once they were read. */
export interface SigningKeySet {
  /**
   * The keys, from memory when they were read before.
   *
   * @throws StoreUnavailable when they never were and the store does not answer
   */
  current(): Promise<SigningKeys>
  /**
   * The key that signed a token. One that is unknown may be newer than memory: the keys are read again, at
   * most once in 10 seconds.
   *
   * @throws StoreUnavailable when it cannot be known because the store does not answer
   */
  find(kid: string): Promise<Verifier | undefined>
  /** Reads the keys again in the background when they are old. Never throws. */
  refresh(): Promise<void>
}

interface Loaded {
  readonly keys: SigningKeys
  readonly text: string
}

type Needs = Pick<OAuthDeps, 'store' | 'keyRing' | 'clock' | 'log'>

/** Makes the set. Nothing is read before the first use. */
export function createSigningKeySet(deps: Needs): SigningKeySet {
  let loaded: Loaded | undefined
  let loading: Promise<Loaded> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let failed = false

  /** Of any number of callers at once one asks the store. */
  function load(): Promise<Loaded> {
    askedAt = deps.clock()
    loading ??= read(deps, loaded)
      .then(
        (next) => {
          loaded = next
          failed = false
          return next
        },
        (error: unknown) => {
          failed = true
          throw error
        },
      )
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  const current = async () => (loaded ?? (await load())).keys

  return {
    current,

    async find(kid) {
      const known = (await current()).verifiers.get(kid)
      if (known) return known
      if (deps.clock() - askedAt >= SIGNING_KEYS_REREAD_MS) return (await load()).keys.verifiers.get(kid)
      // An outage must not read as "no such key".
      if (failed) throw new StoreUnavailable('the signing keys could not be read again')
      return undefined
    },

    async refresh() {
      if (deps.clock() - askedAt < SIGNING_KEYS_REFRESH_MS) return
      await load().catch(() => deps.log('warn', 'signing_keys_not_refreshed'))
    },
  }
}

async function read(deps: Needs, known: Loaded | undefined): Promise<Loaded> {
  const text = (await deps.store.run(get(keys.signingKeys(), { fresh: true }))) ?? (await create(deps))
  if (text === known?.text) return known

  const opened = await deps.keyRing.open('signing-keys', text)
  // Never replaced by new ones: an instance with a wrong secret would end every token of the others.
  if (opened === undefined) throw new UnreadableRecord('the signing keys do not open with these secrets')
  return { text, keys: await importSigningKeys(parseRecord(signingKeysRecord, opened)) }
}

/** Makes the first keys; of several instances that begin at once one succeeds and all use its keys. */
async function create({ store, keyRing, clock }: Needs): Promise<string> {
  const sealed = await keyRing.seal('signing-keys', JSON.stringify(await createSigningKeys(clock())))
  const key = keys.signingKeys()
  if (await store.run(set(key, sealed, { ifAbsent: true }))) return sealed
  const text = await store.run(get(key, { fresh: true }))
  if (text === null) throw new StoreUnavailable('the signing keys vanished')
  return text
}
