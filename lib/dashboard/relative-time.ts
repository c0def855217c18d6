const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['week', 7 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
]

/** A moment as pages show it: how long ago, and exactly for those who look closer. */
export interface Moment {
  /** "3 minutes ago", "just now". */
  readonly relative: string
  /** "22 November 2026 at 15:34:47 UTC". */
  readonly exact: string
  /** For `<time datetime>`. */
  readonly iso: string
}

/** Describes a past moment (ms) as seen at `now` (ms). A moment in the future reads as "just now". */
export function moment(at: number, now: number): Moment {
  const date = new Date(at)
  return { relative: relative(now - at), exact: exactly.format(date), iso: date.toISOString() }
}

/** Describes a moment ahead (ms) as seen at `now` (ms): "in 30 days", counted in whole days until the last. */
export function deadline(at: number, now: number): Moment {
  const date = new Date(at)
  return { relative: ahead(at - now), exact: exactly.format(date), iso: date.toISOString() }
}

const inUnits = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exactly = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'long', timeZone: 'UTC' })

function relative(elapsed: number): string {
  const [unit, ms] = units.find(([, size]) => elapsed >= size) ?? []
  return unit && ms ? ago.format(-Math.floor(elapsed / ms), unit) : 'just now'
}

/** Rounded to days, so that a token made for 30 days says so for the first half day. */
function ahead(rest: number): string {
  if (rest >= 2 * DAY) return inUnits.format(Math.round(rest / DAY), 'day')
  if (rest >= HOUR) return inUnits.format(Math.floor(rest / HOUR), 'hour')
  return 'within the hour'
}
