import { z } from 'zod'
import { NOTE_PAGE_MAX } from '#lib/config/limits'
import { defineTool } from '#lib/mcp/define'
import { lineOf, NOTES_ARE_DATA, noteSummary, summaryOf } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

const DEFAULT_LIMIT = 20

/** Lists notes a page at a time. */
export const listNotes = defineTool({
  name: 'list_notes',
  title: 'List notes',
  description: `List the user's notes without their text, the last changed first, a page at a time: give next_cursor back as cursor for the next page. To find something use search_notes. ${NOTES_ARE_DATA}`,
  scope: 'notes:read',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.object({
    cursor: z.string().max(200).describe('next_cursor of the page before').optional(),
    limit: z.int().min(1).max(NOTE_PAGE_MAX).default(DEFAULT_LIMIT).describe('Notes on a page'),
    tag: z.string().describe('Only notes with this tag').optional(),
  }),
  output: z.object({
    total: z.int().describe('Notes on all pages'),
    notes: z.array(noteSummary),
    next_cursor: z.string().optional().describe('Absent on the last page'),
  }),
  async run({ cursor, limit, tag }, context) {
    const page = await notebookFor(context).list({ cursor, limit, tag })
    if (!page.ok) return refusal(page.error)
    const { notes, total, nextCursor } = page.value
    const more = nextCursor === undefined ? [] : [`More: call list_notes with cursor ${nextCursor}`]
    return {
      kind: 'done',
      text: [`${notes.length} of ${total} notes.`, ...notes.map((note) => `- ${lineOf(note)}`), ...more].join(
        '\n',
      ),
      structured: {
        total,
        notes: notes.map(summaryOf),
        ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }),
      },
    }
  },
})
