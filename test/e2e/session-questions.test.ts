import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Pair, startPair } from '#test/support/deployment'
import { connectClient, SESSION_KINDS } from '#test/support/session-clients'
import { judgeIds } from '#test/support/session-verdict'
import { signedIn } from '#test/support/signed-in'

const setups: readonly { wakeUps: string; env: Record<string, string> }[] = [
  { wakeUps: 'on', env: {} },
  { wakeUps: 'off', env: { GATEHOUSE_POLL_ONLY: '1' } },
]

describe.each(setups)('a question that one instance asked, wake-ups $wakeUps', ({ env }) => {
  let pair: Pair
  let token: string
  beforeAll(async () => {
    pair = await startPair({ GATEHOUSE_CONFORMANCE: '1', ...env })
    token = (await signedIn(pair)).token
  })
  afterAll(() => pair.dispose())

  it('is answered after both instances were killed and replaced, and the call completes', async () => {
    const asked = { count: 0, all: deferred() }
    const replaced = deferred()
    const answer = async (question: string) => {
      if (++asked.count === SESSION_KINDS.length) asked.all.resolve()
      await replaced.promise
      return `yes to ${question}`
    }
    const clients = await Promise.all(
      SESSION_KINDS.map((kind) => connectClient(kind, pair.origin, { token, answer })),
    )
    const calls = clients.map((client, index) =>
      client.call('gatehouse_ask', { mark: `m${index}`, rounds: 2, everyMs: 20 }),
    )
    await asked.all.promise
    const before = pair.instances.map(({ pid }) => pid)
    // One after the other: the libraries try twice to come back, and then give up.
    for (const instance of pair.instances) {
      await instance.kill()
      await instance.restart()
    }
    expect(pair.instances.some(({ pid }) => before.includes(pid))).toBe(false)
    replaced.resolve()

    expect(await Promise.all(calls)).toEqual(
      SESSION_KINDS.map((_, index) => `m${index}: yes to m${index}: 1, yes to m${index}: 2`),
    )
    const faults: string[] = []
    for (const client of clients) judgeIds(client, faults)
    expect(faults).toEqual([])
    // Each question was put once.
    expect(asked.count).toBe(2 * SESSION_KINDS.length)
    for (const client of clients) await client.close()
  })
})

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}
