import { z } from 'zod'
import { defineTool } from '#lib/mcp/define'
import { noteTags, noteTitle } from '#lib/tools/note-input'
import { lineOf, noteLink, noteSummary, summaryOf } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

/** Saves one new note. */
export const saveNote = defineTool({
  name: 'save_note',
  title: 'Save a note',
  description:
    "Save a new note in the user's notebook, which they share between all their AI apps. To change an existing note use edit_note; for many notes at once use import_notes.",
  scope: 'notes:write',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.object({
    text: z.string().describe('Text of the note, plain or Markdown, at most 64 KB'),
    title: noteTitle
      .describe('Title, at most 200 characters. Default: the first line of the text')
      .optional(),
    tags: noteTags.optional(),
  }),
  output: z.object({ note: noteSummary }),
  async run({ text, title, tags }, context) {
    const saved = await notebookFor(context).save({ text, title, tags }, context.caller.client)
    if (!saved.ok) return refusal(saved.error)
    const note = saved.value
    context.changed?.({ kind: 'resource_list' })
    return {
      kind: 'done',
      text: `Saved: ${lineOf(note)}`,
      structured: { note: summaryOf(note) },
      links: [noteLink(note)],
    }
  },
})
