import type { Operation, Store } from '#lib/store/port'

/** Gathers what is to be written in one moment, as when a process stops: one request for all of it. */
export function createSaver(store: Store, waitUntil: (work: Promise<unknown>) => void) {
  let waiting: Operation[] = []
  let last: Promise<void> = Promise.resolve()

  async function flush(): Promise<void> {
    await Promise.resolve()
    const operations = waiting
    waiting = []
    // What is not written makes whoever comes next begin a little earlier: nothing is lost.
    await store.batch(...operations).catch(() => undefined)
  }

  return {
    save(operation: Operation): void {
      waiting.push(operation)
      if (waiting.length > 1) return
      last = flush()
      waitUntil(last)
    },
    drained: () => last,
  }
}
