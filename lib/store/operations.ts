import type { Operation } from '#lib/store/port'

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>

/**
 * Reads a record. `fresh` asks the leader, so that a write made elsewhere a moment ago is seen, and leaves
 * the lifetime alone; `touchMs` asks the leader and gives the record that much more life.
 */
export function get(key: string, how: { fresh?: true; touchMs?: number } = {}): Of<'get'> {
  const touch = how.touchMs === undefined ? {} : { touchMs: how.touchMs }
  return { kind: 'get', key, fresh: how.fresh ?? false, ...touch }
}

/** Writes a record; with `ifAbsent` only where none is (answers whether it wrote). */
export function set(
  key: string,
  value: string,
  how: { ttlMs?: number | undefined; ifAbsent?: true } = {},
): Of<'set'> {
  return { kind: 'set', key, value, ifAbsent: how.ifAbsent ?? false, ...lifetime(how.ttlMs) }
}

/** Reads and deletes at once: of any number of callers one gets the value. */
export const take = (key: string): Of<'take'> => ({ kind: 'take', key })

/**
 * Replaces `expected` by `next` (`null` deletes) if the record still is `expected`, byte for byte. Without
 * `ttlMs` the record keeps the lifetime it has.
 */
export function swap(key: string, expected: string, next: string | null, ttlMs?: number): Of<'swap'> {
  return { kind: 'swap', key, expected, next, ...lifetime(ttlMs) }
}

export const del = (...keys: string[]): Of<'del'> => ({ kind: 'del', keys })

/** Adds to the fields of a counter and answers their new sums. `ttlMs` is given once, when it is made. */
export function add(key: string, by: Readonly<Record<string, number>>, ttlMs?: number): Of<'add'> {
  return { kind: 'add', key, by, ...lifetime(ttlMs) }
}

export const sums = (key: string): Of<'sums'> => ({ kind: 'sums', key })

/**
 * Appends to a log. A given `id` fences a dead writer: one that is not greater is answered `stale`. With `tell`
 * the listeners of that channel hear of the entry in the same step (`Tell`).
 */
export function append(
  log: string,
  data: string,
  how: {
    id?: string | undefined
    keep: number
    ttlMs?: number | undefined
    tell?: string | undefined
  },
): Of<'append'> {
  const id = how.id === undefined ? {} : { id: how.id }
  const tell = how.tell === undefined ? {} : { tell: { channel: how.tell, log } }
  return { kind: 'append', log, data, keep: how.keep, ...id, ...lifetime(how.ttlMs), ...tell }
}

/** Reads a log between two ids, both exclusive. */
export function read(
  log: string,
  how: { after?: string | undefined; before?: string | undefined; limit: number; newestFirst?: true },
): Of<'read'> {
  return {
    kind: 'read',
    log,
    limit: how.limit,
    newestFirst: how.newestFirst ?? false,
    ...(how.after === undefined ? {} : { after: how.after }),
    ...(how.before === undefined ? {} : { before: how.before }),
  }
}

/** Puts a member into an ordered index; `ttlMs` renews the life of the whole index. */
export function rank(index: string, member: string, score: number, ttlMs?: number): Of<'rank'> {
  return { kind: 'rank', index, member, score, ...lifetime(ttlMs) }
}

export const unrank = (index: string, member: string): Of<'unrank'> => ({ kind: 'unrank', index, member })

/** Members of an index between two scores, both inclusive. */
export function range(
  index: string,
  how: {
    min?: number
    max?: number
    offset?: number
    limit: number
    highestFirst?: true
    dropBelow?: number
  },
): Of<'range'> {
  const { highestFirst, ...rest } = how
  return { kind: 'range', index, highestFirst: highestFirst ?? false, ...rest }
}

export const publish = (channel: string, message: string): Of<'publish'> => ({
  kind: 'publish',
  channel,
  message,
})

function lifetime(ttlMs: number | undefined): { ttlMs?: number } {
  return ttlMs === undefined ? {} : { ttlMs }
}
