import type { Change } from '#lib/node/local-store/changes'
import { appendTo, formatId, type Log, newLog } from '#lib/node/local-store/log'
import { dropFrom, newIndex, type OrderedIndex, rankIn, unrankIn } from '#lib/node/local-store/ordered-index'
import { StoreUnavailable } from '#lib/store/port'

interface StoredRecord {
  readonly kind: 'record'
  expiresAt: number
  value: string
}

interface Counter {
  readonly kind: 'counter'
  expiresAt: number
  readonly sums: Map<string, number>
}

type Stored = StoredRecord | Counter | Log | OrderedIndex
type Of<Kind extends Stored['kind']> = Extract<Stored, { kind: Kind }>

/** Everything that the local store remembers. */
export type State = Map<string, Stored>

/** What is under a key, whatever it is; something that expired is forgotten on the way. */
export function anyLive(state: State, key: string, now: number): Stored | undefined {
  const stored = state.get(key)
  if (!stored || !isExpired(stored, now)) return stored

  state.delete(key)
  return undefined
}

/**
 * What is under a key.
 *
 * @throws StoreUnavailable when it is of another kind, as Redis answers WRONGTYPE
 */
export function live<Kind extends Stored['kind']>(
  state: State,
  key: string,
  { kind, now }: { kind: Kind; now: number },
): Of<Kind> | undefined {
  const stored = anyLive(state, key, now)
  if (stored && stored.kind !== kind) throw new StoreUnavailable('store: a key holds another kind of value')
  return stored as Of<Kind> | undefined
}

/** Makes a change take effect, the first time or when the journal is replayed. */
export function change(state: State, one: Change): void {
  switch (one[0]) {
    case 'set':
      state.set(one[1], { kind: 'record', value: one[2], expiresAt: one[3] })
      return
    case 'del':
      state.delete(one[1])
      return
    case 'expire': {
      const stored = state.get(one[1])
      if (stored) stored.expiresAt = one[2]
      return
    }
    case 'sums':
      state.set(one[1], { kind: 'counter', sums: new Map(Object.entries(one[2])), expiresAt: one[3] })
      return
    case 'append':
      append(state, one)
      return
    case 'rank':
    case 'unrank':
    case 'drop':
      reorder(state, one)
  }
}

function append(
  state: State,
  [, key, id, data, keep, expiresAt]: Extract<Change, readonly ['append', ...unknown[]]>,
) {
  const stored = state.get(key)
  const log = stored?.kind === 'log' ? stored : newLog()
  log.expiresAt = expiresAt
  if (appendTo(log, id, data, keep)) state.set(key, log)
}

function reorder(state: State, one: Extract<Change, readonly ['rank' | 'unrank' | 'drop', ...unknown[]]>) {
  const stored = state.get(one[1])
  const index = stored?.kind === 'index' ? stored : newIndex()
  if (one[0] === 'rank') {
    rankIn(index, one[2], one[3])
    index.expiresAt = one[4]
    state.set(one[1], index)
    return
  }
  if (one[0] === 'unrank') unrankIn(index, one[2])
  else dropFrom(index, one[2])
  if (index.ordered.length === 0) state.delete(one[1])
}

/**
 * The changes that would make what is under a key now. They are those of the moment of the first: what
 * changes while they are taken does not show in them.
 */
export function* describe(key: string, stored: Stored): Generator<Change> {
  const { expiresAt } = stored
  switch (stored.kind) {
    case 'record':
      yield ['set', key, stored.value, expiresAt]
      return
    case 'counter':
      yield ['sums', key, Object.fromEntries(stored.sums), expiresAt]
      return
    case 'log':
      yield* describeLog(key, stored)
      return
    case 'index':
      for (const { member, score } of stored.ordered.slice()) yield ['rank', key, member, score, expiresAt]
  }
}

function* describeLog(key: string, { entries, expiresAt }: Log): Generator<Change> {
  const taken = entries.slice()
  for (const { id, data } of taken) yield ['append', key, formatId(id), data, taken.length, expiresAt]
}

/** Forgets what has expired. */
export function sweep(state: State, now: number): void {
  for (const [key, stored] of state) if (isExpired(stored, now)) state.delete(key)
}

export const isExpired = ({ expiresAt }: Stored, now: number): boolean => expiresAt !== 0 && expiresAt <= now
