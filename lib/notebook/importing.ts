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
    const [first, ...rest] = waiting.map((one) => sized(scene, view, { ...one, client }))
    if (!first) return ok([])
    const full = fullness(view, { notes: 1, bytes: first.size })
    if (full) return full
    const number = segmentFor(view, first.size)
    if (number === undefined) return notebookFull()

    const batch = [first, ...fitting(view, { number, taken: first.size, rest })]
    const put = batch.map(({ note }) => note)
    return (await commit(scene, number, { kind: 'import', put, drop: [] })) ? ok(batch) : AGAIN
  })
}

interface Sized {
  readonly index: number
  readonly note: Note
  readonly size: number
}

/** The notes that go along with the first of a batch: those up to the first that does not fit. */
function fitting(
  view: View,
  { number, taken, rest }: { number: number; taken: number; rest: readonly Sized[] },
): readonly Sized[] {
  let bytes = taken
  const end = rest.findIndex(({ size }, place) => {
    bytes += size
    return bytes > spaceIn(view, number) || fullness(view, { notes: place + 2, bytes }) !== undefined
  })
  return end < 0 ? rest : rest.slice(0, end)
}

function sized(
  scene: Scene,
  view: View,
  { index, content, client }: Waiting & { client: WritingClient },
): Sized {
  const note = newNote(scene, view, { content, client })
  return { index, note, size: storedSize(note) }
}
