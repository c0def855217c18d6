import type { Page } from 'playwright-core'
import { approve, goOn, type Person, signInWithLink } from '#test/support/browser'
import type { Host, HostOptions } from '#test/support/hosts'
import { listenForCallback } from '../../bin/connect/callback.ts'

const CALLBACK_TIMEOUT_MS = 20_000

export interface Journey {
  readonly origin: string
  readonly person: Person
  /** The person signs in with it in a tab of its own, as somebody does who reads the console. */
  readonly signInLink?: string | undefined
  /** Runs before every step: each request of the host, each click of the person. */
  readonly before?: () => Promise<void>
}

/** From a bare URL to tokens: the host begins, the person signs in and allows, the host redeems. */
export async function connectHost(
  open: (options: HostOptions) => Host,
  { origin, person, signInLink, before = async () => undefined }: Journey,
): Promise<Host> {
  const callback = await listenForCallback()
  const tab = await person.newPage()
  try {
    const resource = new URL('/api/mcp', origin)
    const host = open({ resource, redirectUri: callback.redirectUri, before })
    const url = await host.begin()
    await before()
    await tab.goto(url)
    if (signInLink) await signInElsewhere({ tab, person, signInLink, before })
    await before()
    const [answer] = await Promise.all([callback.wait(CALLBACK_TIMEOUT_MS), approve(tab)])
    await host.finish(answer)
    return host
  } finally {
    await tab.close()
    callback.close()
  }
}

/** The waiting tab says where the link is; the person follows it in another tab and comes back. */
async function signInElsewhere({
  tab,
  person,
  signInLink,
  before,
}: {
  readonly tab: Page
  readonly person: Person
  readonly signInLink: string
  readonly before: () => Promise<void>
}): Promise<void> {
  const other = await person.newPage()
  await before()
  await signInWithLink(other, signInLink)
  await other.close()
  await before()
  await goOn(tab)
}
