import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile, rewrite, writeWhole } from '#lib/node/local-store/rewrite'
import type { State } from '#lib/node/local-store/state'
import { StoreUnavailable } from '#lib/store/port'

/** The journal as a file: what is appended, when it is on the disk, and how it gets smaller. */
export interface JournalFile {
  /** Hands text to the system. @throws StoreUnavailable when the disk refuses */
  append(text: string): void
  /** Resolves when all that was appended is on the disk; those who wait at the same time share one fsync. */
  sync(): Promise<void>
  /** Rewrites the file with what is alive, while appending goes on. */
  compact(): Promise<void>
  /** @throws StoreUnavailable while the disk refuses; looks meanwhile whether it does again */
  assertHealthy(): void
  close(): Promise<void>
}

/** Takes over an open journal of `size` bytes. It is rewritten at twice its live size. */
export function journalFile(opened: {
  path: string
  file: FileHandle
  size: number
  state: State
  compactAtBytes: number
}): JournalFile {
  const { path, state, compactAtBytes } = opened
  let { file, size } = opened
  let threshold = compactAtBytes
  let broken = false
  /** What was appended since the running rewrite began: it follows the snapshot. */
  let rest: string[] | undefined
  let compaction: { readonly done: Promise<void> } | undefined

  const sync = shared(async () => {
    try {
      await file.datasync()
    } catch {
      broken = true
    }
    if (broken) throw unwritable()
  })

  async function compactOnce() {
    // If it fails, not again before the file has grown.
    threshold = size + compactAtBytes
    rest = []
    const rewritten = await rewrite(`${path}.next`, state)
    // From here to the swap nothing else runs: both files hold the same, and the new one takes the place.
    size = replaceFile({ from: rewritten, path, directory: dirname(path), rest: rest.join('') })
    const previous = file
    file = rewritten.file
    // What was written meanwhile is not counted: much of it may be dead already.
    threshold = Math.max(compactAtBytes, 2 * rewritten.size)
    broken = false
    // An fsync of the old file may be under way; closing waits for it.
    await previous.close()
  }

  function compact(): Promise<void> {
    compaction ??= {
      done: compactOnce().finally(() => {
        compaction = undefined
        rest = undefined
      }),
    }
    return compaction.done
  }

  return {
    append(text) {
      rest?.push(text)
      // Behind half a line nothing more may be written.
      if (broken) throw unwritable()
      try {
        size += writeWhole(file.fd, text)
      } catch {
        broken = true
        throw unwritable()
      }
      if (size > threshold) inBackground(compact())
    },
    sync,
    compact,
    assertHealthy() {
      if (!broken) return
      // Memory is ahead of the file: only a whole new file makes them one again.
      inBackground(compact())
      throw unwritable()
    },
    async close() {
      await compaction?.done.catch(() => undefined)
      await (broken ? undefined : sync())
      await file.close()
    },
  }
}

const unwritable = () => new StoreUnavailable('the data folder cannot be written')

/** Nobody waits for this; a failure shows in `broken`. */
export const inBackground = (work: Promise<void>): void => void work.catch(() => undefined)

/** One run at a time; all who ask while one is under way share the next. */
function shared(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let following: Promise<void> | undefined
  return () => {
    following ??= running
      .catch(() => undefined)
      .then(() => {
        running = following ?? running
        following = undefined
        return work()
      })
    return following
  }
}
