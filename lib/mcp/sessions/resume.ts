import { z } from 'zod'
import { RUN_LOG_KEEP } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Admitted } from '#lib/mcp/admitted'
import { rpcError } from '#lib/mcp/rpc-error'
import { logId, type RunPlace } from '#lib/mcp/sessions/event-id'
import type { Letters } from '#lib/mcp/sessions/letters'
import { RunRecord } from '#lib/mcp/sessions/records'
import type { RunConnection } from '#lib/mcp/sessions/run-connection'
import { readFrames } from '#lib/mcp/sessions/run-log'
import type { Runs } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { sessionStatistics } from '#lib/mcp/sessions/statistics'
import { keys } from '#lib/store/keys'
import { get, read } from '#lib/store/operations'
import type { Operation, Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** Who resumes which stream. */
export interface Resuming {
  readonly session: LiveSession
  /** The last frame that the client has. */
  readonly place: RunPlace
  readonly admitted: Admitted
  readonly connect: () => RunConnection
}

/** What resuming the stream of a POST reads. */
export const resumption = (sid: string, { xid, ...place }: RunPlace): readonly Operation[] => [
  get(keys.mcpRun(sid, xid), { fresh: true }),
  read(keys.mcpRunLog(sid, xid), { after: logId(place), limit: RUN_LOG_KEEP }),
]

/** What was read: the run's record, and the frames after the place. */
const Found = z.tuple([z.string().nullable(), z.array(z.object({ id: z.string(), data: z.string() }))])

/**
 * Goes on with the stream of a POST, on whatever instance (2025-11-25, "Resumability and Redelivery"). Its
 * first frame is the place it goes on from: clients forget where they were when a stream ends before an id.
 * Where nothing is left to say the answer is 405: at an empty stream clients would come back again and again.
 */
export async function resume(
  { session, place, admitted, connect }: Resuming,
  found: readonly unknown[],
  deps: { readonly runs: Runs; readonly letters: Letters; readonly store: Store; readonly clock: Clock },
): Promise<Response> {
  const [text, entries] = Found.parse(found)
  const { frames, ended } = readFrames(entries, place)
  const over = ended || text === null || parseRecord(RunRecord, text).status === 'done'
  if (frames.length === 0 && over) return nothingLeft()

  admitted.afterResponse(deps.store.batch(...sessionStatistics(deps.clock(), session, { resumed: 1 })))
  const connection = connect()
  connection.begin(place, { logged: true })
  const said = frames.every((frame) => connection.send(frame))
  const last = connection.place ?? place
  if (ended && said) connection.end()
  else {
    admitted.afterResponse(deps.letters.moveReader(session, place.xid, connection.id))
    deps.runs.read({ session, connection, after: last, admitted })
  }
  return connection.response
}

const nothingLeft = () =>
  rpcError({
    status: 405,
    message: 'Nothing is left of this stream',
    headers: { Allow: 'GET, POST, DELETE, OPTIONS' },
  })
