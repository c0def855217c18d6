import type { JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import { PARK_ROUNDS_MAX, REQUEST_STATE_MS, RUN_REQUESTS_MAX_LENGTH } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { formatWireId } from '#lib/mcp/sessions/event-id'
import { jsonLength } from '#lib/mcp/sessions/json-length'
import type { Parking } from '#lib/mcp/sessions/run-how'
import type { RunKeeper } from '#lib/mcp/sessions/run-keeper'
import type { Frame, RunLog } from '#lib/mcp/sessions/run-log'
import type { Answer } from '#lib/mcp/sessions/run-transport'

/**
 * Puts a run away until the person has answered. The questions are in the store before the client sees one:
 * it may answer at once, anywhere.
 *
 * @throws when the call is too long to be kept, the store is out of reach or another instance has the run
 */
export async function park(
  { parking, rounds, requests }: { parking: Parking; rounds: number; requests: readonly JSONRPCRequest[] },
  { keeper, log, clock }: { keeper: RunKeeper; log: RunLog; clock: Clock },
): Promise<{ readonly frames: readonly Frame[]; readonly cancelled: boolean }> {
  if (jsonLength(requests) > RUN_REQUESTS_MAX_LENGTH) throw new RangeError('the call is too long to be kept')
  const { xid, epoch } = log.place
  const asked = Object.entries(parking.inputRequests).map(([key, { method }], n) => ({
    id: formatWireId({ xid, epoch, parked: true, n }),
    key,
    method,
  }))
  const frames = asked.map(({ id, key }) => {
    const question = parking.inputRequests[key] as { readonly method: string; readonly params?: object }
    return log.add({ jsonrpc: '2.0', id, ...question } as JSONRPCRequest)
  })
  const { cancelled } = await keeper.change({
    status: 'parked',
    rounds,
    requests,
    asked,
    answers: {},
    until: clock() + REQUEST_STATE_MS,
    ...(parking.requestState === undefined ? {} : { requestState: parking.requestState }),
  })
  return { frames, cancelled }
}

/** A call that goes on asking ends. */
export const asksTooOften = (id: RequestId, rounds: number): Answer | undefined =>
  rounds > PARK_ROUNDS_MAX ? failedCall(id, 'The server asked too often.') : undefined

/** The question could not be kept. */
export const cannotAskNow = (id: RequestId): Answer =>
  failedCall(id, 'The server cannot ask you at the moment. Try again shortly.')

function failedCall(id: RequestId, text: string): Answer {
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], isError: true } }
}
