import { z } from 'zod'
import { defineTool, type ToolContext, type ToolOutcome } from '#lib/mcp/define'
import type { Note } from '#lib/notebook/note'
import { noteId } from '#lib/tools/note-input'
import { lineOf, noteSummary, noteUri, summaryOf } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

const output = z.object({
  deleted: z.boolean(),
  note: noteSummary.describe('The note that was deleted, or that would be'),
})

const answer = z.object({ delete: z.boolean().describe('Delete this note for good') })

/** Deletes one note after the person agreed. */
export const deleteNote = defineTool({
  name: 'delete_note',
  title: 'Delete a note',
  description:
    "Delete one of the user's notes for good. The user is asked first where their app can show the question. Otherwise nothing is deleted without confirm: true; call without it to see what would be deleted, ask the user, and call again with it only if they agree.",
  scope: 'notes:write',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({
    id: noteId,
    confirm: z
      .boolean()
      .default(false)
      .describe('The user has agreed. Looked at only where their app cannot ask them'),
  }),
  output,
  // What is done cannot be undone: the person's yes counts once, whoever sends it again.
  once: true,
  async run({ id, confirm }, context) {
    const read = await notebookFor(context).read(id)
    if (!read.ok) return refusal(read.error)
    const note = read.value

    const asked = askAbout(note, context)
    switch (asked.state) {
      case 'asking':
        return asked.pending
      case 'declined':
        return kept(note, 'The user did not agree: nothing was deleted.')
      case 'accepted':
        return asked.content.delete
          ? remove(note, context)
          : kept(note, 'The user did not agree: nothing was deleted.')
      case 'unavailable':
        return confirm
          ? remove(note, context)
          : kept(
              note,
              `Nothing was deleted. This would delete for good: ${lineOf(note)}\nAsk the user; if they agree, call delete_note again with confirm: true.`,
            )
    }
  },
})

function askAbout(note: Note, context: ToolContext) {
  // The revision is part of the question: an answer is never used for a text that changed since.
  return context.ask(`delete_${note.id}_${note.rev}`, {
    message: `Delete this note for good? ${lineOf(note)}`,
    schema: answer,
  })
}

async function remove(note: Note, context: ToolContext): Promise<ToolOutcome<typeof output>> {
  const removed = await notebookFor(context).remove(note.id)
  if (!removed.ok) return refusal(removed.error)
  context.changed?.({ kind: 'resource', uri: noteUri(note) })
  context.changed?.({ kind: 'resource_list' })
  return {
    kind: 'done',
    text: `Deleted: ${lineOf(removed.value)}`,
    structured: { deleted: true, note: summaryOf(removed.value) },
  }
}

function kept(note: Note, text: string): ToolOutcome<typeof output> {
  return { kind: 'done', text, structured: { deleted: false, note: summaryOf(note) } }
}
