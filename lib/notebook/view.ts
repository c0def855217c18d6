import { NOTE_DOUBT_MS } from '#lib/config/limits'
import type { Announcement } from '#lib/notebook/announcement'
import { type Note, updatedAt, utf8Length } from '#lib/notebook/note'
import { applyChange, lastWrite, type Segment } from '#lib/notebook/segment'

/** An announced change of which it is not known yet whether it was made. */
interface Doubt {
  readonly write: string
  readonly version: number
  /** From then on it was not made unless it has been seen, in ms since 1970. */
  readonly until: number
}

/** A segment as an instance believes it to be. */
interface HeldSegment {
  readonly segment: Segment
  readonly bytes: number
  readonly notes: ReadonlyMap<string, Note>
  /** The version that is known, not only believed, to have been there. */
  readonly known: number
  readonly doubts: readonly Doubt[]
}

/**
 * What an instance remembers of one notebook: its segments as of the last announcement it read. It changes
 * by the functions of this file only.
 */
export interface View {
  readonly segments: HeldSegment[]
  /** Every note by its id: of copies in two segments the one that counts. */
  readonly notes: Map<string, Note>
  /** Notes that changed since the search index was last brought up to date. */
  readonly unindexed: Set<string>
  /** Announced segments that were not there when looked for, and until when they may appear. */
  readonly expected: Map<number, number>
  /** Id of the last announcement read; `undefined` when there was none. */
  cursor: string | undefined
  /** Every note, the last changed first; made when asked for. */
  sorted: readonly Note[] | undefined
  bytes: number
}

export const newView = (): View => ({
  segments: [],
  notes: new Map(),
  unindexed: new Set(),
  expected: new Map(),
  cursor: undefined,
  sorted: undefined,
  bytes: 0,
})

/** Takes over a segment as it stands in the store; older news than what is known changes nothing. */
export function adopt(view: View, number: number, found: { segment: Segment; bytes: number; now: number }) {
  const held = view.segments[number]
  const { segment, bytes, now } = found
  if (held && segment.version < held.known) return

  const doubts = (held?.doubts ?? []).filter((doubt) => isOpen(doubt, segment, now))
  view.expected.delete(number)
  replace(view, number, { segment, bytes, known: segment.version, doubts })
}

/**
 * Takes over an announced change, believing it for now: the next request to the store will tell.
 *
 * @returns whether the view is up to date with it; `false`: the segment must be read
 */
export function learn(view: View, announced: Announcement, now: number): boolean {
  const held = view.segments[announced.segment]
  if (!held) {
    view.expected.set(announced.segment, now + NOTE_DOUBT_MS)
    return false
  }
  const { segment, known } = held
  if (announced.version <= known || segment.writes.includes(announced.write)) return true

  const { put, drop, previous, write, version } = announced
  const doubts = [...held.doubts, { write, version, until: now + NOTE_DOUBT_MS }]
  if (!put || previous !== lastWrite(segment)) {
    replace(view, announced.segment, { ...held, doubts })
    return false
  }
  const believed = applyChange(segment, { kind: 'edit', put, drop }, write)
  const bytes = utf8Length(JSON.stringify(believed))
  replace(view, announced.segment, { segment: believed, bytes, known, doubts })
  return true
}

/** Notes a change that was announced before the view was made, if its segment does not show it. */
export function suspect(view: View, announced: Announcement, now: number): void {
  const { write, version } = announced
  const doubt = { write, version, until: now + NOTE_DOUBT_MS }
  const held = view.segments[announced.segment]
  if (!held) view.expected.set(announced.segment, doubt.until)
  else if (isOpen(doubt, held.segment, now)) {
    replace(view, announced.segment, { ...held, doubts: [...held.doubts, doubt] })
  }
}

/** The segments that hold a copy of a note, the copy that counts last. */
export function copiesOf(view: View, id: string): { number: number; note: Note }[] {
  return view.segments
    .flatMap(({ notes }, number) => {
      const note = notes.get(id)
      return note ? [{ number, note }] : []
    })
    .sort((left, right) => compareCopies(left.note, right.note) || left.number - right.number)
}

/** Every note, the last changed first. */
export function sortedNotes(view: View): readonly Note[] {
  view.sorted ??= [...view.notes.values()].sort(byLastChange)
  return view.sorted
}

export const byLastChange = (left: Note, right: Note): number =>
  updatedAt(right) - updatedAt(left) || (left.id < right.id ? -1 : Number(left.id > right.id))

const compareCopies = (left: Note, right: Note) => left.rev - right.rev || updatedAt(left) - updatedAt(right)

/** Whether a change may still come about: not seen, and nothing else was made in its place. */
const isOpen = ({ write, version, until }: Doubt, segment: Segment, now: number) =>
  version > segment.version && !segment.writes.includes(write) && now < until

function replace(view: View, number: number, next: Omit<HeldSegment, 'notes'>): void {
  const held = view.segments[number]
  const notes = new Map(next.segment.notes.map((note) => [note.id, unchanged(held, note)]))
  view.segments[number] = { ...next, notes }
  view.bytes += next.bytes - (held?.bytes ?? 0)

  for (const id of held?.notes.keys() ?? []) if (!notes.has(id)) settle(view, id)
  for (const [id, note] of notes) if (held?.notes.get(id) !== note) settle(view, id)
}

/** The object that is already held for a note that is the same, so that it need not be indexed again. */
function unchanged(held: HeldSegment | undefined, note: Note): Note {
  const known = held?.notes.get(note.id)
  if (!known || known === note || known.rev !== note.rev) return note
  return JSON.stringify(known) === JSON.stringify(note) ? known : note
}

function settle(view: View, id: string): void {
  const note = copiesOf(view, id).at(-1)?.note
  if (note === view.notes.get(id)) return

  if (note) view.notes.set(id, note)
  else view.notes.delete(id)
  view.unindexed.add(id)
  view.sorted = undefined
}
