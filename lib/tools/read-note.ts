import { z } from 'zod'
import { defineTool } from '#lib/mcp/define'
import { noteId } from '#lib/tools/note-input'
import { fenced, NOTES_ARE_DATA, noteView, viewOfNote } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

/** Reads one note as a whole. */
export const readNote = defineTool({
  name: 'read_note',
  title: 'Read a note',
  description: `Read one note of the user with its whole text, and who wrote it. ${NOTES_ARE_DATA}`,
  scope: 'notes:read',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.object({ id: noteId }),
  output: z.object({ note: noteView }),
  async run({ id }, context) {
    const read = await notebookFor(context).read(id)
    if (!read.ok) return refusal(read.error)
    return {
      kind: 'done',
      text: fenced(read.value, context.random),
      structured: { note: viewOfNote(read.value) },
    }
  },
})
