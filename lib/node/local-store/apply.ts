import type { Change, Durability } from '#lib/node/local-store/changes'
import { formatId, isNewer, newLog, nextId, readFrom } from '#lib/node/local-store/log'
import { rangeOf } from '#lib/node/local-store/ordered-index'
import { anyLive, change, live, type State } from '#lib/node/local-store/state'
import { messageOf } from '#lib/store/message'
import type { Answers, Operation } from '#lib/store/port'

/** Where an operation acts: the state, the moment, and what is to be told of its changes. */
export interface Scene {
  readonly state: State
  readonly now: number
  /** A change took effect: write it down. */
  record(change: Change, durability: Durability): void
  /** A counter or a lifetime moved: write down its newest state within moments. */
  recordSoon(key: string): void
  publish(channel: string, message: string): void
}

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>
type Handlers = { readonly [Kind in Operation['kind']]: (scene: Scene, operation: Of<Kind>) => Answers[Kind] }

/**
 * Runs one operation, at once and whole: nothing else runs in between.
 *
 * @throws StoreUnavailable when the key holds another kind of value
 */
export function apply(scene: Scene, operation: Operation): unknown {
  const handler = handlers[operation.kind] as (scene: Scene, operation: Operation) => unknown
  return handler(scene, operation)
}

const handlers: Handlers = {
  get(scene, { key, touchMs }) {
    const found = live(scene.state, key, { kind: 'record', now: scene.now })
    if (found && touchMs !== undefined) {
      found.expiresAt = scene.now + touchMs
      scene.recordSoon(key)
    }
    return found?.value ?? null
  },

  set(scene, { key, value, ttlMs, ifAbsent }) {
    if (ifAbsent && anyLive(scene.state, key, scene.now)) return false
    commit(scene, ['set', key, value, expiry(scene, ttlMs)], 'synced')
    return true
  },

  take(scene, { key }) {
    const found = live(scene.state, key, { kind: 'record', now: scene.now })
    if (!found) return null
    commit(scene, ['del', key], 'synced')
    return found.value
  },

  swap(scene, { key, expected, next, ttlMs }) {
    const found = live(scene.state, key, { kind: 'record', now: scene.now })
    if (found?.value !== expected) return { done: false, current: found?.value ?? null }
    const expiresAt = ttlMs === undefined ? found.expiresAt : expiry(scene, ttlMs)
    commit(scene, next === null ? ['del', key] : ['set', key, next, expiresAt], 'synced')
    return { done: true }
  },

  del(scene, { keys }) {
    for (const key of keys) {
      if (anyLive(scene.state, key, scene.now)) commit(scene, ['del', key], 'synced')
    }
    return undefined
  },

  add(scene, { key, by, ttlMs }) {
    const fields = Object.entries(by)
    const found = live(scene.state, key, { kind: 'counter', now: scene.now })
    const counter = found ?? { kind: 'counter' as const, sums: new Map<string, number>(), expiresAt: 0 }
    if (fields.length === 0 && !found) return {}

    const answer = fields.map(([field, count]) => {
      const sum = (counter.sums.get(field) ?? 0) + count
      counter.sums.set(field, sum)
      return [field, sum] as const
    })
    if (counter.expiresAt === 0) counter.expiresAt = expiry(scene, ttlMs)
    scene.state.set(key, counter)
    scene.recordSoon(key)
    return Object.fromEntries(answer)
  },

  sums(scene, { key }) {
    const found = live(scene.state, key, { kind: 'counter', now: scene.now })
    return found ? Object.fromEntries(found.sums) : {}
  },

  append(scene, { log: key, data, id, keep, ttlMs, tell }) {
    const found = live(scene.state, key, { kind: 'log', now: scene.now })
    const log = found ?? newLog()
    const entryId = id ?? nextId(log, scene.now)
    const expiresAt = ttlMs === undefined ? log.expiresAt : expiry(scene, ttlMs)
    if (!isNewer(log, entryId)) {
      // As with Redis, whose PEXPIRE follows the refused XADD in the same pipeline.
      if (found && ttlMs !== undefined) commit(scene, ['expire', key, expiresAt], 'written')
      return { stale: true }
    }
    // A log that expired unnoticed must not come back to life when the journal is replayed.
    if (!found) commit(scene, ['del', key], 'written')
    const newest = log.entries.at(-1)
    commit(scene, ['append', key, entryId, data, keep, expiresAt], 'written')
    if (tell) {
      const prev = newest ? formatId(newest.id) : '0-0'
      scene.publish(tell.channel, messageOf(tell.log, { id: entryId, data }, prev))
    }
    return { id: entryId }
  },

  read(scene, operation) {
    const found = live(scene.state, operation.log, { kind: 'log', now: scene.now })
    return found ? readFrom(found, operation) : []
  },

  rank(scene, { index: key, member, score, ttlMs }) {
    const found = live(scene.state, key, { kind: 'index', now: scene.now })
    if (!found) commit(scene, ['del', key], 'written')
    const expiresAt = ttlMs === undefined ? (found?.expiresAt ?? 0) : expiry(scene, ttlMs)
    commit(scene, ['rank', key, member, score, expiresAt], 'synced')
    return undefined
  },

  unrank(scene, { index: key, member }) {
    const found = live(scene.state, key, { kind: 'index', now: scene.now })
    if (found?.scores.has(member)) commit(scene, ['unrank', key, member], 'synced')
    return undefined
  },

  range(scene, operation) {
    const { index: key, dropBelow } = operation
    const found = live(scene.state, key, { kind: 'index', now: scene.now })
    if (!found) return []
    const lowest = found.ordered[0]
    if (dropBelow !== undefined && lowest && lowest.score < dropBelow) {
      commit(scene, ['drop', key, dropBelow], 'written')
    }
    return rangeOf(found, operation)
  },

  publish(scene, { channel, message }) {
    scene.publish(channel, message)
    return undefined
  },
}

function commit(scene: Scene, one: Change, durability: Durability): void {
  change(scene.state, one)
  scene.record(one, durability)
}

const expiry = ({ now }: Scene, ttlMs: number | undefined) => (ttlMs === undefined ? 0 : now + ttlMs)
