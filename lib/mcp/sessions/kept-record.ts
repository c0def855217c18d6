import type { RequestId } from '@modelcontextprotocol/server'
import { RUN_DONE_MS, RUN_MS } from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import { RunRecord } from '#lib/mcp/sessions/records'
import type { RunLog } from '#lib/mcp/sessions/run-log'
import { keys } from '#lib/store/keys'
import { get, swap } from '#lib/store/operations'
import type { Operation, Swapped } from '#lib/store/port'

/** A record of a run, as it stands in the store. */
export interface Standing {
  readonly text: string
  readonly record: RunRecord
}

/** The record of a run as the instance that runs it knows it. Its changes come one after the other. */
export interface KeptRecord {
  readonly known: Standing | undefined
  made(standing: Standing): void
  /**
   * Changes the record together with what the log has to write. Answers whether the client has cancelled one of its
   * requests meanwhile: whoever cancels marks that first and then looks at the record.
   *
   * @throws when another instance has the run
   */
  change(next: Partial<RunRecord>): Promise<{ readonly cancelled: boolean }>
  /** Writes the last frames and marks the run as done. */
  close(alongside: Operation): Promise<void>
}

/** The key of a request within its session: ids of a client may be long. */
export const requestKeyPart = async (id: RequestId): Promise<string> =>
  (await sha256(JSON.stringify(id))).slice(0, 22)

/** Keeps a record; `claimed`: as it stands, where there is one already. */
export function keepRecord(
  { sid, xid }: { readonly sid: string; readonly xid: string },
  { runLog, claimed }: { readonly runLog: RunLog; readonly claimed: Standing | undefined },
): KeptRecord {
  const key = keys.mcpRun(sid, xid)
  let known = claimed
  /** What was written although nobody may have said so. */
  let doubtful: string | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function write(next: Partial<RunRecord>) {
    if (!known) throw new Error('the run is not registered')
    const record = RunRecord.parse({ ...known.record, ...next })
    const text = JSON.stringify(record)
    const parts = await Promise.all(record.ids.map(requestKeyPart))
    const marks = parts.map((part) => get(keys.mcpCancelled(sid, part), { fresh: true }))
    doubtful = text
    const { answers, stale } = await runLog.flush({ first: [swap(key, known.text, text, RUN_MS), ...marks] })
    doubtful = undefined
    const swapped = answers[0] as Swapped
    if (stale || (!swapped.done && swapped.current !== text)) throw new Error('another instance has the run')
    known = { text, record }
    return { cancelled: answers.slice(1).some((mark) => mark !== null) }
  }

  return {
    get known() {
      return known
    },
    made(standing) {
      known = standing
    },
    change(next) {
      const written = write(next)
      last = written.catch(() => undefined)
      return written
    },
    async close(alongside) {
      await last
      if (!known) return
      const done = JSON.stringify({ ...known.record, status: 'done', requests: [], answers: undefined })
      const before = [known.text, ...(doubtful === undefined ? [] : [doubtful])]
      const swaps = before.map((text) => swap(key, text, done, RUN_DONE_MS))
      await runLog.flush({ end: true, last: [...swaps, alongside] })
    },
  }
}
