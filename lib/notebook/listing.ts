import { decodeText, encodeText } from '#lib/core/base64url'
import { err, ok, type Result } from '#lib/core/result'
import type { NotebookFault } from '#lib/notebook/faults'
import { type Note, updatedAt } from '#lib/notebook/note'

/** One page of notes, the last changed first. */
export interface Page {
  readonly notes: readonly Note[]
  /** Gives the next page; `undefined` on the last. */
  readonly nextCursor: string | undefined
  /** All notes that the list has, on every page. */
  readonly total: number
}

/** A page of sorted notes. A cursor names a place in time, so that it outlives the note that stood there. */
export function pageOf(
  notes: readonly Note[],
  { cursor, limit }: { cursor: string | undefined; limit: number },
): Result<Page, NotebookFault> {
  const place = cursor === undefined ? undefined : parseCursor(cursor)
  if (cursor !== undefined && !place) return err({ reason: 'malformed_cursor' })

  const start = place ? notes.findIndex((note) => isBehind(note, place)) : 0
  const page = start < 0 ? [] : notes.slice(start, start + limit)
  const last = page.at(-1)
  const more = last !== undefined && start + limit < notes.length
  return ok({ notes: page, nextCursor: more ? cursorAt(last) : undefined, total: notes.length })
}

interface Place {
  readonly at: number
  readonly id: string
}

const cursorAt = (note: Note) => encodeText(`${updatedAt(note)}.${note.id}`)

function parseCursor(cursor: string): Place | undefined {
  const [, at, id] = /^(\d{1,15})\.([a-z0-9]{1,20})$/.exec(decodeText(cursor) ?? '') ?? []
  return at === undefined || id === undefined ? undefined : { at: Number(at), id }
}

const isBehind = (note: Note, { at, id }: Place) =>
  updatedAt(note) < at || (updatedAt(note) === at && note.id > id)
