import { TASK_GRACE_MS, TASK_SAVE_MS, TASK_SAVE_PAUSE_MS } from '#lib/config/limits'
import { sleep } from '#lib/core/sleep'
import { lifetimeOf, TaskRecord } from '#lib/mcp/tasks/record'
import type { Job, RunnerDeps } from '#lib/mcp/tasks/runner'
import { keys } from '#lib/store/keys'
import { set, swap } from '#lib/store/operations'
import { StoreUnavailable } from '#lib/store/port'
import { readRecord } from '#lib/store/record'

/** A task in the hands of this instance: its record, its lease, and whether to go on. */
export interface HeldTask {
  /** As it was saved last. */
  readonly record: TaskRecord
  /** It was cancelled, or another instance has it: nothing can be saved any more. */
  readonly gone: boolean
  /** This instance has to let go of it after the step that runs. */
  readonly leaving: boolean
  /** Aborts when it is gone. */
  readonly signal: AbortSignal
  /** Waits, at most until there is no point in it. */
  nap(ms: number): Promise<void>
  /** From here on the lease is kept even when the process is about to stop, until a save lets go of it. */
  enter(): void
  leave(): void
  /** @returns whether the record was still ours */
  save(next: TaskRecord, lease: 'keep' | 'release'): Promise<boolean>
  letGo(): Promise<void>
  stop(): void
}

/** Takes a task into this instance's hands; its lease is renewed until `stop`. */
export function holdTask(job: Job, deps: RunnerDeps, cancel: AbortController): HeldTask {
  const { taskId, run } = job
  const { store, clock, leases } = deps
  const until = clock() + (deps.runMaxMs ?? Number.POSITIVE_INFINITY)
  const awake = new AbortController()
  let { text, record } = job
  let busy = false
  let released = false

  cancel.signal.addEventListener('abort', () => awake.abort())
  const stop = leases.hold({
    taskId,
    run,
    busy: () => busy,
    onLost: () => {
      // It may have run out while the instance was frozen: the record says whether anybody took the task.
      const mine = released ? Promise.resolve(true) : reacquire(job, deps).catch(() => true)
      void mine.then((still) => still || cancel.abort())
    },
    onDrain: () => {
      released = !busy
      awake.abort()
    },
  })

  return {
    get record() {
      return record
    },
    get gone() {
      return cancel.signal.aborted
    },
    get leaving() {
      return leases.draining || clock() >= until
    },
    signal: cancel.signal,
    nap: (ms) => sleep(ms, awake.signal),
    enter() {
      busy = true
    },
    leave() {
      busy = false
    },

    async save(next, lease) {
      released ||= lease === 'release'
      const after = JSON.stringify(next)
      const ttlMs = lifetimeOf(next, { now: clock(), graceMs: TASK_GRACE_MS })
      const saved = await insist(deps, async () => {
        const [swapped] = await store.batch(
          swap(keys.task(taskId), text, after, ttlMs),
          lease === 'keep' ? leases.renewal(job) : leases.release(job),
        )
        // A write whose reply was lost is found as it was written.
        return swapped.done || swapped.current === after
      })
      if (saved) {
        text = after
        record = next
      } else cancel.abort()
      return saved
    },

    async letGo() {
      released = true
      await store.run(leases.release(job))
    },
    stop,
  }
}

/** Tries until the store answers, within `TASK_SAVE_MS`: a finished step is worth waiting for. */
export async function insist<Answer>(
  { clock }: Pick<RunnerDeps, 'clock'>,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  const until = clock() + TASK_SAVE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || clock() >= until) throw error
      await sleep(TASK_SAVE_PAUSE_MS, new AbortController().signal)
    }
  }
}

/** Takes a lease again that ran out, if nobody else has taken the task. @returns whether it is still ours */
async function reacquire({ taskId, run }: Job, { store, leases }: RunnerDeps): Promise<boolean> {
  const record = await readRecord(store, keys.task(taskId), TaskRecord)
  if (record?.run !== run || record.status !== 'working') return false
  await store.run(set(keys.taskLease(taskId), run, { ifAbsent: true, ttlMs: leases.times.leaseMs }))
  return true
}
