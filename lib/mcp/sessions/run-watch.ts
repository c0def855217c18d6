import type { RequestId } from '@modelcontextprotocol/server'
import { STREAM_RECHECK_MS } from '#lib/config/limits'
import type { Admitted } from '#lib/mcp/admitted'
import type { Answer } from '#lib/mcp/sessions/run-transport'

/** What ends a run although its handlers go on. */
export interface Watched {
  readonly admitted: Pick<Admitted, 'stillAdmitted'>
  /** So long it may work. */
  readonly maxMs: number
  /** The connection under which it runs has ended: nothing may go on for it. */
  readonly onRefused: () => void
  /** Its time is over: whoever waits for it is told before nobody can tell any more. */
  readonly onTooLong: () => void
}

/**
 * Watches over a run, whether its client is connected or not. While the store is out of reach nobody can tell
 * whether it may go on: it does. Returns what stops watching.
 */
export function watchRun({ admitted, maxMs, onRefused, onTooLong }: Watched): () => void {
  async function ask(): Promise<void> {
    if (!(await admitted.stillAdmitted().catch(() => true))) onRefused()
  }
  const asking = setInterval(() => void ask(), STREAM_RECHECK_MS)
  const limit = setTimeout(onTooLong, maxMs)
  return () => {
    clearInterval(asking)
    clearTimeout(limit)
  }
}

/** A call is answered before the platform stops it, or the store forgets it. */
export const tookTooLong = (id: RequestId): Answer => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -32_603,
    message: 'This call took too long and was stopped. What it did until then stands.',
    data: { reason: 'time_limit' },
  },
})

/** The error for a call that could not even be begun; what went wrong stands in our log. */
export const serverFailed = (id: RequestId, reference: string): Answer => ({
  jsonrpc: '2.0',
  id,
  error: { code: -32_603, message: `The server failed. Reference: ${reference}` },
})
