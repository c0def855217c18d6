import MiniSearch, { type SearchOptions } from 'minisearch'
import { NOTE_INDEX_CHUNK, NOTE_QUERY_TERMS_MAX } from '#lib/config/limits'
import type { Note } from '#lib/notebook/note'
import { byLastChange, type View } from '#lib/notebook/view'
import { wordsOf } from '#lib/notebook/words'

/** A note that a query found. */
export interface Found {
  readonly note: Note
  readonly score: number
  /** The words of the note that matched. */
  readonly words: readonly string[]
}

/** `all`: each note has every word of the query; `some`: none had, so these have at least one. */
interface FoundNotes {
  readonly matched: 'all' | 'some'
  readonly found: readonly Found[]
}

/** A full-text index that follows a view. */
export interface SearchIndex {
  search(query: string, keep: (note: Note) => boolean): Promise<FoundNotes>
}

/**
 * Makes an index of a view. It is brought up to date when it is asked, a chunk at a time, so that one large
 * notebook does not hold up everyone's requests.
 */
export function searchIndexOf(view: View): SearchIndex {
  const index = new MiniSearch<Note>({
    fields: ['title', 'tags', 'text'],
    tokenize: wordsOf,
    processTerm: (term) => term,
    extractField: (note, field) => textOf(note, field),
    searchOptions: {
      boost: { title: 4, tags: 2 },
      prefix: (term) => term.length > 1,
      weights: { prefix: 0.4, fuzzy: 0.15 },
    },
  })
  // Everything that is there is news for a new index.
  for (const id of view.notes.keys()) view.unindexed.add(id)

  return {
    async search(query, keep) {
      await follow(index, view)
      const limited = [...new Set(wordsOf(query))].slice(0, NOTE_QUERY_TERMS_MAX).join(' ')
      // Typing errors are looked for only when nothing is spelled so: it costs ten times as much.
      for (const how of [{}, { fuzzy: typingErrors }]) {
        const all = look(index, view, { query: limited, how }).filter(({ note }) => keep(note))
        if (all.length > 0) return { matched: 'all', found: all }
      }
      const how = { fuzzy: typingErrors, combineWith: 'OR' } as const
      const some = look(index, view, { query: limited, how }).filter(({ note }) => keep(note))
      return { matched: 'some', found: some }
    },
  }
}

/** How many letters may be wrong: two swapped letters count as two. */
function typingErrors(term: string): number | false {
  if (term.length > 6) return 2
  return term.length > 3 ? 1 : false
}

function look(
  index: MiniSearch<Note>,
  view: View,
  { query, how }: { query: string; how: SearchOptions },
): Found[] {
  return index
    .search(query, { combineWith: 'AND', ...how })
    .flatMap(({ id, score, terms }) => {
      const note = view.notes.get(id)
      return note ? [{ note, score, words: terms }] : []
    })
    .sort((left, right) => right.score - left.score || byLastChange(left.note, right.note))
}

async function follow(index: MiniSearch<Note>, view: View): Promise<void> {
  let count = 0
  // Several searches may drain the set together: each note is handled at once and by one of them.
  for (const id of view.unindexed) {
    view.unindexed.delete(id)
    const note = view.notes.get(id)
    if (index.has(id)) index.discard(id)
    if (note) index.add(note)
    count++
    if (count % NOTE_INDEX_CHUNK === 0) await otherWork()
  }
}

/** Lets whatever else waits run first. */
const otherWork = () => new Promise((resolve) => setTimeout(resolve, 0))

function textOf(note: Note, field: string): string {
  switch (field) {
    case 'id':
      return note.id
    case 'title':
      return note.title
    case 'tags':
      return note.tags.join(' ')
    default:
      return note.text
  }
}
