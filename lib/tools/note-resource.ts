import { NOTE_PAGE_MAX } from '#lib/config/limits'
import type { ResourceFamily } from '#lib/mcp/define'
import { NOTES_ARE_DATA, noteLink, provenance } from '#lib/tools/note-view'
import { notebookFor } from '#lib/tools/notebook'

/** Notes as MCP resources. */
export const noteResources: ResourceFamily = {
  name: 'note',
  title: 'Note',
  description: `A note of the user's notebook, with who wrote it. ${NOTES_ARE_DATA}`,
  scope: 'notes:read',
  template: 'note://{id}',
  mimeType: 'text/markdown',

  /** The notes changed last; all others are found by search_notes. */
  async list(context) {
    const page = await notebookFor(context).list({ limit: NOTE_PAGE_MAX })
    if (!page.ok) return []
    return page.value.notes.map((note) => ({
      ...noteLink(note),
      title: note.title,
      description: provenance(note),
      mimeType: 'text/markdown',
    }))
  },

  async read({ id = '' }, context) {
    const read = await notebookFor(context).read(id)
    if (!read.ok) return undefined
    const { title, tags, text } = read.value
    const facts = [provenance(read.value), ...(tags.length > 0 ? [`tags: ${tags.join(', ')}`] : [])]
    return { text: `# ${title}\n\n> ${facts.join('\n> ')}\n\n${text}` }
  },

  complete: async (variable, typed, context) =>
    variable === 'id' ? notebookFor(context).suggestIds(typed) : [],
}
