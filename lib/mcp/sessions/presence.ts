import { z } from 'zod'
import { INSTANCES_MAX, PRESENCE_BEAT_MS, PRESENCE_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import { keys } from '#lib/store/keys'
import { del, get, range, rank, set, unrank } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** How many streams are open on an instance. */
const PresenceRecord = z.looseObject({ v: z.literal(1), streams: z.number() })

/** Tells the store how many streams this instance has, while it has any. */
export interface Presence {
  /** A stream has begun. Returns at once; the store is told now and then. */
  note(): void
}

/** Makes it. `open`: how many streams there are now. */
export function createPresence({
  store,
  clock,
  random,
  open,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly open: () => number
}): Presence {
  const instance = random(9)
  let beating: ReturnType<typeof setInterval> | undefined

  function beat(): void {
    const streams = open()
    const told =
      streams > 0
        ? store.batch(
            set(keys.mcpInstance(instance), JSON.stringify({ v: 1, streams }), { ttlMs: PRESENCE_MS }),
            rank(keys.mcpInstances(), instance, clock(), PRESENCE_MS),
          )
        : store.batch(del(keys.mcpInstance(instance)), unrank(keys.mcpInstances(), instance))
    // A gauge that is late is no fault of anybody's.
    told.catch(() => undefined)
    if (streams > 0) return
    clearInterval(beating)
    beating = undefined
  }

  return {
    note() {
      beating ??= setInterval(beat, PRESENCE_BEAT_MS)
    },
  }
}

/** Streams that are open on all instances, as they last said; two requests. */
export async function readPresence(
  store: Store,
  now: number,
): Promise<{ instances: number; streams: number }> {
  const since = now - PRESENCE_MS
  const instances = await store.run(
    range(keys.mcpInstances(), { min: since, limit: INSTANCES_MAX, dropBelow: since }),
  )
  const texts = await store.batch(
    ...instances.map(({ member }) => get(keys.mcpInstance(member), { fresh: true })),
  )
  const here = texts.flatMap((text) => (text === null ? [] : [parseRecord(PresenceRecord, text).streams]))
  return { instances: here.length, streams: here.reduce((sum, streams) => sum + streams, 0) }
}
