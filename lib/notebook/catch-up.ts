import {
  NOTE_CHANGES_IN_FLIGHT,
  NOTE_CHANGES_KEEP,
  NOTE_CHANGES_MS,
  NOTE_SEGMENTS_PER_READ,
} from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import { type Announcement, parseAnnouncement } from '#lib/notebook/announcement'
import { utf8Length } from '#lib/notebook/note'
import { parseSegment } from '#lib/notebook/segment'
import { adopt, learn, newView, suspect, type View } from '#lib/notebook/view'
import { keys } from '#lib/store/keys'
import { get, read } from '#lib/store/operations'
import type { Entry, Store } from '#lib/store/port'

/** One notebook in the memory of one instance. */
export interface Held {
  readonly accountId: string
  view: View
  /** When the view was last compared with the store, in ms since 1970; `undefined`: never. */
  checkedAt: number | undefined
  /** Reading everything is under way. */
  loading: Promise<void> | undefined
  /** The last change of this instance: they follow one another. */
  lastChange: Promise<unknown>
}

export interface Scene {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly held: Held
}

/**
 * Brings the view up to date with every change that was acknowledged before this call: one store request,
 * unless announcements are missing or a change was too large to stand in the log.
 *
 * @throws StoreUnavailable, UnreadableRecord
 */
export async function catchUp(scene: Scene): Promise<View> {
  const { held, store, clock } = scene
  // Shared reading may have begun before a change that the caller already knows of: so look again after it.
  await held.loading
  const now = clock()
  // The log may have ended and begun anew unnoticed: then an unbroken log proves nothing.
  if (held.checkedAt === undefined || now - held.checkedAt > NOTE_CHANGES_MS / 2) return load(scene)

  const { view } = held
  const { cursor } = view
  const numbers = doubtful(view, now)
  const [entries, ...texts] = await store.batch(
    read(keys.noteChanges(held.accountId), { after: before(cursor), limit: NOTE_CHANGES_KEEP }),
    ...numbers.map((number) => get(keys.noteSegment(held.accountId, number), { fresh: true })),
  )
  if (held.view !== view) return catchUp(scene)
  const news = newsIn(entries, cursor)
  if (!news) return load(scene)

  take(view, numbers, { texts, now: clock() })
  const unknown = learnAll(view, news, clock())
  moveCursor(view, entries.at(-1))
  if (unknown.length > 0) await fetchSegments(scene, unknown)
  held.checkedAt = now
  return held.view
}

/** Reads everything, or waits for whoever is already reading. */
async function load(scene: Scene): Promise<View> {
  const { held } = scene
  held.loading ??= readAll(scene).finally(() => {
    held.loading = undefined
  })
  await held.loading
  return held.view
}

async function readAll({ held, store, clock }: Scene): Promise<void> {
  const view = newView()
  const now = clock()
  const log = keys.noteChanges(held.accountId)
  // The log first: what is announced later will be read as news.
  const [newest, ...first] = await store.batch(
    read(log, { limit: NOTE_CHANGES_IN_FLIGHT, newestFirst: true }),
    ...segmentsFrom(held.accountId, 0),
  )
  let texts: readonly (string | null)[] = first
  for (let start = 0; ; start += texts.length) {
    take(view, range(start, texts.length), { texts, now })
    if (texts.at(-1) === null) break
    texts = await store.batch(...segmentsFrom(held.accountId, start + texts.length))
  }
  view.cursor = newest[0]?.id
  for (const { data } of newest) {
    const announced = parseAnnouncement(data)
    if (announced) suspect(view, announced, now)
  }

  held.view = view
  held.checkedAt = now
}

const segmentsFrom = (accountId: string, start: number) =>
  range(start, NOTE_SEGMENTS_PER_READ).map((number) =>
    get(keys.noteSegment(accountId, number), { fresh: true }),
  )

async function fetchSegments({ held, store, clock }: Scene, numbers: readonly number[]): Promise<void> {
  const { view } = held
  const texts = await store.batch(
    ...numbers.map((number) => get(keys.noteSegment(held.accountId, number), { fresh: true })),
  )
  take(view, numbers, { texts, now: clock() })
}

function take(
  view: View,
  numbers: readonly number[],
  { texts, now }: { texts: readonly (string | null)[]; now: number },
): void {
  for (const [index, number] of numbers.entries()) {
    const text = texts[index]
    // Segments have no holes: one that is there has all before it, which were asked for as well.
    if (typeof text !== 'string' || number > view.segments.length) continue
    adopt(view, number, { segment: parseSegment(text), bytes: utf8Length(text), now })
  }
}

/** Learns what was announced; answers the segments that must be read. */
function learnAll(view: View, news: readonly Announcement[], now: number): number[] {
  const unknown = new Set<number>()
  for (const announced of news) {
    if (learn(view, announced, now)) continue
    for (let number = view.segments.length; number < announced.segment; number++) unknown.add(number)
    unknown.add(announced.segment)
  }
  return [...unknown].sort((left, right) => left - right)
}

function moveCursor(view: View, last: Entry | undefined): void {
  if (last && (view.cursor === undefined || isAfter(last.id, view.cursor))) view.cursor = last.id
}

/** Segments to read along with the log: those in doubt, and those that are expected to appear. */
function doubtful(view: View, now: number): number[] {
  const numbers = view.segments.flatMap(({ doubts }, number) => (doubts.length > 0 ? [number] : []))
  let end = view.segments.length
  for (const [number, until] of view.expected) {
    if (now >= until) view.expected.delete(number)
    else end = Math.max(end, number + 1)
  }
  return [...numbers, ...range(view.segments.length, end - view.segments.length)]
}

const range = (start: number, count: number) => Array.from({ length: count }, (_, index) => start + index)

/**
 * What was announced after the cursor, of entries read from the cursor on, itself included. `undefined` when
 * some may be missing, or one is not understood.
 */
export function newsIn(
  entries: readonly Entry[],
  cursor: string | undefined,
): readonly Announcement[] | undefined {
  const whole = cursor === undefined ? entries.length < NOTE_CHANGES_KEEP : entries[0]?.id === cursor
  if (!whole) return undefined

  const news = entries.slice(cursor === undefined ? 0 : 1).map(({ data }) => parseAnnouncement(data))
  return news.every((announced) => announced !== undefined) ? news : undefined
}

const HIGHEST_SEQUENCE = 999_999_999

/** The greatest id under a given one, so that an exclusive read includes that one. */
export function before(id: string | undefined): string | undefined {
  if (id === undefined) return undefined
  const [ms = 0, sequence = 0] = id.split('-').map(Number)
  return sequence > 0 ? `${ms}-${sequence - 1}` : `${ms - 1}-${HIGHEST_SEQUENCE}`
}

function isAfter(left: string, right: string): boolean {
  const [leftMs = 0, leftSequence = 0] = left.split('-').map(Number)
  const [rightMs = 0, rightSequence = 0] = right.split('-').map(Number)
  return leftMs === rightMs ? leftSequence > rightSequence : leftMs > rightMs
}
