import { z } from 'zod'
import { defineTool } from '#lib/mcp/define'
import { noteId, noteTags, noteTitle } from '#lib/tools/note-input'
import { lineOf, noteLink, noteSummary, noteUri, summaryOf } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

/** Changes parts of one note. */
export const editNote = defineTool({
  name: 'edit_note',
  title: 'Edit a note',
  description:
    "Change parts of one of the user's notes; what is not given stays. text replaces the whole text, append adds lines at its end (prefer it when only adding). Read the note before you replace its text.",
  scope: 'notes:write',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.object({
    id: noteId,
    title: noteTitle.optional(),
    text: z.string().describe('New text, in place of the whole text; at most 64 KB').optional(),
    append: z.string().describe('Lines to add at the end of the text').optional(),
    tags: noteTags.describe('New tags, in place of all tags').optional(),
  }),
  output: z.object({ note: noteSummary }),
  async run({ id, ...patch }, context) {
    const edited = await notebookFor(context).edit(id, patch, context.caller.client)
    if (!edited.ok) return refusal(edited.error)
    const note = edited.value
    context.changed?.({ kind: 'resource', uri: noteUri(note) })
    return {
      kind: 'done',
      text: `Changed: ${lineOf(note)}`,
      structured: { note: summaryOf(note) },
      links: [noteLink(note)],
    }
  },
})
