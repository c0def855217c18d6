import { z } from 'zod'
import { NOTE_CHANGE_MAX_BYTES } from '#lib/config/limits'
import { Note, utf8Length } from '#lib/notebook/note'
import { lastWrite, type Segment, type SegmentChange } from '#lib/notebook/segment'

/**
 * Entry of the log `n:{account}:log`: a change about to be made to a segment. It is appended before the
 * change, in the same request, so that no change is without one; a change that lost its race leaves an
 * announcement of nothing, which readers find out (docs/decisions/0008).
 */
export const Announcement = z.looseObject({
  v: z.literal(1),
  /** A kind of `SegmentChange`, or one that a later release added. */
  kind: z.string(),
  /** Ids of the notes that change. */
  ids: z.array(z.string()),
  segment: z.number(),
  /** The version that the segment will have, the change before and the change itself. */
  version: z.number(),
  previous: z.string(),
  write: z.string(),
  /** Absent when the change is too large: read the segment. */
  put: z.array(Note).optional(),
  drop: z.array(z.string()),
})
export type Announcement = z.output<typeof Announcement>

/** The log entry of a change to `current` that is named `write`. */
export function announce(
  current: Segment | undefined,
  change: SegmentChange,
  { segment, write }: { segment: number; write: string },
): string {
  const announcement = {
    v: 1,
    kind: change.kind,
    ids: [...change.put.map(({ id }) => id), ...change.drop],
    segment,
    version: (current?.version ?? 0) + 1,
    previous: lastWrite(current),
    write,
    drop: change.drop,
  }
  const whole = JSON.stringify({ ...announcement, put: change.put })
  return utf8Length(whole) <= NOTE_CHANGE_MAX_BYTES ? whole : JSON.stringify(announcement)
}

/** `undefined` for an entry of another release: the reader then reads the segments, which are the truth. */
export function parseAnnouncement(data: string): Announcement | undefined {
  try {
    return Announcement.parse(JSON.parse(data))
  } catch {
    return undefined
  }
}
