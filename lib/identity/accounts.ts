import { SWAP_ATTEMPTS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { type Account, accountSchema } from '#lib/identity/account'
import type { IdentityDeps } from '#lib/identity/deps'
import type { MemberName } from '#lib/identity/member-name'
import { keys } from '#lib/store/keys'
import { del, get, rank, set, swap, unrank } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'
import { readRecord } from '#lib/store/record'

/** An account that was looked up by its pointer, and whether this very call made it. */
export interface Found {
  readonly account: Account
  readonly created: boolean
}

/** The accounts of a server: the owner's and those of invited people. */
export interface Accounts {
  find(accountId: string): Promise<Account | undefined>
  hasOwner(): Promise<boolean>
  /** The owner's account, made at the first call of all. */
  owner(): Promise<Found>
  /** The account of a person, made when the name comes for the first time. */
  member(name: MemberName): Promise<Found>
}

type AccountsDeps = Pick<IdentityDeps, 'store' | 'clock' | 'random' | 'recordTtlMs'>

/** A pointer is a key whose value is an account id. */
interface Pointer {
  readonly key: string
  readonly role: 'owner' | 'member'
  readonly name: string
}

/** Makes the accounts of a store. Every write order leaves a state that the next call can go on from. */
export function createAccounts(deps: AccountsDeps): Accounts {
  const { store } = deps
  const find = (accountId: string) => readRecord(store, keys.account(accountId), accountSchema)

  return {
    find,
    hasOwner: async () => (await store.run(get(keys.owner(), { fresh: true }))) !== null,
    owner: () => findOrMake(deps, { key: keys.owner(), role: 'owner', name: 'Owner' }),
    member: async ({ shown, folded }) =>
      findOrMake(deps, { key: keys.member(await sha256(folded)), role: 'member', name: shown }),
  }
}

/**
 * Follows a pointer, or makes the account and then the pointer. Stopped between the two it leaves an account
 * that nothing leads to. Of any number of callers one sets the pointer; the others use that account and
 * delete their own. A pointer whose account is gone is led to a new one.
 */
async function findOrMake(deps: AccountsDeps, pointer: Pointer): Promise<Found> {
  const { store, recordTtlMs: ttlMs } = deps
  let own: Account | undefined
  for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
    const { accountId, account } = await follow(store, pointer.key)
    if (account) return settle(store, account, own)

    own ??= await makeAccount(deps, pointer)
    if (accountId === null) await store.run(set(pointer.key, own.id, { ifAbsent: true, ttlMs }))
    else await store.run(swap(pointer.key, accountId, own.id, ttlMs))
  }
  throw new StoreUnavailable('too many writers on one account pointer')
}

async function follow(store: Store, key: string) {
  const accountId = await store.run(get(key, { fresh: true }))
  if (accountId === null) return { accountId }
  return { accountId, account: await readRecord(store, keys.account(accountId), accountSchema) }
}

/** Our own id under the pointer means that our write took effect, whatever we were told. */
async function settle(store: Store, account: Account, own: Account | undefined): Promise<Found> {
  if (own?.id === account.id) return { account, created: true }
  if (own) await store.batch(del(keys.account(own.id)), unrank(keys.people(), own.id))
  return { account, created: false }
}

/** The list of people first: nobody must hold an account that ending everything would miss. */
async function makeAccount(deps: AccountsDeps, { role, name }: Pointer): Promise<Account> {
  const id = `usr_${deps.random(16)}`
  const { store, recordTtlMs: ttlMs } = deps
  const account: Account = { v: 1, id, role, name, state: 'active', epoch: 0, createdAt: deps.clock() }
  await store.batch(
    rank(keys.people(), id, account.createdAt, ttlMs),
    set(keys.account(id), JSON.stringify(account), { ttlMs }),
  )
  return account
}
