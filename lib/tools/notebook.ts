import { ok, type Result } from '#lib/core/result'
import type { ToolContext, ToolOutcome } from '#lib/mcp/define'
import { explain, type NotebookFault } from '#lib/notebook/faults'
import { type Notebook, notebookOf } from '#lib/notebook/notebook'

/** The caller's own notebook: no tool can name another's. */
export const notebookFor = (context: ToolContext): Notebook => notebookOf(context, context.caller.accountId)

/** What the notebook refused, in words for the model. */
export const refusal = (fault: NotebookFault): Extract<ToolOutcome<never>, { kind: 'failed' }> => ({
  kind: 'failed',
  text: explain(fault),
})

/** A moment as people and models write it: `2026-11-22T15:00:00.000Z`. */
export const isoTime = (ms: number): string => new Date(ms).toISOString()

/** The beginning of a span of days that ends now, in ms; `undefined` for anything but 1 to 366 days. */
export function daysBefore(now: number, days: string): Result<number, string> {
  const count = Number(days.trim())
  if (!Number.isInteger(count) || count < 1 || count > 366) {
    return { ok: false, error: 'Give a whole number of days from 1 to 366.' }
  }
  return ok(now - count * 24 * 60 * 60 * 1000)
}
