import type {
  JSONRPCErrorResponse,
  JSONRPCNotification,
  JSONRPCResultResponse,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import {
  CANCEL_REASON_MAX_LENGTH,
  CANCELLATION_MS,
  MAILBOX_KEEP,
  RUN_MESSAGE_MAX_LENGTH,
  RUN_MS,
} from '#lib/config/limits'
import type { Admitted } from '#lib/mcp/admitted'
import { INVALID_REQUEST } from '#lib/mcp/rpc-error'
import { parseWireId, type WireId } from '#lib/mcp/sessions/event-id'
import { jsonLength } from '#lib/mcp/sessions/json-length'
import { requestKeyPart } from '#lib/mcp/sessions/kept-record'
import { answerParked, endParked } from '#lib/mcp/sessions/parked'
import { type Letter, RunRecord } from '#lib/mcp/sessions/records'
import { createRunServer } from '#lib/mcp/sessions/run-server'
import type { Runs, RunsDeps } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { append, get, set } from '#lib/store/operations'
import type { Operation } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** A message of a client that is no request of its own. */
export type Note = JSONRPCResultResponse | JSONRPCErrorResponse | JSONRPCNotification

/** Delivers what a client sends to runs that may be anywhere. */
export interface Letters {
  /** What to read for a message, together with the checks of its admission. */
  ask(message: Note, sid: string): Promise<Get | undefined>
  /**
   * Delivers an answer to a question of ours, `notifications/progress` on one, or `notifications/cancelled`.
   * What nobody waits for is dropped. `found`: what `ask` brought.
   *
   * @returns the scopes without which the sender may not answer: then nothing was delivered
   */
  deliver(message: Note, found: string | null, from: Sender): Promise<readonly string[] | undefined>
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

  async function cancel({ requestId: id, reason: said }: Cancellation, known: string | null, sid: string) {
    const reason = said?.slice(0, CANCEL_REASON_MAX_LENGTH)
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
    if (known !== null) return endParked({ sid, xid: known, text: text ?? null }, deps)
    if (xid === null) return
    const [, late] = await store.batch(...tell(xid))
    await endParked({ sid, xid, text: late }, deps)
  }

  async function deliverToRun(message: Note, { wire, found, from }: Delivery) {
    const { sid } = from.session
    const { xid, epoch } = wire
    if (wire.parked && !('method' in message)) {
      // The call goes on under the token that answers: it has to be allowed the call.
      const { requests } = parseRecord(RunRecord, found)
      const lacking = await createRunServer(deps, { ...from, requests }).lackingScopes()
      if (lacking) return lacking
      const claimed = await answerParked({ sid, xid, epoch, message, text: found }, deps)
      if (claimed) runs.goOn({ ...from, xid, ...claimed })
    } else if (parseRecord(RunRecord, found).status === 'running') {
      await store.run(letter(sid, xid, { kind: 'message', message }))
    }
    return undefined
  }

  return {
    async ask(message, sid) {
      const cancelled = cancellationOf(message)
      if (cancelled) {
        return get(keys.mcpRequest(sid, await requestKeyPart(cancelled.requestId)), { fresh: true })
      }
      const wire = wireIdOf(message)
      return wire && get(keys.mcpRun(sid, wire.xid), { fresh: true })
    },

    async deliver(note, found, from) {
      const message = kept(note)
      if (!message) return undefined
      const { sid } = from.session
      const cancelled = cancellationOf(message)
      if (cancelled) {
        await cancel(cancelled, found, sid)
        return undefined
      }
      const wire = wireIdOf(message)
      return wire && found !== null ? deliverToRun(message, { wire, found, from }) : undefined
    },

    async moveReader({ sid }, xid, connection) {
      await store.run(letter(sid, xid, { kind: 'reader', connection }))
    },
  }
}

interface Delivery {
  readonly wire: WireId
  readonly found: string
  readonly from: Sender
}

/** A message as it is kept for its call: one that is too long answers nothing, and says nothing. */
function kept(message: Note): Note | undefined {
  if (cancellationOf(message) || jsonLength(message) <= RUN_MESSAGE_MAX_LENGTH) return message
  if ('method' in message) return undefined
  return { jsonrpc: '2.0', id: message.id ?? null, error: tooLong } as JSONRPCErrorResponse
}

const tooLong = { code: INVALID_REQUEST, message: 'The answer is too long' }

/** Whether something has to be read before a message can be delivered. */
export const concernsRun = (message: Note): boolean =>
  cancellationOf(message) !== undefined || wireIdOf(message) !== undefined

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
