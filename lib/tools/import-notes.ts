import { z } from 'zod'
import { NOTE_IMPORT_MAX, NOTE_IMPORT_STEP_MAX, NOTE_SEGMENT_FILL_BYTES } from '#lib/config/limits'
import type { ToolContext } from '#lib/mcp/define'
import { defineLongTool } from '#lib/mcp/long-tool'
import type { Draft } from '#lib/notebook/draft'
import { explain } from '#lib/notebook/faults'
import { noteTags, noteTitle } from '#lib/tools/note-input'
import { notebookFor } from '#lib/tools/notebook'

/** What became of the notes up to `next`. Small, because it is saved after each step. */
const state = z.object({
  next: z.int(),
  /** Place and id. */
  saved: z.array(z.tuple([z.int(), z.string()])),
  /** Place, and which of `problems`. */
  refused: z.array(z.tuple([z.int(), z.int()])),
  problems: z.array(z.string()),
})
type State = z.infer<typeof state>

/** Saves many new notes at once. Each step writes about as much as fits into one request to the store. */
export const importNotes = defineLongTool({
  name: 'import_notes',
  title: 'Import notes',
  description: `Save many new notes at once, up to ${NOTE_IMPORT_MAX}. Each is judged by itself: those that are refused are listed with the reason and do not hinder the others. Call it again with the corrected ones only, or the rest would be saved twice.`,
  scope: 'notes:write',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  tasks: 'optional',
  input: z.object({
    notes: z
      .array(z.object({ text: z.string(), title: noteTitle.optional(), tags: noteTags.optional() }))
      .min(1)
      .max(NOTE_IMPORT_MAX),
  }),
  output: z.object({
    saved: z.array(z.object({ index: z.int().describe('Place in notes, from 0'), id: z.string() })),
    refused: z.array(z.object({ index: z.int(), problem: z.string() })),
  }),
  state,
  async begin({ notes }, context) {
    const nothing: State = { next: 0, saved: [], refused: [], problems: [] }
    // What one request to the store can do is done within the call.
    return stepOf(notes, 0).length === notes.length
      ? write(nothing, notes, context)
      : unfinished(nothing, notes)
  },
  step: (before, { notes }, context) => write(before, notes, context),
})

async function write(before: State, notes: readonly Draft[], context: ToolContext) {
  const drafts = stepOf(notes, before.next)
  const { client } = context.caller
  const imported = await notebookFor(context).importMany(drafts, { client, signal: context.signal })
  if (imported.saved.length > 0) context.changed?.({ kind: 'resource_list' })

  const place = (index: number) => before.next + index
  const told = imported.refused.map(({ index, fault }) => ({ index: place(index), problem: explain(fault) }))
  for (const { index, problem } of told) context.log?.('warning', `Note ${index} was refused: ${problem}`)
  const problems = [...new Set([...before.problems, ...told.map(({ problem }) => problem)])]
  const after: State = {
    next: place(drafts.length - imported.untried),
    saved: [
      ...before.saved,
      ...imported.saved.map(({ index, note }): [number, string] => [place(index), note.id]),
    ],
    refused: [
      ...before.refused,
      ...told.map(({ index, problem }): [number, number] => [index, problems.indexOf(problem)]),
    ],
    problems,
  }
  return after.next < notes.length ? unfinished(after, notes) : done(after, notes.length)
}

/** As many of the notes from there on as about one request to the store can write, at least one. */
function stepOf(notes: readonly Draft[], next: number): readonly Draft[] {
  let size = 0
  const rest = notes.slice(next, next + NOTE_IMPORT_STEP_MAX)
  const end = rest.findIndex(({ text }, index) => {
    size += text?.length ?? 0
    return index > 0 && size > NOTE_SEGMENT_FILL_BYTES
  })
  return end < 0 ? rest : rest.slice(0, end)
}

function unfinished(after: State, notes: readonly Draft[]) {
  return {
    kind: 'next' as const,
    state: after,
    progress: { done: after.next, total: notes.length },
    message: `${after.next} of ${notes.length} notes`,
  }
}

function done({ saved, refused, problems }: State, total: number) {
  const listed = refused.map(([index, problem]) => ({ index, problem: problems[problem] ?? '' }))
  return {
    kind: 'done' as const,
    text: [
      `Saved ${saved.length} of ${total} notes; ${refused.length} refused.`,
      ...listed.map(({ index, problem }) => `- note ${index}: ${problem}`),
    ].join('\n'),
    structured: { saved: saved.map(([index, id]) => ({ index, id })), refused: listed },
  }
}
