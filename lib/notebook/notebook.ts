import {
  NOTE_CHANGES_KEEP,
  NOTE_PAGE_MAX,
  NOTE_QUERY_MAX_LENGTH,
  NOTE_SEARCH_MAX,
  NOTE_SUGGESTIONS_MAX,
} from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import { err, ok, type Result } from '#lib/core/result'
import { before, catchUp, newsIn, type Scene } from '#lib/notebook/catch-up'
import { type Draft, normalizeTag, type Patch } from '#lib/notebook/draft'
import type { NotebookFault } from '#lib/notebook/faults'
import { heldOf } from '#lib/notebook/held'
import { type Imported, type ImportOptions, importMany } from '#lib/notebook/importing'
import { type Page, pageOf } from '#lib/notebook/listing'
import { type Note, normalizeNoteId, type WritingClient } from '#lib/notebook/note'
import { type SearchIndex, searchIndexOf } from '#lib/notebook/search-index'
import { sortedNotes, type View } from '#lib/notebook/view'
import { fold, snippet, wordsOf } from '#lib/notebook/words'
import { edit, remove, save } from '#lib/notebook/writing'
import { keys } from '#lib/store/keys'
import { read } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** A note that a search found, with the piece of its text that matched. */
interface Hit {
  readonly note: Note
  readonly score: number
  readonly snippet: string
}

export interface SearchResult {
  /** `some`: no note has every word, so these have at least one. */
  readonly matched: 'all' | 'some'
  readonly hits: readonly Hit[]
  /** Everything that matched, of which `hits` are the best. */
  readonly total: number
}

/** What changed in a notebook since a cursor. A hint for whoever shows notes: read them to be sure. */
export interface Changes {
  /** Give it back to hear what comes next; `undefined` while nothing ever changed. */
  readonly cursor: string | undefined
  readonly changed: readonly string[]
  /** Changes may be missing: read everything again. */
  readonly incomplete: boolean
}

/**
 * The notebook of one account. Every method sees each change that was acknowledged before it was called, by
 * whichever instance; reading costs one store request while little changed, writing one more.
 *
 * All of them throw StoreUnavailable and UnreadableRecord.
 */
export interface Notebook {
  save(draft: Draft, client: WritingClient): Promise<Result<Note, NotebookFault>>
  edit(id: string, patch: Patch, client: WritingClient): Promise<Result<Note, NotebookFault>>
  /** Deletes and answers the note as it was. */
  remove(id: string): Promise<Result<Note, NotebookFault>>
  importMany(drafts: readonly Draft[], options: ImportOptions): Promise<Imported>
  read(id: string): Promise<Result<Note, NotebookFault>>
  search(
    query: string,
    how?: { tag?: string | undefined; limit?: number | undefined },
  ): Promise<Result<SearchResult, NotebookFault>>
  /** Pages of notes, the last changed first. */
  list(how?: {
    cursor?: string | undefined
    limit?: number | undefined
    tag?: string | undefined
    /** Only notes changed then or later, in ms since 1970. */
    since?: number | undefined
  }): Promise<Result<Page, NotebookFault>>
  /** Ids of notes whose id begins, or whose title has a word that begins, as typed. */
  suggestIds(typed: string): Promise<readonly string[]>
  /** Tags that begin as typed, the most used first. */
  suggestTags(typed: string): Promise<readonly string[]>
  changesSince(cursor: string | undefined): Promise<Changes>
}

/** Opens the notebook of an account: cheap, asks nothing of the store. */
export function notebookOf(
  { store, clock, random }: { store: Store; clock: Clock; random: Random },
  accountId: string,
): Notebook {
  const held = heldOf(store, accountId)
  const scene: Scene = { store, clock, random, held }

  /** Changes of one instance follow one another: they would only lose against each other. */
  function inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const turn = held.lastChange.then(work, work)
    held.lastChange = turn.catch(() => undefined)
    return turn
  }

  return {
    save: (draft, client) => inTurn(() => save(scene, draft, client)),
    edit: (id, patch, client) => inTurn(() => edit(scene, { id: normalizeNoteId(id), patch, client })),
    remove: (id) => inTurn(() => remove(scene, normalizeNoteId(id))),
    importMany: (drafts, options) => inTurn(() => importMany(scene, drafts, options)),
    async read(id) {
      const note = (await catchUp(scene)).notes.get(normalizeNoteId(id))
      return note ? ok(note) : err({ reason: 'unknown_note', id })
    },
    search: (query, how) => search(scene, query, how ?? {}),
    async list({ cursor, limit = NOTE_PAGE_MAX, tag, since } = {}) {
      const all = sortedNotes(await catchUp(scene))
      const wanted = wantedTag(tag)
      const notes =
        wanted === undefined && since === undefined
          ? all
          : all.filter((note) => hasTag(note, wanted) && changedSince(note, since))
      return pageOf(notes, { cursor, limit: Math.min(limit, NOTE_PAGE_MAX) })
    },
    suggestIds: async (typed) => suggestIds(await catchUp(scene), typed),
    suggestTags: async (typed) => suggestTags(await catchUp(scene), typed),
    changesSince: (cursor) => changesSince(scene, cursor),
  }
}

const indexes = new WeakMap<View, SearchIndex>()

async function search(
  scene: Scene,
  query: string,
  { tag, limit = NOTE_SEARCH_MAX }: { tag?: string | undefined; limit?: number | undefined },
): Promise<Result<SearchResult, NotebookFault>> {
  if (query.length > NOTE_QUERY_MAX_LENGTH) {
    const size = { size: query.length, limit: NOTE_QUERY_MAX_LENGTH, unit: 'characters' } as const
    return err({ reason: 'too_long', what: 'query', ...size })
  }
  if (wordsOf(query).length === 0) return err({ reason: 'empty_query' })

  const view = await catchUp(scene)
  const index = indexes.get(view) ?? searchIndexOf(view)
  indexes.set(view, index)
  const wanted = wantedTag(tag)
  const { matched, found } = await index.search(query, (note) => hasTag(note, wanted))
  const hits = found.slice(0, Math.min(limit, NOTE_SEARCH_MAX)).map(({ note, score, words }) => ({
    note,
    score,
    snippet: snippet(note.text, words),
  }))
  return ok({ matched, hits, total: found.length })
}

async function changesSince({ store, held }: Scene, cursor: string | undefined): Promise<Changes> {
  const how = { after: before(cursor), limit: NOTE_CHANGES_KEEP }
  const entries = await store.run(read(keys.noteChanges(held.accountId), how))
  const news = newsIn(entries, cursor)
  const changed = [...new Set(news?.flatMap(({ ids }) => ids) ?? [])]
  return { cursor: entries.at(-1)?.id ?? cursor, changed, incomplete: news === undefined }
}

function suggestIds(view: View, typed: string): string[] {
  const id = normalizeNoteId(typed)
  const word = fold(typed.trim())
  return sortedNotes(view)
    .filter((note) => note.id.startsWith(id) || wordsOf(note.title).some((one) => one.startsWith(word)))
    .slice(0, NOTE_SUGGESTIONS_MAX)
    .map((note) => note.id)
}

function suggestTags(view: View, typed: string): string[] {
  const uses = new Map<string, number>()
  for (const { tags } of view.notes.values()) for (const tag of tags) uses.set(tag, (uses.get(tag) ?? 0) + 1)
  return [...uses]
    .filter(([tag]) => tag.startsWith(normalizeTag(typed)))
    .sort(([left, leftUses], [right, rightUses]) => rightUses - leftUses || (left < right ? -1 : 1))
    .slice(0, NOTE_SUGGESTIONS_MAX)
    .map(([tag]) => tag)
}

/** An empty tag asks for no tag: hosts send empty arguments for those that were left out. */
const wantedTag = (tag: string | undefined) => normalizeTag(tag ?? '') || undefined

const hasTag = ({ tags }: Note, tag: string | undefined) => tag === undefined || tags.includes(tag)

const changedSince = (note: Note, since: number | undefined) =>
  since === undefined || (note.edited?.at ?? note.created.at) >= since
