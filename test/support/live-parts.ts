import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '#lib/core/random'
import { type ChangeBus, createBus } from '#lib/mcp/bus'
import { createWakes, type Wakes } from '#lib/mcp/live/wakes'
import { createLocalStore } from '#lib/node/local-store'
import type { Store } from '#lib/store/port'

/** What the MCP endpoint needs for sessions and streams, over a store. */
export function liveParts(
  store: Store,
  { wakeUps = true }: { readonly wakeUps?: boolean } = {},
): {
  readonly store: Store
  readonly wakes: Wakes
  readonly bus: ChangeBus
  readonly random: typeof systemRandom
  readonly log: () => void
  readonly readopt: boolean
} {
  const clock = Date.now
  const wakes = createWakes(wakeUps ? store : undefined, { clock })
  const bus = createBus({ store, wakes, clock, waitUntil: () => undefined })
  return { store, wakes, bus, random: systemRandom, log: () => undefined, readopt: true }
}

/** A local store in a folder of its own, opened when it is first used. */
export function localStoreLater(): Store {
  let opened: Promise<Store> | undefined
  const open = () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-mcp-'))
    return createLocalStore({ directory, prefix: 'test', clock: Date.now })
  }
  const store = () => {
    opened ??= open()
    return opened
  }
  return {
    run: async (operation) => (await store()).run(operation),
    batch: async (...operations) => (await store()).batch(...operations),
    subscribe: async (channel, listener, signal) => (await store()).subscribe(channel, listener, signal),
    close: async () => opened && (await opened).close(),
  }
}
