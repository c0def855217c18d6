import { NOTEBOOK_MAX_BYTES, NOTES_MAX } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { Scene } from '#lib/notebook/catch-up'
import { AGAIN, commit, hasRoom, segmentFor, untilDone } from '#lib/notebook/commit'
import { type Content, checkDraft, type Draft, type Patch, revise } from '#lib/notebook/draft'
import type { NotebookFault } from '#lib/notebook/faults'
import { type Note, newNoteId, storedSize, type WritingClient, writerOf } from '#lib/notebook/note'
import type { SegmentChange } from '#lib/notebook/segment'
import { copiesOf, type View } from '#lib/notebook/view'

type Refused = Result<never, NotebookFault>
type Written = Result<Note, NotebookFault>

/** Writes a new note: one request to catch up, one to write. */
export async function save(scene: Scene, draft: Draft, client: WritingClient): Promise<Written> {
  const content = checkDraft(draft)
  if (!content.ok) return content

  return untilDone(scene, async (view): Promise<Written | typeof AGAIN> => {
    const note = newNote(scene, view, { content: content.value, client })
    const size = storedSize(note)
    const number = segmentFor(view, size)
    const full = fullness(view, { notes: 1, bytes: size })
    if (full) return full
    if (number === undefined) return notebookFull()
    return (await commit(scene, number, { kind: 'save', put: [note], drop: [] })) ? ok(note) : AGAIN
  })
}

/** Changes a note. An edit that comes between is kept: this one is then made on top of it. */
export async function edit(
  scene: Scene,
  { id, patch, client }: { id: string; patch: Patch; client: WritingClient },
): Promise<Written> {
  return untilDone(scene, async (view): Promise<Written | typeof AGAIN> => {
    const home = copiesOf(view, id).at(-1)
    if (!home) return err({ reason: 'unknown_note', id })

    const revised = revise(home.note, patch, { client, now: scene.clock() })
    if (!revised.ok) return revised
    const growth = Math.max(0, storedSize(revised.value) - storedSize(home.note))
    const full = fullness(view, { notes: 0, bytes: growth })
    if (full && growth > 0) return full
    if (hasRoom(view, home.number, growth)) {
      return (await commit(scene, home.number, replacing(revised.value))) ? revised : AGAIN
    }
    return move(scene, { number: home.number, base: home.note, revised: revised.value, patch, client })
  })
}

const replacing = (note: Note): SegmentChange => ({ kind: 'edit', put: [note], drop: [] })

interface Move {
  readonly number: number
  /** The copy that stays behind. */
  readonly base: Note
  readonly revised: Note
  readonly patch: Patch
  readonly client: WritingClient
}

/**
 * Puts the new revision into another segment and then drops the old one: in between there are two copies, of
 * which the higher revision counts. If someone edits the old copy meanwhile, that edit is revised in turn.
 */
async function move(scene: Scene, { number, base, revised, patch, client }: Move) {
  const { view } = scene.held
  const target = segmentFor(view, storedSize(revised))
  if (target === undefined) return notebookFull()
  if (!(await commit(scene, target, replacing(revised)))) return AGAIN

  const left = { base, revised }
  return untilDone(scene, async (now): Promise<Written | typeof AGAIN> => {
    const copy = now.segments[number]?.notes.get(base.id)
    if (!copy) return ok(left.revised)
    if (JSON.stringify(copy) !== JSON.stringify(left.base)) {
      const again = revise({ ...copy, rev: Math.max(copy.rev, left.revised.rev) }, patch, {
        client,
        now: scene.clock(),
      })
      if (!again.ok) return again
      if (!(await commit(scene, target, replacing(again.value)))) return AGAIN
      left.base = copy
      left.revised = again.value
    }
    const dropped = await commit(scene, number, { kind: 'move', put: [], drop: [base.id] })
    return dropped ? ok(left.revised) : AGAIN
  })
}

/** Deletes a note and answers what it was. Older copies go first, so that none comes back to life. */
export async function remove(scene: Scene, id: string): Promise<Written> {
  const removed: { note: Note | undefined } = { note: undefined }
  return untilDone(scene, async (view): Promise<Written | typeof AGAIN> => {
    const copies = copiesOf(view, id)
    const counting = copies.at(-1)
    removed.note = counting?.note ?? removed.note
    if (!counting && !removed.note) return err({ reason: 'unknown_note', id })
    for (const { number } of copies) {
      if (!(await commit(scene, number, { kind: 'remove', put: [], drop: [id] }))) return AGAIN
    }
    return removed.note ? ok(removed.note) : err({ reason: 'unknown_note', id })
  })
}

/** A note that is not written yet. */
export function newNote(
  { random, clock }: Scene,
  view: View,
  { content, client }: { content: Content; client: WritingClient },
): Note {
  let id = newNoteId(random)
  while (view.notes.has(id)) id = newNoteId(random)
  return { id, rev: 1, ...content, created: writerOf(client, clock()) }
}

/** Why so much more does not fit; `undefined` when it does. */
export function fullness(view: View, more: { notes: number; bytes: number }): Refused | undefined {
  if (view.notes.size + more.notes > NOTES_MAX) return err({ reason: 'too_many_notes', limit: NOTES_MAX })
  return view.bytes + more.bytes > NOTEBOOK_MAX_BYTES ? notebookFull() : undefined
}

export const notebookFull = (): Refused => err({ reason: 'notebook_full', limit: NOTEBOOK_MAX_BYTES })
