import assert from 'node:assert/strict'
import { callWorks, open } from '#test/hosts/first-calls'
import { known, type Memory, type Tokens } from '#test/hosts/memory'
import { authorize, newClient, redeem, refreshWith } from '#test/hosts/oauth-steps'
import type { Race } from '#test/hosts/profile'

/** Of claude-code#91641. */
const PROCESSES = 43

/** Two refreshes, with the way in which this host gets into its own way. Everybody stays signed in. */
export async function refresh(memory: Memory): Promise<void> {
  await races[memory.profile.refresh.race](memory)
  assert.ok(await callWorks(memory, known(memory.tokens, 'tokens').access_token), 'the last token works')
}

async function good(refreshing: ReturnType<typeof refreshWith>): Promise<Tokens> {
  const { status, tokens } = await refreshing
  assert.equal(status, 200, `a refresh gives ${status}: ${JSON.stringify(tokens)}`)
  assert.ok(tokens.refresh_token, 'a refresh gives the next refresh token')
  return tokens
}

/** The refresh token that the host has stored. */
const stored = (memory: Memory): string => known(memory.tokens, 'tokens').refresh_token

const races: Readonly<Record<Race, (memory: Memory) => Promise<void>>> = {
  /** PrefectHQ/fastmcp#4264: one refresh token leaves from two egress addresses in the same moment. */
  async 'two addresses at once'(memory) {
    let held = [stored(memory), stored(memory)]
    for (const round of ['first', 'second']) {
      const both = await Promise.all(
        held.map((token, index) =>
          good(refreshWith(memory, token, { 'x-forwarded-for': `160.79.104.${10 + index}` })),
        ),
      )
      for (const { access_token } of both)
        assert.ok(await callWorks(memory, access_token), `both tokens of the ${round} round work`)
      held = both.map(({ refresh_token }) => refresh_token)
      memory.tokens = known(both[0], 'tokens')
    }
  },

  /** claude-code#85236: all read one stored token, some only after another has already used its successor. */
  async 'many processes'(memory) {
    const old = stored(memory)
    const early = await Promise.all(
      Array.from({ length: PROCESSES - 20 }, () => good(refreshWith(memory, old))),
    )
    const winner = known(early[0], 'tokens')
    assert.ok(await callWorks(memory, winner.access_token))
    const late = await Promise.all(Array.from({ length: 20 }, () => good(refreshWith(memory, old))))
    const successors = new Set([...early, ...late].map(({ refresh_token }) => refresh_token))
    assert.equal(successors.size, 1, 'all processes end up with the same refresh token')
    assert.ok(await callWorks(memory, known(late[0], 'tokens').access_token))
    memory.tokens = await good(refreshWith(memory, winner.refresh_token))
  },

  /** mcp-remote#351: the second instance still holds the token that the first has spent and moved on from. */
  async 'parallel instances'(memory) {
    const old = stored(memory)
    const first = await good(refreshWith(memory, old))
    assert.ok(await callWorks(memory, first.access_token))
    const second = await good(refreshWith(memory, old))
    assert.ok(await callWorks(memory, second.access_token), 'the second instance is signed in')
    memory.tokens = await good(refreshWith(memory, first.refresh_token))
    assert.ok(await callWorks(memory, memory.tokens.access_token), 'and so is the first')
  },

  /** The answer never arrives (sleep, lost connection), so the host tries again with what it has. */
  async 'lost answer'(memory) {
    const old = stored(memory)
    await refreshWith(memory, old)
    const again = await good(refreshWith(memory, old))
    memory.tokens = await good(refreshWith(memory, again.refresh_token))
  },

  /** exceptionless#2404: a token two generations old comes back from a stale copy of the settings. */
  async 'stale generation'(memory) {
    const old = stored(memory)
    const next = await good(refreshWith(memory, old))
    const newest = await good(refreshWith(memory, next.refresh_token))
    const stale = await good(refreshWith(memory, old))
    assert.ok(await callWorks(memory, stale.access_token))
    assert.ok(await callWorks(memory, newest.access_token))
    memory.tokens = stale
  },

  /** goose#11235: a refresh at each start, expired or not. */
  async 'every start'(memory) {
    for (const _start of ['first', 'second']) {
      memory.tokens = await good(refreshWith(memory, stored(memory)))
      await open(memory)
    }
  },

  /** opencode#35625, #49439: a new client for each run, while the run before still refreshes, twice at once. */
  async 'new registration'(memory) {
    const before: Memory = { ...memory }
    memory.client = await newClient(memory)
    await authorize(memory)
    await redeem(memory)
    await open(memory)
    const both = await Promise.all([1, 2].map(() => good(refreshWith(before, stored(before)))))
    for (const { access_token } of both) assert.ok(await callWorks(before, access_token))
    memory.tokens = await good(refreshWith(memory, stored(memory)))
    await good(refreshWith(before, known(both[0], 'tokens').refresh_token))
  },
}
