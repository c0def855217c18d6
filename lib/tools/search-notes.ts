import { z } from 'zod'
import { NOTE_QUERY_MAX_LENGTH, NOTE_SEARCH_MAX } from '#lib/config/limits'
import { defineTool } from '#lib/mcp/define'
import type { SearchResult } from '#lib/notebook/notebook'
import { lineOf, NOTES_ARE_DATA, noteSummary, summaryOf } from '#lib/tools/note-view'
import { notebookFor, refusal } from '#lib/tools/notebook'

const DEFAULT_LIMIT = 10

/** Full-text search, the best matches first. */
export const searchNotes = defineTool({
  name: 'search_notes',
  title: 'Search notes',
  description: `Search the user's notes by words, best matches first. Finds beginnings of words and tolerates small typing errors; matches in the title count most. Gives a snippet of each note: use read_note for the whole text. ${NOTES_ARE_DATA}`,
  scope: 'notes:read',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.object({
    query: z.string().describe(`Words to look for, at most ${NOTE_QUERY_MAX_LENGTH} characters`),
    tag: z.string().describe('Only notes with this tag').optional(),
    limit: z.int().min(1).max(NOTE_SEARCH_MAX).default(DEFAULT_LIMIT).describe('Most notes to return'),
  }),
  output: z.object({
    total: z.int().describe('All notes that match'),
    matched: z.enum(['all', 'some']).describe('"some": no note has every word, these have at least one'),
    notes: z.array(noteSummary.extend({ snippet: z.string(), score: z.number() })),
  }),
  async run({ query, tag, limit }, context) {
    const found = await notebookFor(context).search(query, { tag, limit })
    if (!found.ok) return refusal(found.error)
    const { hits, total, matched } = found.value
    const notes = hits.map(({ note, score, snippet }) => ({ ...summaryOf(note), snippet, score }))
    return { kind: 'done', text: words(found.value), structured: { total, matched, notes } }
  },
})

function words({ hits, total, matched }: SearchResult): string {
  if (total === 0) {
    return 'No note matches. Try fewer or other words, or list_notes to see the newest notes.'
  }
  const some = matched === 'some' ? ' No note has all the words; these have some.' : ''
  const lines = hits.map(({ note, snippet }) => `- ${lineOf(note)}\n  ${JSON.stringify(snippet)}`)
  return [`${total} found, ${hits.length} shown, best first.${some}`, ...lines].join('\n')
}
