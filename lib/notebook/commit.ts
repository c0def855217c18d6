import {
  NOTE_CHANGES_KEEP,
  NOTE_CHANGES_MS,
  NOTE_SEGMENT_FILL_BYTES,
  NOTE_SEGMENT_MAX_BYTES,
  NOTE_SEGMENTS_MAX,
  NOTE_WRITE_ATTEMPTS,
} from '#lib/config/limits'
import { announce } from '#lib/notebook/announcement'
import { catchUp, type Scene } from '#lib/notebook/catch-up'
import { utf8Length } from '#lib/notebook/note'
import { applyChange, parseSegment, type SegmentChange } from '#lib/notebook/segment'
import { adopt, type View } from '#lib/notebook/view'
import { keys } from '#lib/store/keys'
import { append, get, set, swap } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'

const WRITE_ID_BYTES = 6
/** What a change adds to a segment besides its notes. */
const OVERHEAD_BYTES = 600

/** An attempt came too late: the view shows now what was there instead, so decide again. */
export const AGAIN = Symbol('again')

/**
 * Makes a change to one segment if it still is what the view shows. One store request: the announcement,
 * then the change.
 *
 * @returns whether the change was made; else the view was brought up to date with what stands there
 */
export async function commit(scene: Scene, number: number, change: SegmentChange): Promise<boolean> {
  const { clock, random, held } = scene
  const { view } = held
  const current = view.segments[number]?.segment
  const write = random(WRITE_ID_BYTES)
  const segment = applyChange(current, change, write)
  const text = JSON.stringify(segment)
  const announcement = announce(current, change, { segment: number, write })

  const found = await send(scene, number, {
    announcement,
    expected: current === undefined ? undefined : JSON.stringify(current),
    text,
  })
  if (found === undefined) {
    adopt(view, number, { segment, bytes: utf8Length(text), now: clock() })
    return true
  }
  if (found === null) {
    // Nothing ever deletes a segment but the end of its account.
    held.checkedAt = undefined
    return false
  }
  const winner = parseSegment(found)
  adopt(view, number, { segment: winner, bytes: utf8Length(found), now: clock() })
  // After a lost reply the store is asked twice, and finds the change that the first time made.
  return winner.writes.includes(write)
}

/** `undefined`: done; else what was there instead. */
async function send(
  { store, held }: Scene,
  number: number,
  { announcement, expected, text }: { announcement: string; expected: string | undefined; text: string },
): Promise<string | null | undefined> {
  const key = keys.noteSegment(held.accountId, number)
  const announced = append(keys.noteChanges(held.accountId), announcement, {
    keep: NOTE_CHANGES_KEEP,
    ttlMs: NOTE_CHANGES_MS,
  })
  if (expected === undefined) {
    const [, made, current] = await store.batch(
      announced,
      set(key, text, { ifAbsent: true }),
      get(key, { fresh: true }),
    )
    return made ? undefined : current
  }
  const [, swapped] = await store.batch(announced, swap(key, expected, text))
  return swapped.done ? undefined : swapped.current
}

/**
 * Brings the view up to date and runs attempts until one is not too late.
 *
 * @throws StoreUnavailable after too many
 */
export async function untilDone<Answer>(
  scene: Scene,
  attempt: (view: View) => Promise<Answer | typeof AGAIN>,
): Promise<Answer> {
  let view = await catchUp(scene)
  for (let count = 0; count < NOTE_WRITE_ATTEMPTS; count++) {
    const answer = await attempt(view)
    if (answer !== AGAIN) return answer
    view = scene.held.checkedAt === undefined ? await catchUp(scene) : scene.held.view
  }
  throw new StoreUnavailable('too many writers on one notebook')
}

/** Whether a segment may grow by so many bytes. */
export function hasRoom(view: View, number: number, bytes: number): boolean {
  return sizeOf(view, number) + bytes + OVERHEAD_BYTES <= NOTE_SEGMENT_MAX_BYTES
}

/** How much may be put into a segment before the next one is begun. */
export const spaceIn = (view: View, number: number): number =>
  NOTE_SEGMENT_FILL_BYTES - sizeOf(view, number) - OVERHEAD_BYTES

/**
 * The segment for a new note: the first with space, an empty one, a new one, or, when there are as many as
 * may be, any with room left. `undefined`: the notebook is full.
 */
export function segmentFor(view: View, bytes: number): number | undefined {
  const count = view.segments.length
  const fits = view.segments.findIndex(
    ({ notes }, number) =>
      spaceIn(view, number) >= bytes || (notes.size === 0 && hasRoom(view, number, bytes)),
  )
  if (fits >= 0) return fits
  if (count < NOTE_SEGMENTS_MAX) return count

  const squeezed = view.segments.findIndex((_, number) => hasRoom(view, number, bytes))
  return squeezed >= 0 ? squeezed : undefined
}

const sizeOf = (view: View, number: number) => view.segments[number]?.bytes ?? 0
