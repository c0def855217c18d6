import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newPerson } from '#test/support/browser'
import { type Deployment, startLocal, startPair } from '#test/support/deployment'
import { hosts } from '#test/support/hosts'
import { connectHost } from '#test/support/journey'

/** Requests and clicks of the shortest of the flows: fewer kills would mean that the test skipped some. */
const STEPS_MIN = 10

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

describe('when the server is killed before every step', () => {
  it.each(hosts)('$name goes on after the restart, on the local store', async ({ open }) => {
    const deployment = await startLocal()
    const [product] = deployment.instances
    let kills = 0
    const before = oneAtATime(async () => {
      kills++
      await product?.kill()
      await product?.restart()
    })
    await flow(deployment, open, before)
    expect(kills).toBeGreaterThan(STEPS_MIN)
  })

  it.each(hosts)('$name goes on at the other instance, on Upstash', async ({ open }) => {
    const deployment = await startPair()
    let kills = 0
    const before = oneAtATime(async () => {
      const dying = deployment.instances[kills % 2]
      const returning = deployment.instances[(kills + 1) % 2]
      if (kills > 0) await returning?.restart()
      await dying?.kill()
      kills++
    })
    await flow(deployment, open, before)
    expect(kills).toBeGreaterThan(STEPS_MIN)
  })
})

/** A host may send two requests at once: the server dies for one after the other. */
function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(act)
    return last
  }
}

async function flow(
  deployment: Deployment,
  open: (typeof hosts)[number]['open'],
  before: () => Promise<void>,
): Promise<void> {
  const person = await newPerson(browser)
  try {
    const { origin, ownerLink: signInLink } = deployment
    const host = await connectHost(open, { origin, person, signInLink, before })
    await host.call('save_note', { title: 'Survivor', text: 'Written between two crashes.' })
    await host.refresh()
    expect(await host.call('search_notes', { query: 'crashes' })).toContain('Survivor')
  } finally {
    await person.leave()
    await deployment.dispose()
  }
}
