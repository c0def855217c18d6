import { LIST_PAGE } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { err, ok, type Result } from '#lib/core/result'
import { type Account, accountSchema } from '#lib/identity/account'
import type { IdentityDeps } from '#lib/identity/deps'
import { memberName } from '#lib/identity/member-name'
import { keys } from '#lib/store/keys'
import { get, range } from '#lib/store/operations'
import { type Edit, editRecord, parseRecord, readRecord } from '#lib/store/record'

/** A person as the operator sees them. */
export interface Person {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly state: string
  /** ms */
  readonly createdAt: number
}

/** Why nothing was done to a person. */
export type PersonFault = 'person_unknown' | 'owner_stays'

/**
 * What ends for a person. Each is one swap of the account's record, which every call and every page reads
 * from the leader: it counts from the very next request on, on every instance (decision 0012).
 */
export interface People {
  /** Everybody who ever signed in, the first first. */
  list(): Promise<readonly Person[]>
  /** Of everybody, also of those whose record cannot be read. */
  ids(): Promise<readonly string[]>
  /** By account id, by the name of a member, or `owner` where no member is called so. */
  find(who: string): Promise<Person | undefined>
  /** Ends every connection and personal token, also those that are being made. Browsers stay signed in. */
  endConnections(accountId: string): Promise<Result<Person, PersonFault>>
  /** Ends every browser session. Connections stay. */
  signOutEverywhere(accountId: string): Promise<Result<Person, PersonFault>>
  /** Ends everything and refuses to sign the person in again. The owner cannot be blocked. */
  block(accountId: string): Promise<Result<Person, PersonFault>>
  /** Lets a person sign in again. What ended stays ended. */
  unblock(accountId: string): Promise<Result<Person, PersonFault>>
}

type PeopleDeps = Pick<IdentityDeps, 'store' | 'audit'>

const raised = (account: Account): Account => ({ ...account, epoch: account.epoch + 1 })
const signedOut = (account: Account): Account => ({
  ...account,
  sessionEpoch: (account.sessionEpoch ?? 0) + 1,
})

/** Binds the operations to a store. */
export function createPeople(deps: PeopleDeps): People {
  /** An increment that a lost reply makes twice ends nothing more than once would. */
  async function change(
    accountId: string,
    { event, next }: { readonly event: string; readonly next: (account: Account) => Account | 'owner_stays' },
  ): Promise<Result<Person, PersonFault>> {
    const record = { key: keys.account(accountId), schema: accountSchema }
    const outcome = await editRecord(
      deps.store,
      record,
      (account): Edit<Account, Result<Person, PersonFault>> => {
        if (!account) return { leave: true, answer: err('person_unknown') }
        const changed = next(account)
        return changed === 'owner_stays'
          ? { leave: true, answer: err('owner_stays') }
          : { write: changed, answer: ok(personOf(changed)) }
      },
    )
    if (outcome.ok) await deps.audit({ event, accountId })
    return outcome
  }

  return {
    list: () => listPeople(deps),
    ids: () => idsOf(deps),
    find: (who) => findPerson(deps, who),
    endConnections: (id) => change(id, { event: 'connections_ended', next: raised }),
    signOutEverywhere: (id) => change(id, { event: 'signed_out_everywhere', next: signedOut }),
    block: (id) =>
      change(id, {
        event: 'person_blocked',
        next: (account) =>
          account.role === 'owner' ? 'owner_stays' : { ...signedOut(raised(account)), state: 'blocked' },
      }),
    unblock: (id) =>
      change(id, {
        event: 'person_unblocked',
        next: (account) => (account.state === 'blocked' ? { ...account, state: 'active' } : account),
      }),
  }
}

const personOf = ({ id, name, role, state, createdAt }: Account): Person => ({
  id,
  name,
  role,
  state,
  createdAt,
})

async function listPeople({ store }: PeopleDeps): Promise<readonly Person[]> {
  const people: Person[] = []
  for await (const page of pagesOfIds(store)) {
    const texts = await store.batch(...page.map((id) => get(keys.account(id), { fresh: true })))
    for (const text of texts) if (text !== null) people.push(personOf(parseRecord(accountSchema, text)))
  }
  return people
}

async function idsOf({ store }: PeopleDeps): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const page of pagesOfIds(store)) ids.push(...page)
  return ids
}

async function* pagesOfIds(store: IdentityDeps['store']): AsyncGenerator<readonly string[]> {
  for (let offset = 0; ; offset += LIST_PAGE) {
    const entries = await store.run(range(keys.people(), { limit: LIST_PAGE, offset }))
    if (entries.length > 0) yield entries.map(({ member }) => member)
    if (entries.length < LIST_PAGE) return
  }
}

async function findPerson({ store }: PeopleDeps, who: string): Promise<Person | undefined> {
  const byId = who.startsWith('usr_') ? who : await pointedAt(store, who)
  const account = byId === undefined ? undefined : await readRecord(store, keys.account(byId), accountSchema)
  return account && personOf(account)
}

async function pointedAt(store: IdentityDeps['store'], who: string): Promise<string | undefined> {
  const name = memberName(who)
  if (!name.ok) return undefined
  const { folded } = name.value
  const member = await store.run(get(keys.member(await sha256(folded)), { fresh: true }))
  if (member !== null || folded !== 'owner') return member ?? undefined
  return (await store.run(get(keys.owner(), { fresh: true }))) ?? undefined
}
