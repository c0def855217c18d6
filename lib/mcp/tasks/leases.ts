import { RUN_BEAT_MS, RUN_DRAIN_BEAT_MS, RUN_DRAIN_LEASE_MS, RUN_LEASE_MS } from '#lib/config/limits'
import { keys } from '#lib/store/keys'
import { swap } from '#lib/store/operations'
import type { Operation, Store } from '#lib/store/port'

/** One task that this instance works on. */
export interface Held {
  readonly taskId: string
  /** The value of the lease. */
  readonly run: string
  /** Whether a step is running: then the lease is kept until its end. */
  readonly busy: () => boolean
  /** The lease is somebody else's, or gone: the task may have been cancelled. */
  readonly onLost: () => void
  /** The process is about to stop. */
  readonly onDrain: () => void
}

/** How long leases are, and how often they are renewed. Tests shorten them. */
export interface LeaseTimes {
  readonly leaseMs: number
  readonly beatMs: number
}

/** The leases that this instance holds: one request renews them all. */
export interface Leases {
  readonly draining: boolean
  readonly times: LeaseTimes
  hold(held: Held): () => void
  /** Renews them now. */
  renewal(held: Pick<Held, 'taskId' | 'run'>): Extract<Operation, { kind: 'swap' }>
  release(held: Pick<Held, 'taskId' | 'run'>): Extract<Operation, { kind: 'swap' }>
  /** Lets go of every task between two steps, in one request; tasks within a step get a short lease. */
  drain(): Promise<void>
}

/** Makes them. Nothing is renewed while nothing is held. */
export function createLeases(
  store: Store,
  times: LeaseTimes = { leaseMs: RUN_LEASE_MS, beatMs: RUN_BEAT_MS },
): Leases {
  const all = new Set<Held>()
  let draining = false
  let beating: ReturnType<typeof setInterval> | undefined
  let inFlight = false

  const renewal = ({ taskId, run }: Pick<Held, 'taskId' | 'run'>) =>
    swap(keys.taskLease(taskId), run, run, draining ? RUN_DRAIN_LEASE_MS : times.leaseMs)
  const release = ({ taskId, run }: Pick<Held, 'taskId' | 'run'>) => swap(keys.taskLease(taskId), run, null)

  async function beat(): Promise<void> {
    // A slow store must not be asked twice at once: the answers would overtake each other.
    if (inFlight || all.size === 0) return
    inFlight = true
    try {
      const held = [...all]
      const answers = await store.batch(...held.map(renewal))
      held.forEach((one, index) => {
        if (answers[index]?.done === false && all.has(one)) one.onLost()
      })
    } catch {
      // Out of reach: whether the lease outlived that shows at the next beat, or at the next save.
    } finally {
      inFlight = false
    }
  }

  function beatEvery(ms: number): void {
    clearInterval(beating)
    beating = setInterval(() => void beat(), ms)
  }

  return {
    get draining() {
      return draining
    },
    times,
    renewal,
    release,

    hold(held) {
      all.add(held)
      if (all.size === 1) beatEvery(draining ? RUN_DRAIN_BEAT_MS : times.beatMs)
      return () => {
        all.delete(held)
        if (all.size === 0) clearInterval(beating)
      }
    },

    async drain() {
      draining = true
      const held = [...all]
      for (const one of held) one.onDrain()
      if (held.length === 0) return
      beatEvery(RUN_DRAIN_BEAT_MS)
      const last = held.map((one) => (one.busy() ? renewal(one) : release(one)))
      // What is not let go of runs out by itself.
      await store.batch(...last).catch(() => undefined)
    },
  }
}
