import { z } from 'zod'
import { NOTE_IMPORT_MAX } from '#lib/config/limits'
import { defineTool } from '#lib/mcp/define'
import { explain } from '#lib/notebook/faults'
import { noteTags, noteTitle } from '#lib/tools/note-input'
import { notebookFor } from '#lib/tools/notebook'

/** Saves many new notes at once. */
export const importNotes = defineTool({
  name: 'import_notes',
  title: 'Import notes',
  description: `Save many new notes at once, up to ${NOTE_IMPORT_MAX}. Each is judged by itself: those that are refused are listed with the reason and do not hinder the others. Call it again with the corrected ones only, or the rest would be saved twice.`,
  scope: 'notes:write',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.object({
    notes: z
      .array(z.object({ text: z.string(), title: noteTitle.optional(), tags: noteTags.optional() }))
      .min(1)
      .max(NOTE_IMPORT_MAX),
  }),
  output: z.object({
    saved: z.array(z.object({ index: z.int().describe('Place in notes, from 0'), id: z.string() })),
    refused: z.array(z.object({ index: z.int(), problem: z.string() })),
    untried: z.int().describe('Notes at the end that were not tried because the call was cancelled'),
  }),
  async run({ notes }, context) {
    const imported = await notebookFor(context).importMany(notes, {
      client: context.caller.client,
      signal: context.signal,
      onProgress: (done, total) => context.progress(done, total, `${done} of ${total} notes`),
    })
    const saved = imported.saved.map(({ index, note }) => ({ index, id: note.id }))
    const refused = imported.refused.map(({ index, fault }) => ({ index, problem: explain(fault) }))
    const { untried } = imported
    if (saved.length > 0) context.changed?.({ kind: 'resource_list' })
    const problems = refused.map(({ index, problem }) => `- note ${index}: ${problem}`)
    return {
      kind: 'done',
      text: [
        `Saved ${saved.length} of ${notes.length} notes; ${refused.length} refused${untried > 0 ? `, ${untried} not tried` : ''}.`,
        ...problems,
      ].join('\n'),
      structured: { saved, refused, untried },
    }
  },
})
