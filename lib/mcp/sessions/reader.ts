import { FOLLOW_PAGE, READER_POLL_MS, RUN_LOG_KEEP } from '#lib/config/limits'
import type { Admitted } from '#lib/mcp/admitted'
import { logId, type RunPlace } from '#lib/mcp/sessions/event-id'
import { paced } from '#lib/mcp/sessions/paced'
import { RunRecord, readLetter } from '#lib/mcp/sessions/records'
import type { RunConnection } from '#lib/mcp/sessions/run-connection'
import { readFrames } from '#lib/mcp/sessions/run-log'
import type { RunDeps } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { get, read } from '#lib/store/operations'
import type { Entry } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** Who reads which run from where. */
export interface Reading {
  readonly session: LiveSession
  readonly connection: RunConnection
  /** The last frame that the client has. */
  readonly after: RunPlace
  /** The request that reads: under its authority a lost run is taken up. */
  readonly admitted: Admitted
  /** The last frame was written here a moment ago: nothing can have come after it yet. */
  readonly upToDate?: boolean
}

/** What a reader found out about its run, besides frames. */
interface Standing {
  readonly text: string | null
  readonly leased: boolean
}

/**
 * Sends the frames of a run that works elsewhere, or waits for a person, until the run ends or the client
 * leaves. A run whose instance was lost is taken up here.
 */
export function readRun(reading: Reading, deps: RunDeps): void {
  const { session, connection, after, upToDate } = reading
  const { sid } = session
  const { xid } = after
  const log = keys.mcpRunLog(sid, xid)
  const over = new AbortController()
  let place = after

  if (!connection.open) return
  connection.onEnded(() => over.abort())

  /** `false`: the connection takes no more now. */
  function say(entries: readonly Entry[]): boolean {
    const { frames, ended } = readFrames(entries, place)
    for (const frame of frames) {
      if (!connection.send(frame)) return false
      place = frame.place
    }
    if (ended) end()
    return true
  }

  function end(): void {
    over.abort()
    connection.end()
  }

  async function poll(from: string, limit = RUN_LOG_KEEP): Promise<readonly Entry[]> {
    const [text, lease, ended, entries] = await deps.store.batch(
      get(keys.mcpRun(sid, xid), { fresh: true }),
      get(keys.mcpRunLease(sid, xid), { fresh: true }),
      get(keys.mcpEnded(sid), { fresh: true }),
      read(log, { after: from, limit }),
    )
    if (ended !== null) end()
    else if (!readFrames(entries, place).ended) consider({ text, leased: lease !== null })
    return entries
  }

  function consider({ text, leased }: Standing): void {
    if (over.signal.aborted) return
    const record = text === null ? undefined : parseRecord(RunRecord, text)
    // Its time is over, and with it everything that could still be said.
    if (text === null || !record || record.status === 'done') end()
    else if (isLost(record, leased, deps.clock())) {
      // What came of it is read at once, whatever wake-ups do.
      void deps.takeUp({ session, xid, text, admitted: reading.admitted }).then(poke)
    }
  }

  const onEntries = paced({
    signal: over.signal,
    drained: () => connection.drained(),
    say,
    readOn: () => poll(logId(place), FOLLOW_PAGE),
    onFault: end,
  })
  function poke(): void {
    if (!over.signal.aborted) void poll(logId(place)).then(onEntries, () => undefined)
  }
  const stopHearing = [
    deps.wakes.listen(keys.mcpEnded(sid), { onWake: poke, onGap: poke }),
    deps.wakes.listen(keys.mcpMailbox(sid, xid), {
      onWake({ data }) {
        const letter = data === undefined ? undefined : readLetter(data)
        // The client reads on yet another connection.
        if (letter?.kind === 'reader' && letter.connection !== connection.id) end()
      },
      onGap: () => undefined,
    }),
  ]
  over.signal.addEventListener('abort', () => {
    for (const stop of stopHearing) stop()
  })
  deps.follow(
    { log, after: logId(after), pollMs: READER_POLL_MS, read: poll, readFirst: !upToDate, onEntries },
    over.signal,
  )
}

/** Nobody works on it, or nobody has answered in time. */
function isLost({ status, until }: RunRecord, leased: boolean, now: number): boolean {
  if (status === 'running') return !leased
  return status === 'parked' && until !== undefined && until < now
}
