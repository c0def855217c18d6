import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { JOURNAL_COMPACT_MIN_BYTES, JOURNAL_SOON_MS, JOURNAL_SYNC_MS } from '#lib/config/limits'
import type { Change, Durability } from '#lib/node/local-store/changes'
import { inBackground, type JournalFile, journalFile } from '#lib/node/local-store/journal-file'
import { loadJournal } from '#lib/node/local-store/load'
import { describe, type State } from '#lib/node/local-store/state'

/** What tells after a crash what was acknowledged before it. */
export interface Journal {
  /** Takes note of a change until `commit`. */
  record(change: Change, durability: Durability): void
  /** Writes the newest state of a counter, or the newest lifetime of anything else, within moments. */
  recordSoon(key: string): void
  /**
   * Hands what was recorded to the system. Answers a promise when some of it has to be on the disk first.
   *
   * @throws StoreUnavailable when the disk refuses
   */
  commit(): { readonly synced: Promise<void> } | undefined
  /** @throws StoreUnavailable while the disk refuses */
  assertHealthy(): void
  /** Writes and syncs what is left. */
  close(): Promise<void>
}

const FILE_NAME = 'journal.jsonl'

/**
 * Opens the journal of a data folder and replays it into `state`.
 *
 * @param compactAtBytes - the least size at which the file is rewritten
 */
export async function openJournal(
  directory: string,
  {
    state,
    compactAtBytes = JOURNAL_COMPACT_MIN_BYTES,
  }: { state: State; compactAtBytes?: number | undefined },
): Promise<Journal> {
  const path = join(directory, FILE_NAME)
  const { size } = await loadJournal(path, state)
  const file = await open(path, 'a', 0o600)
  return journalOver(journalFile({ path, file, size, state, compactAtBytes }), state)
}

function journalOver(file: JournalFile, state: State): Journal {
  let lines: string[] = []
  let mustSync = false
  const soon = new Set<string>()
  const writingSoon = timer(JOURNAL_SOON_MS, writeSoon)
  const syncing = timer(JOURNAL_SYNC_MS, () => inBackground(file.sync()))

  function write(): boolean {
    if (lines.length === 0) return false
    const text = lines.join('')
    lines = []
    file.append(text)
    return true
  }

  function writeSoon() {
    for (const key of soon) {
      const change = newest(state, key)
      if (change) lines.push(toLine(change))
    }
    soon.clear()
    if (write()) syncing.start()
  }

  return {
    record(change, durability) {
      lines.push(toLine(change))
      mustSync ||= durability === 'synced'
    },

    recordSoon(key) {
      soon.add(key)
      writingSoon.start()
    },

    commit() {
      const mustWait = mustSync
      mustSync = false
      const wrote = write()
      if (mustWait) return { synced: file.sync() }
      if (wrote) syncing.start()
      return undefined
    },

    assertHealthy: file.assertHealthy,

    async close() {
      try {
        writeSoon()
      } finally {
        writingSoon.stop()
        syncing.stop()
        await file.close()
      }
    },
  }
}

const toLine = (change: Change) => `${JSON.stringify(change)}\n`

function newest(state: State, key: string): Change | undefined {
  const stored = state.get(key)
  if (!stored) return undefined
  if (stored.kind !== 'counter') return ['expire', key, stored.expiresAt]
  const [change] = describe(key, stored)
  return change
}

/** Runs `work` once, so long after the first `start`. It does not keep the process alive. */
function timer(afterMs: number, work: () => void) {
  let pending: NodeJS.Timeout | undefined
  const run = () => {
    pending = undefined
    try {
      work()
    } catch {
      // The disk refuses; `assertHealthy` says so to the next caller.
    }
  }
  return {
    start() {
      pending ??= setTimeout(run, afterMs).unref()
    },
    stop: () => clearTimeout(pending),
  }
}
