import { TELL_DATA_MAX_LENGTH } from '#lib/config/limits'
import type { Entry } from '#lib/store/port'

/** What the listeners of a channel hear of an entry that was appended with `tell`. */
export interface ToldEntry {
  readonly log: string
  readonly id: string
  /** The id of the entry before it, `0-0` when it is the first. */
  readonly prev: string
  /** Absent when it is too long for a message: read the log. */
  readonly data?: string
}

/** Whether a message carries the data. Both kinds of store ask here, so that they agree. */
export const tellsData = (data: string): boolean => data.length <= TELL_DATA_MAX_LENGTH

/** The message of an entry, one line (`Tell`). */
export function messageOf(log: string, { id, data }: Entry, prev: string): string {
  return JSON.stringify({ l: log, i: id, p: prev, ...(tellsData(data) ? { d: data } : {}) })
}

/** Reads a message; `undefined` when it is none, e.g. of a later release. */
export function readMessage(message: string): ToldEntry | undefined {
  let told: unknown
  try {
    told = JSON.parse(message)
  } catch {
    return undefined
  }
  const { l: log, i: id, p: prev, d: data } = (told ?? {}) as Partial<Record<'l' | 'i' | 'p' | 'd', unknown>>
  if (typeof log !== 'string' || typeof id !== 'string' || typeof prev !== 'string') return undefined
  return typeof data === 'string' ? { log, id, prev, data } : { log, id, prev }
}
