import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '#lib/core/hash'
import { accountCheck } from '#lib/identity/account'
import { type Accounts, createAccounts } from '#lib/identity/accounts'
import { memberName } from '#lib/identity/member-name'
import { keys } from '#lib/store/keys'
import { del, get, set } from '#lib/store/operations'
import { UnreadableRecord } from '#lib/store/record'
import { openRig, type Rig, START } from '#test/identity/rig'

let rig: Rig
let accounts: Accounts

beforeEach(async () => {
  rig = await openRig()
  accounts = createAccounts(rig.deps)
})
afterEach(() => rig.close())

const member = (text: string) => {
  const name = memberName(text)
  if (!name.ok) throw new Error(name.error)
  return accounts.member(name.value)
}

const stored = async (accountId: string) =>
  JSON.parse((await rig.store.run(get(keys.account(accountId)))) ?? 'null')

describe('accounts', () => {
  it('keep the documented record', async () => {
    const { account } = await accounts.owner()
    expect(await stored(account.id)).toEqual({
      v: 1,
      id: expect.stringMatching(/^usr_[\w-]{22}$/),
      role: 'owner',
      name: 'Owner',
      state: 'active',
      epoch: 0,
      createdAt: START,
    })
    expect(await rig.store.run(get(keys.owner()))).toBe(account.id)
  })

  it('know no owner until the first one came', async () => {
    expect(await accounts.hasOwner()).toBe(false)
    await accounts.owner()
    expect(await accounts.hasOwner()).toBe(true)
  })

  it('find the same owner again', async () => {
    const first = await accounts.owner()
    const second = await accounts.owner()
    expect(first.created).toBe(true)
    expect(second).toEqual({ account: first.account, created: false })
  })

  it('find a member by any spelling of the name, kept only as a hash', async () => {
    const first = await member('Anna')
    const second = await member(' ANNA ')
    expect(second.account.id).toBe(first.account.id)
    expect(second.account.role).toBe('member')
    expect(await rig.store.run(get(keys.member(await sha256('anna'))))).toBe(first.account.id)
    expect((await member('Bert')).account.id).not.toBe(first.account.id)
  })

  it('make one account of 50 first visits at once and leave no other behind', async () => {
    const made: string[] = []
    const random = (bytes: number) => {
      const value = rig.deps.random(bytes)
      made.push(`usr_${value}`)
      return value
    }
    const racing = createAccounts({ ...rig.deps, random })
    const found = await Promise.all(Array.from({ length: 50 }, () => racing.owner()))

    expect(new Set(found.map(({ account }) => account.id)).size).toBe(1)
    expect(found.filter(({ created }) => created)).toHaveLength(1)
    const left = await Promise.all(made.map((id) => rig.store.run(get(keys.account(id)))))
    expect(left.filter((text) => text !== null)).toHaveLength(1)
  })

  it('count a first visit whose reply was lost as made, not as lost to another', async () => {
    const { store } = rig
    const lossy: typeof store = {
      ...store,
      // The client of the store repeats a command whose reply it did not get.
      run: async (operation) => {
        if (operation.kind === 'set' && operation.ifAbsent) await store.run(operation)
        return store.run(operation)
      },
    }
    const { account, created } = await createAccounts({ ...rig.deps, store: lossy }).owner()
    expect(created).toBe(true)
    expect(await stored(account.id)).not.toBeNull()
  })

  it('go on from a pointer whose account is gone', async () => {
    const first = await accounts.owner()
    await rig.store.run(del(keys.account(first.account.id)))
    const next = await accounts.owner()
    expect(next.created).toBe(true)
    expect(next.account.id).not.toBe(first.account.id)
    expect((await accounts.owner()).account.id).toBe(next.account.id)
  })

  it('expire on previews, pointer and record', async () => {
    const short = createAccounts({ ...rig.deps, recordTtlMs: 1000 })
    const { account } = await short.owner()
    rig.advance(1001)
    expect(await short.find(account.id)).toBeUndefined()
    expect(await short.hasOwner()).toBe(false)
  })
})

describe('accountCheck', () => {
  async function check(accountId: string, epoch: number) {
    const { operation, decide } = accountCheck(accountId, epoch)
    return decide(await rig.store.run(operation))
  }

  it('admits an active account under its epoch, with its name', async () => {
    const { account } = await member('Anna')
    expect(await check(account.id, 0)).toEqual({ ok: true, value: { name: 'Anna' } })
  })

  it('asks the leader and leaves the lifetime alone', () => {
    expect(accountCheck('usr_1', 0).operation).toEqual({ kind: 'get', key: 'a:usr_1', fresh: true })
  })

  it.each([
    { what: 'a raised epoch', change: { epoch: 1 } },
    { what: 'a state that a later release adds', change: { state: 'suspended' } },
  ])('ends everything at $what', async ({ change }) => {
    const { account } = await member('Anna')
    await rig.store.run(set(keys.account(account.id), JSON.stringify({ ...account, ...change })))
    expect(await check(account.id, 0)).toEqual({ ok: false, error: 'account_ended' })
  })

  it('ends everything when the account is gone', async () => {
    expect(await check('usr_nobody', 0)).toEqual({ ok: false, error: 'account_ended' })
  })

  it('reads a record of a later release with more members', async () => {
    const { account } = await member('Anna')
    await rig.store.run(
      set(keys.account(account.id), JSON.stringify({ ...account, passkeys: 2, role: 'admin' })),
    )
    expect((await check(account.id, 0)).ok).toBe(true)
  })

  it('calls a record that does not parse an outage, never an end', async () => {
    await rig.store.run(set(keys.account('usr_broken'), '{"v":1}'))
    await expect(check('usr_broken', 0)).rejects.toThrow(UnreadableRecord)
  })
})
