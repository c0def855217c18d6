import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIdentity, type Identity } from '#lib/identity/identity'
import type { People } from '#lib/identity/people'
import { createBrowser, openRig, type Rig, tokenOf } from '#test/identity/rig'

let rig: Rig
/** Another instance over the same store. */
let elsewhere: Identity

beforeEach(async () => {
  rig = await openRig()
  elsewhere = createIdentity(rig.deps)
})
afterEach(() => rig.close())

async function signIn(member?: string) {
  const browser = createBrowser()
  const token = tokenOf(await rig.identity.mintSignInLink({ member }))
  await browser.post(rig.identity.signInLink, '/sign-in/link', { token })
  const whoIs = () => elsewhere.currentUser(browser.request('/dashboard'))
  const user = await whoIs()
  return { id: user?.accountId ?? '', epoch: user?.epoch ?? -1, whoIs }
}

/** Whether an app that was let in before still is. */
async function admitted(accountId: string, epoch: number) {
  const { operation, decide } = elsewhere.accountCheck(accountId, epoch)
  return decide(await rig.store.run(operation)).ok
}

type Ending = Exclude<keyof People, 'list' | 'find'>

describe('what an operator ends for a person', () => {
  it.each([
    { ending: 'endConnections', connections: false, browser: true },
    { ending: 'signOutEverywhere', connections: true, browser: false },
    { ending: 'block', connections: false, browser: false },
    { ending: 'unblock', connections: true, browser: true },
  ] satisfies { ending: Ending; connections: boolean; browser: boolean }[])(
    '$ending leaves connections: $connections, the browser: $browser, on the next request elsewhere',
    async ({ ending, connections, browser }) => {
      const ann = await signIn('Ann')
      const ben = await signIn('Ben')
      expect((await rig.identity.people[ending](ann.id)).ok).toBe(true)
      expect(await admitted(ann.id, ann.epoch)).toBe(connections)
      expect((await ann.whoIs()) !== undefined).toBe(browser)
      expect(await admitted(ben.id, ben.epoch)).toBe(true)
      expect(await ben.whoIs()).toBeDefined()
    },
  )

  it('lets a person whose connections ended connect again from the browser that is signed in', async () => {
    const ann = await signIn('Ann')
    await rig.identity.people.endConnections(ann.id)
    const now = await ann.whoIs()
    expect(await admitted(ann.id, now?.epoch ?? -1)).toBe(true)
  })

  it('refuses to sign a blocked person in, and brings nothing back when they are unblocked', async () => {
    const ann = await signIn('Ann')
    await rig.identity.people.block(ann.id)
    expect((await signIn('Ann')).id).toBe('')
    await rig.identity.people.unblock(ann.id)
    expect(await ann.whoIs()).toBeUndefined()
    expect(await admitted(ann.id, ann.epoch)).toBe(false)
    expect((await signIn('Ann')).id).toBe(ann.id)
  })

  it('never blocks the owner, who could then let nobody in again', async () => {
    const owner = await signIn()
    expect(await rig.identity.people.block(owner.id)).toEqual({ ok: false, error: 'owner_stays' })
    expect(await owner.whoIs()).toBeDefined()
  })

  it('says so when there is no such person', async () => {
    expect(await rig.identity.people.block('usr_nobody')).toEqual({ ok: false, error: 'person_unknown' })
  })

  it('is audited with ids only', async () => {
    const ann = await signIn('Ann')
    await rig.identity.people.block(ann.id)
    expect(rig.audited.at(-1)).toEqual({ event: 'person_blocked', accountId: ann.id })
  })
})

describe('people', () => {
  it('are listed once each, the first first', async () => {
    await signIn()
    rig.advance(1)
    await signIn('Ann')
    await signIn('ann')
    const people = await rig.identity.people.list()
    expect(people.map(({ name, role, state }) => `${name} ${role} ${state}`)).toEqual([
      'Owner owner active',
      'Ann member active',
    ])
  })

  it.each([
    { who: 'ANN ', found: 'Ann' },
    { who: 'owner', found: 'Owner' },
    { who: 'Nobody', found: undefined },
    { who: '', found: undefined },
    { who: 'usr_nobody', found: undefined },
  ])('are found by "$who": $found', async ({ who, found }) => {
    await signIn()
    await signIn('Ann')
    expect((await rig.identity.people.find(who))?.name).toBe(found)
  })

  it('are found by a name before the word "owner", and by id without doubt', async () => {
    const owner = await signIn()
    const named = await signIn('Owner')
    expect((await rig.identity.people.find('Owner'))?.id).toBe(named.id)
    expect((await rig.identity.people.find(owner.id))?.role).toBe('owner')
  })
})
