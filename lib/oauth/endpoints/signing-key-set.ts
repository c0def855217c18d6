import type { Verifier } from '#lib/oauth/access-token'
import type { OAuthDeps } from '#lib/oauth/endpoints/deps'
import {
  createKeyMemory,
  type KeyMemory,
  type LoadedKeys,
  readKeys,
  sealKeys,
} from '#lib/oauth/endpoints/signing-key-memory'
import { advanceKeys, signsFrom, stepDueAt, withNextKey } from '#lib/oauth/key-rotation'
import {
  createSigningKeys,
  type SigningKey,
  type SigningKeys,
  type SigningKeysRecord,
} from '#lib/oauth/signing-keys'
import { keys } from '#lib/store/keys'
import { set, swap } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'

/** The signing keys of this deployment, kept in memory once they were read. */
export interface SigningKeySet {
  /**
   * The keys, from memory when they were read before.
   *
   * @throws StoreUnavailable when they never were and the store does not answer
   */
  current(): Promise<SigningKeys>
  /**
   * The keys as they were at most 10 seconds ago: what is signed with them is not signed with a key that was
   * dropped earlier.
   *
   * @throws StoreUnavailable when the store does not answer
   */
  confirmed(): Promise<SigningKeys>
  /**
   * For the one request of a call: when memory is 10 seconds old the keys are read along. `undefined`: it is
   * younger.
   */
  readAlong(): ReadAlong | undefined
  /**
   * The key that signed a token. One that is unknown may be newer than memory: the keys are read again, at
   * most once in 10 seconds.
   *
   * @throws StoreUnavailable when it cannot be known because the store does not answer
   */
  find(kid: string): Promise<Verifier | undefined>
  /** Reads the keys again in the background when they are old. Never throws. */
  refresh(): Promise<void>
  /** Takes the next step of a rotation when one is due; of several instances one succeeds. Never throws. */
  advance(): Promise<void>
  /** Publishes a key that will sign next, if none waits. Answers when it begins to sign (ms). */
  rotate(): Promise<{ readonly published: boolean; readonly signsFrom: number }>
  /** Drops every key and signs with a new one at once. */
  replace(): Promise<void>
  /** The keys without their private halves, from the store. */
  list(): Promise<readonly SigningKey[]>
}

export interface ReadAlong {
  readonly operation: ReturnType<typeof readKeys>
  /** Takes the answer into memory. */
  absorb(text: string | null): Promise<SigningKeys>
}

type Needs = Pick<OAuthDeps, 'store' | 'keyRing' | 'clock' | 'log' | 'audit' | 'settings'>

const KEY = keys.signingKeys()

/** Makes the set. Nothing is read before the first use. */
export function createSigningKeySet(deps: Needs): SigningKeySet {
  const { log } = deps
  const memory = createKeyMemory(deps)
  const current = async () => (memory.loaded() ?? (await memory.load())).keys

  return {
    current,
    confirmed: async () => (memory.isOld() ? (await memory.load()).keys : current()),

    readAlong() {
      if (!memory.isOld()) return undefined
      const request = memory.begin()
      return { operation: readKeys(), absorb: async (text) => (await memory.absorb(text, request)).keys }
    },

    async find(kid) {
      const known = (await current()).verifiers.get(kid)
      if (known) return known
      if (!memory.wasJustAsked()) return (await memory.load()).keys.verifiers.get(kid)
      // An outage must not read as "no such key".
      if (memory.hasFailed()) throw new StoreUnavailable('the signing keys could not be read again')
      return undefined
    },

    async refresh() {
      if (memory.isStale()) await memory.load().catch(() => log('warn', 'signing_keys_not_refreshed'))
    },

    advance: () => advance(deps, memory).catch(() => log('warn', 'signing_keys_not_advanced')),
    rotate: () => rotate(deps, memory),
    replace: () => replace(deps, memory),
    list: async () => (await memory.load()).record.keys,
  }
}

async function advance(deps: Needs, memory: KeyMemory): Promise<void> {
  const { clock, settings, audit } = deps
  const known = memory.loaded()
  if (!known || clock() < stepDueAt(known.record)) return
  // Memory may be behind: another instance has often taken the step already.
  const from = await memory.load()
  const { accessTokenSeconds } = settings
  const next = await advanceKeys(from.record, { now: clock(), accessTokenSeconds })
  if (next && (await commit({ from, next }, deps, memory))) await audit({ event: 'signing_keys_advanced' })
}

async function rotate(deps: Needs, memory: KeyMemory): ReturnType<SigningKeySet['rotate']> {
  const from = await memory.load()
  const next = await withNextKey(from.record, deps.clock())
  const published = next !== undefined && (await commit({ from, next }, deps, memory))
  if (published) await deps.audit({ event: 'signing_key_published' })
  const at = signsFrom((await memory.load()).record)
  if (at === undefined) throw new StoreUnavailable('the signing keys were changed at the same time')
  return { published, signsFrom: at }
}

async function replace(deps: Needs, memory: KeyMemory): Promise<void> {
  const text = await sealKeys(deps, await createSigningKeys(deps.clock()))
  const request = memory.begin()
  await deps.store.run(set(KEY, text))
  await memory.absorb(text, request)
  await deps.audit({ event: 'signing_keys_dropped' })
}

/** Writes `next` over what was read; `false` when somebody else was faster. */
async function commit(
  { from, next }: { readonly from: LoadedKeys; readonly next: SigningKeysRecord },
  deps: Needs,
  memory: KeyMemory,
): Promise<boolean> {
  const text = await sealKeys(deps, next)
  const request = memory.begin()
  const swapped = await deps.store.run(swap(KEY, from.text, text))
  // Our own text there means that our write took effect and its reply was lost.
  const done = swapped.done || swapped.current === text
  if (done) await memory.absorb(text, request)
  return done
}
