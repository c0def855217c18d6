import { z } from 'zod'
import { NOTE_WRITES_KEPT } from '#lib/config/limits'
import { Note } from '#lib/notebook/note'
import { UnreadableRecord } from '#lib/store/record'

/** Record `n:{account}:s:{n}`: some notes of an account. It is never deleted while the account lives. */
export const Segment = z.looseObject({
  v: z.literal(1),
  /** Rises by one with each change. */
  version: z.number(),
  /** Ids of the last changes, oldest first. */
  writes: z.array(z.string()),
  notes: z.array(Note),
})
export type Segment = z.output<typeof Segment>

/** What a change does to one segment. */
export interface SegmentChange {
  readonly kind: 'save' | 'edit' | 'move' | 'remove' | 'import'
  /** Notes that are put in or take the place of their earlier revision. */
  readonly put: readonly Note[]
  /** Ids of notes that leave. */
  readonly drop: readonly string[]
}

/**
 * Reads a segment, keeping members that this release does not know in their place, so that writing it out
 * again gives the same bytes.
 *
 * @throws UnreadableRecord
 */
export function parseSegment(text: string): Segment {
  const record = parseJson(text)
  if (!Segment.safeParse(record).success) throw new UnreadableRecord('a segment of notes does not parse')
  return record as Segment
}

/** The segment after a change that is named `write`. `undefined`: there was none before. */
export function applyChange(segment: Segment | undefined, change: SegmentChange, write: string): Segment {
  const { notes, version, writes } = segment ?? { notes: [], version: 0, writes: [] }
  const put = new Map(change.put.map((note) => [note.id, note]))
  const drop = new Set(change.drop)
  const kept = notes.filter(({ id }) => !drop.has(id)).map((note) => take(put, note.id) ?? note)
  return {
    v: 1,
    ...segment,
    version: version + 1,
    writes: [...writes, write].slice(-NOTE_WRITES_KEPT),
    notes: [...kept, ...put.values()],
  }
}

/** The id of the last change; empty for a segment that is not there yet. */
export const lastWrite = (segment: Segment | undefined): string => segment?.writes.at(-1) ?? ''

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UnreadableRecord('a segment of notes is not JSON')
  }
}

function take(notes: Map<string, Note>, id: string): Note | undefined {
  const note = notes.get(id)
  notes.delete(id)
  return note
}
