import { MCP_BODY_MAX_BYTES } from '#lib/config/limits'
import type { Operation, Store } from '#lib/store/port'

type Append = Extract<Operation, { kind: 'append' }>

/**
 * Writes to logs in the order in which it was asked: one request at a time, and what comes while one is out
 * goes together in the next. Two requests at once could arrive the other way round.
 *
 * @returns a function that settles when its entry is written, and rejects when nobody knows that it was
 */
export function createOrderedWriter(store: Store): (operation: Append) => Promise<void> {
  let waiting: Append[] = []
  let following: Promise<void> | undefined
  let out: Promise<unknown> = Promise.resolve()

  async function write(): Promise<void> {
    await out
    following = undefined
    const operations = waiting
    waiting = []
    const written = writeAll(operations)
    out = written.catch(() => undefined)
    await written
  }

  async function writeAll(operations: readonly Append[]): Promise<void> {
    for (const batch of batchesOf(operations)) await store.batch(...batch)
  }

  return (operation) => {
    waiting.push(operation)
    following ??= write()
    return following
  }
}

/** As much at once as a request to the endpoint may hold, which every store takes. */
function batchesOf(operations: readonly Append[]): Append[][] {
  const batches: Append[][] = [[]]
  let length = 0
  for (const operation of operations) {
    length += operation.data.length
    if (length > MCP_BODY_MAX_BYTES && batches.at(-1)?.length) {
      batches.push([])
      length = operation.data.length
    }
    batches.at(-1)?.push(operation)
  }
  return batches
}
