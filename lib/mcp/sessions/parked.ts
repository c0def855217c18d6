import type {
  InputResponses,
  JSONRPCErrorResponse,
  JSONRPCResultResponse,
} from '@modelcontextprotocol/server'
import { RUN_DONE_MS, RUN_LEASE_MS, RUN_LOG_KEEP, RUN_MS, SWAP_ATTEMPTS } from '#lib/config/limits'
import type { Random } from '#lib/core/random'
import type { Wakes } from '#lib/mcp/live/wakes'
import { logId } from '#lib/mcp/sessions/event-id'
import { RunRecord } from '#lib/mcp/sessions/records'
import { keys } from '#lib/store/keys'
import { append, set, swap } from '#lib/store/operations'
import { type Store, StoreUnavailable, type Swapped } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** A parked run, with its record as it was read. */
interface Parked {
  readonly sid: string
  readonly xid: string
  readonly text: string | null
}

interface Deps {
  readonly store: Store
  readonly wakes: Wakes
  readonly random: Random
}

/** An answer to a question of a parked run. */
export interface Answering extends Parked {
  /** The run's epoch when it was parked. */
  readonly epoch: number
  readonly message: JSONRPCResultResponse | JSONRPCErrorResponse
}

/**
 * Writes an answer into the record of a parked run. With the last one the run is claimed: of any number of
 * requests that bring it, one is told to go on.
 *
 * @throws StoreUnavailable after too many lost races
 */
export async function answerParked(how: Answering, deps: Deps): Promise<Claimed | undefined> {
  let text: string | null = how.text
  for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
    const record = text === null ? undefined : withAnswer(parseRecord(RunRecord, text), how, deps.random(12))
    if (text === null || !record) return undefined
    const next = JSON.stringify(record)
    const swapped = await write(how, { text, next, leased: record.status === 'running' }, deps)
    // A write whose answer was lost is repeated, and then finds its own value.
    if (swapped.done || swapped.current === next) {
      return record.status === 'running' ? { text: next, record } : undefined
    }
    text = swapped.current
  }
  throw new StoreUnavailable('store: a parked call changes too often')
}

/** A run that goes on here, with its record as it was written. */
interface Claimed {
  readonly text: string
  readonly record: RunRecord
}

async function write(
  { sid, xid }: Parked,
  { text, next, leased }: { readonly text: string; readonly next: string; readonly leased: boolean },
  { store }: Deps,
): Promise<Swapped> {
  const lease = set(keys.mcpRunLease(sid, xid), '1', { ttlMs: RUN_LEASE_MS })
  const swapped = swap(keys.mcpRun(sid, xid), text, next, RUN_MS)
  // The lease first: nobody may find the record claimed and its lease gone.
  return leased ? (await store.batch(lease, swapped))[1] : store.run(swapped)
}

/** Ends a parked run without an answer: its client has cancelled it. One that is not parked is left alone. */
export async function endParked({ sid, xid, text }: Parked, { store, wakes }: Deps): Promise<void> {
  const record = text === null ? undefined : parseRecord(RunRecord, text)
  if (text === null || record?.status !== 'parked') return
  const done = JSON.stringify({ ...record, status: 'done', requests: [], answers: undefined })
  const swapped = await store.run(swap(keys.mcpRun(sid, xid), text, done, RUN_DONE_MS))
  if (!swapped.done && swapped.current !== done) return
  await store.run(
    append(keys.mcpRunLog(sid, xid), JSON.stringify({ m: [], end: 1 }), {
      id: logId({ epoch: record.epoch + 1, seq: 0 }),
      keep: RUN_LOG_KEEP,
      ttlMs: RUN_DONE_MS,
      ...(wakes.channel === undefined ? {} : { tell: wakes.channel }),
    }),
  )
}

/** The record with one more answer; running again with the last. `undefined`: nobody waits for this one. */
function withAnswer(record: RunRecord, { epoch, message }: Answering, by: string): RunRecord | undefined {
  const asked = record.asked?.find(({ id }) => id === message.id)
  if (record.status !== 'parked' || record.epoch !== epoch || !asked) return undefined
  if (record.answers?.[asked.key] !== undefined) return undefined

  // What the client cannot or will not answer counts as dismissed.
  const response = 'result' in message ? message.result : { action: 'cancel' }
  const answers = { ...record.answers, [asked.key]: response } as InputResponses
  if (record.asked?.some(({ key }) => answers[key] === undefined)) return { ...record, by, answers }
  const { asked: _asked, until: _until, ...rest } = record
  return { ...rest, by, answers, status: 'running', epoch: epoch + 1, tries: 1 }
}
