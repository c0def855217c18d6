import type { Operation } from '#lib/store/port'

/** A log in memory: as Redis's streams, with ids `<ms>-<seq>` that only grow. */
export interface Log {
  readonly kind: 'log'
  expiresAt: number
  last: Id
  readonly entries: { readonly id: Id; readonly data: string }[]
}

interface Id {
  readonly ms: number
  readonly seq: number
}

export const newLog = (): Log => ({ kind: 'log', expiresAt: 0, last: { ms: 0, seq: 0 }, entries: [] })

/** The id for an entry appended now: never behind the last one, whatever the clock does. */
export function nextId({ last }: Log, now: number): string {
  return formatId(now > last.ms ? { ms: now, seq: 0 } : { ms: last.ms, seq: last.seq + 1 })
}

/** Whether an entry with this id may be appended. */
export const isNewer = (log: Log, id: string): boolean => compareIds(parseId(id), log.last) > 0

/** Appends an entry and forgets all but the newest `keep`. Answers `false` when the id is not greater. */
export function appendTo(log: Log, text: string, data: string, keep: number): boolean {
  const id = parseId(text)
  if (compareIds(id, log.last) <= 0) return false

  log.entries.push({ id, data })
  log.last = id
  if (log.entries.length > keep) log.entries.splice(0, log.entries.length - keep)
  return true
}

/** Entries strictly between two ids. */
export function readFrom(
  log: Log,
  { after, before, limit, newestFirst }: Extract<Operation, { kind: 'read' }>,
) {
  const start = after === undefined ? 0 : firstAtOrAfter(log, next(parseId(after)))
  const end = before === undefined ? log.entries.length : firstAtOrAfter(log, parseId(before))
  if (end <= start) return []

  const found = newestFirst
    ? log.entries.slice(Math.max(start, end - limit), end).reverse()
    : log.entries.slice(start, Math.min(end, start + limit))
  return found.map(({ id, data }) => ({ id: formatId(id), data }))
}

export const formatId = ({ ms, seq }: Id): string => `${ms}-${seq}`

function parseId(text: string): Id {
  const [ms, seq] = text.split('-')
  return { ms: Number(ms), seq: Number(seq) }
}

const next = ({ ms, seq }: Id): Id => ({ ms, seq: seq + 1 })

const compareIds = (left: Id, right: Id) => left.ms - right.ms || left.seq - right.seq

function firstAtOrAfter({ entries }: Log, id: Id): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry && compareIds(entry.id, id) < 0) low = middle + 1
    else high = middle
  }
  return low
}
