import { ok } from '#lib/core/result'
import type { Scene } from '#lib/notebook/catch-up'
import { AGAIN, commit, segmentFor, spaceIn, untilDone } from '#lib/notebook/commit'
import { type Content, checkDraft, type Draft } from '#lib/notebook/draft'
import type { NotebookFault } from '#lib/notebook/faults'
import { type Note, storedSize, type WritingClient } from '#lib/notebook/note'
import type { View } from '#lib/notebook/view'
import { fullness, newNote, notebookFull } from '#lib/notebook/writing'

/** What became of an import, by the places of its drafts. */
export interface Imported {
  readonly saved: readonly { readonly index: number; readonly note: Note }[]
  readonly refused: readonly { readonly index: number; readonly fault: NotebookFault }[]
  /** Drafts that were not tried, because the caller left. */
  readonly untried: number
}

export interface ImportOptions {
  readonly client: WritingClient
  /** Hears how many drafts are done, after each batch. */
  readonly onProgress?: ((done: number, total: number) => Promise<void>) | undefined
  /** Stops between two batches; what was written stays. */
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  readonly index: number
  readonly content: Content
}

/** Writes many notes, as many in one request as fit into a segment. Each is judged by itself. */
export async function importMany(
  scene: Scene,
  drafts: readonly Draft[],
  { client, onProgress, signal }: ImportOptions,
): Promise<Imported> {
  const saved: { index: number; note: Note }[] = []
  const refused: { index: number; fault: NotebookFault }[] = []
  let waiting: Waiting[] = []
  for (const [index, draft] of drafts.entries()) {
    const content = checkDraft(draft)
    if (content.ok) waiting.push({ index, content: content.value })
    else refused.push({ index, fault: content.error })
  }

  while (waiting.length > 0 && !signal?.aborted) {
    const batch = await writeBatch(scene, waiting, client)
    if (!batch.ok) {
      refused.push(...waiting.map(({ index }) => ({ index, fault: batch.error })))
      waiting = []
    } else {
      saved.push(...batch.value)
      waiting = waiting.slice(batch.value.length)
    }
    await onProgress?.(drafts.length - waiting.length, drafts.length)
  }
  return { saved, refused: refused.sort((left, right) => left.index - right.index), untried: waiting.length }
}

/** Writes as many of the first drafts as fit into one segment, at least one. */
async function writeBatch(scene: Scene, waiting: readonly Waiting[], client: WritingClient) {
  return untilDone(scene, async (view) => {
    const [first] = waiting
    if (!first) return ok([])
    const { size } = sized(scene, view, { ...first, client })
    const full = fullness(view, { notes: 1, bytes: size })
    if (full) return full
    const number = segmentFor(view, size)
    if (number === undefined) return notebookFull()

    const batch = fill(scene, view, { number, waiting, client })
    const put = batch.map(({ note }) => note)
    return (await commit(scene, number, { kind: 'import', put, drop: [] })) ? ok(batch) : AGAIN
  })
}

/** The first draft, which is known to fit, and those after it up to the first that does not. */
function fill(
  scene: Scene,
  view: View,
  { number, waiting, client }: { number: number; waiting: readonly Waiting[]; client: WritingClient },
): Sized[] {
  const batch: Sized[] = []
  let bytes = 0
  for (const one of waiting) {
    const next = sized(scene, view, { ...one, client })
    bytes += next.size
    const full = bytes > spaceIn(view, number) || fullness(view, { notes: batch.length + 1, bytes })
    if (batch.length > 0 && full) break
    batch.push(next)
  }
  return batch
}

interface Sized {
  readonly index: number
  readonly note: Note
  readonly size: number
}

function sized(
  scene: Scene,
  view: View,
  { index, content, client }: Waiting & { client: WritingClient },
): Sized {
  const note = newNote(scene, view, { content, client })
  return { index, note, size: storedSize(note) }
}
