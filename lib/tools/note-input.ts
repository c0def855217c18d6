import { z } from 'zod'

// Sizes are checked by the notebook, whose refusals say the limit and the size.

/** The id of a note, as a model gives it. */
export const noteId = z
  .string()
  .min(1)
  .max(100)
  .describe('Id of the note, such as "7k2m9qx4bd", from search_notes or list_notes')

export const noteTitle = z.string().describe('Title, at most 200 characters')

export const noteTags = z.array(z.string()).describe('Up to 20 short tags, such as "recipes"')
