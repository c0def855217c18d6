import type {
  InputResponses,
  JSONRPCErrorResponse,
  JSONRPCNotification,
  JSONRPCResultResponse,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import {
  CANCELLATION_MS,
  MAILBOX_KEEP,
  RUN_DONE_MS,
  RUN_LEASE_MS,
  RUN_MS,
  SWAP_ATTEMPTS,
} from '#lib/config/limits'
import type { Admitted } from '#lib/mcp/admitted'
import { logId, parseWireId, type WireId } from '#lib/mcp/sessions/event-id'
import { type Letter, RunRecord } from '#lib/mcp/sessions/records'
import { requestKeyPart } from '#lib/mcp/sessions/run-keeper'
import type { Runs, RunsDeps } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { append, get, set, swap } from '#lib/store/operations'
import { type Operation, StoreUnavailable, type Swapped } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** A message of a client that is no request of its own. */
export type Note = JSONRPCResultResponse | JSONRPCErrorResponse | JSONRPCNotification

/** Delivers what a client sends to runs that may be anywhere. */
export interface Letters {
  /** What to read for a message, together with the checks of its admission. At most one operation. */
  ask(message: Note, sid: string): Promise<readonly Get[]>
  /**
   * Delivers an answer to a question of ours, `notifications/progress` on one, or `notifications/cancelled`.
   * What nobody waits for is dropped. `found`: what `ask` brought.
   */
  deliver(message: Note, found: string | null, from: Sender): Promise<void>
  /** The stream of a run is read on this connection from now on. */
  moveReader(session: LiveSession, xid: string, connection: string): Promise<void>
}

/** Who sends. */
export interface Sender {
  readonly session: LiveSession
  readonly admitted: Admitted
}

type Get = ReturnType<typeof get>

const Cancelled = z.looseObject({
  requestId: z.union([z.string(), z.number()]),
  reason: z.string().optional(),
})

/** Letters over the mailboxes of runs; what a parked run waits for is written into its record. */
export function createLetters(deps: RunsDeps, runs: Runs): Letters {
  const { store, wakes } = deps

  const letter = (sid: string, xid: string, content: Letter): Operation =>
    append(keys.mcpMailbox(sid, xid), JSON.stringify(content), {
      keep: MAILBOX_KEEP,
      ttlMs: RUN_MS,
      ...(wakes.channel === undefined ? {} : { tell: wakes.channel }),
    })

  async function cancel({ requestId: id, reason }: Cancellation, known: string | null, sid: string) {
    runs.cancel(sid, id, reason)
    const part = await requestKeyPart(id)
    const content: Letter = { kind: 'cancel', id, ...(reason === undefined ? {} : { reason }) }
    const tell = (xid: string) =>
      [letter(sid, xid, content), get(keys.mcpRun(sid, xid), { fresh: true })] as const
    // The mark first: a run that is registered meanwhile sees it, or is seen here.
    const [, xid, , text] = await store.batch(
      set(keys.mcpCancelled(sid, part), '1', { ttlMs: CANCELLATION_MS }),
      get(keys.mcpRequest(sid, part), { fresh: true }),
      ...(known === null ? [] : tell(known)),
    )
    if (known !== null) return endParked(sid, known, text ?? null)
    if (xid === null) return
    const [, late] = await store.batch(...tell(xid))
    await endParked(sid, xid, late)
  }

  /** Nobody works on a parked run: it ends here, without an answer. */
  async function endParked(sid: string, xid: string, text: string | null): Promise<void> {
    if (text === null) return
    const record = parseRecord(RunRecord, text)
    if (record.status !== 'parked') return
    const done = JSON.stringify({ ...record, status: 'done', requests: [], answers: undefined })
    const swapped = await store.run(swap(keys.mcpRun(sid, xid), text, done, RUN_DONE_MS))
    if (!swapped.done && swapped.current !== done) return
    const end = JSON.stringify({ m: [], end: 1 })
    await store.run(
      append(keys.mcpRunLog(sid, xid), end, {
        id: logId({ epoch: record.epoch + 1, seq: 0 }),
        keep: MAILBOX_KEEP,
        ttlMs: RUN_DONE_MS,
        ...(wakes.channel === undefined ? {} : { tell: wakes.channel }),
      }),
    )
  }

  async function answerParked(how: Answering, found: string, { session, admitted }: Sender): Promise<void> {
    const { sid } = session
    const key = keys.mcpRun(sid, how.xid)
    let text: string | null = found
    for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
      if (text === null) return
      const next: RunRecord | undefined = withAnswer(parseRecord(RunRecord, text), how, deps.random(12))
      if (!next) return
      const written = JSON.stringify(next)
      const lease = set(keys.mcpRunLease(sid, how.xid), '1', { ttlMs: RUN_LEASE_MS })
      const [swapped]: [Swapped, ...unknown[]] = await store.batch(
        swap(key, text, written, RUN_MS),
        ...(next.status === 'running' ? [lease] : []),
      )
      if (swapped.done || swapped.current === written) {
        if (next.status === 'running')
          runs.goOn({ session, admitted, xid: how.xid, text: written, record: next })
        return
      }
      text = swapped.current
    }
    throw new StoreUnavailable('store: a parked call changes too often')
  }

  return {
    async ask(message, sid) {
      const cancelled = cancellationOf(message)
      if (cancelled) {
        return [get(keys.mcpRequest(sid, await requestKeyPart(cancelled.requestId)), { fresh: true })]
      }
      const wire = wireIdOf(message)
      return wire ? [get(keys.mcpRun(sid, wire.xid), { fresh: true })] : []
    },

    async deliver(message, found, from) {
      const { sid } = from.session
      const cancelled = cancellationOf(message)
      if (cancelled) return cancel(cancelled, found, sid)

      const wire = wireIdOf(message)
      if (!wire || found === null) return
      const { xid, epoch } = wire
      if (wire.parked && !('method' in message)) await answerParked({ xid, epoch, message }, found, from)
      else if (parseRecord(RunRecord, found).status === 'running') {
        await store.run(letter(sid, xid, { kind: 'message', message }))
      }
    },

    async moveReader({ sid }, xid, connection) {
      await store.run(letter(sid, xid, { kind: 'reader', connection }))
    },
  }
}

type Cancellation = z.output<typeof Cancelled>

function cancellationOf(message: Note): Cancellation | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined
  return Cancelled.safeParse(message.params).data
}

/** The request of ours that a message is about. */
function wireIdOf(message: Note): WireId | undefined {
  if (!('method' in message)) return parseWireId(message.id)
  return message.method === 'notifications/progress'
    ? parseWireId(message.params?.['progressToken'])
    : undefined
}

interface Answering {
  readonly xid: string
  readonly epoch: number
  readonly message: JSONRPCResultResponse | JSONRPCErrorResponse
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
