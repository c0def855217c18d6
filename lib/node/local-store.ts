import { chmod, mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LOCAL_SWEEP_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { apply } from '#lib/node/local-store/apply'
import { createChannels } from '#lib/node/local-store/channels'
import { openJournal } from '#lib/node/local-store/journal'
import { lockFolder } from '#lib/node/local-store/lock'
import { type State, sweep } from '#lib/node/local-store/state'
import { type Driver, type StoreOptions, storeOver } from '#lib/store/connect'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'

export interface LocalStoreOptions extends StoreOptions {
  /** The data folder, made with mode 0700 when it is not there. */
  readonly directory: string
  readonly clock: Clock
  /** The least size at which the journal is rewritten; for tests. */
  readonly compactAtBytes?: number
}

/**
 * A store for one process: memory, and a journal in a data folder. Records and indexes are on the disk before
 * they are acknowledged, logs are with the system (a killed process loses none, a power cut up to a second),
 * counters and touched lifetimes follow within moments. Reads wait for nothing.
 *
 * @throws DataFolderInUse when another live process has the folder
 */
export async function createLocalStore(options: LocalStoreOptions): Promise<Store> {
  const directory = resolve(options.directory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const unlock = await lockFolder(directory)
  try {
    const driver = await createDriver(directory, options)
    return storeOver({ ...driver, close: () => driver.close().finally(unlock) }, options)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function createDriver(directory: string, options: LocalStoreOptions): Promise<Driver> {
  const { clock, compactAtBytes } = options
  const state: State = new Map()
  const journal = await openJournal(directory, { state, compactAtBytes })
  const channels = createChannels()
  const sweeping = setInterval(() => sweep(state, clock()), LOCAL_SWEEP_MS).unref()
  let closed = false
  sweep(state, clock())

  function run(operations: readonly Operation[]): unknown[] {
    const scene = {
      state,
      now: clock(),
      record: journal.record,
      recordSoon: journal.recordSoon,
      publish: channels.publish,
    }
    return operations.map((operation) => apply(scene, operation))
  }

  return {
    async execute(operations) {
      if (closed) throw new StoreUnavailable('the local store is closed')
      journal.assertHealthy()
      let answers: unknown[] | undefined
      let written: ReturnType<typeof journal.commit>
      try {
        answers = run(operations)
      } finally {
        // Also when one of them was refused: those before it took effect.
        written = journal.commit()
      }
      if (written) await written.synced
      return answers
    },
    subscribe: async (channel, listener, signal) => channels.subscribe(channel, listener, signal),
    async close() {
      if (closed) return
      closed = true
      clearInterval(sweeping)
      await journal.close()
    },
  }
}
