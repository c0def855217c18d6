import { TASK_DEPLOY_MS, TASK_GRACE_MS, TASK_RESULT_MS, TASK_TRIES_MAX } from '#lib/config/limits'
import { type Ending, ended, lifetimeOf, TaskRecord } from '#lib/mcp/tasks/record'
import { type Job, noteEnd, tidyUp } from '#lib/mcp/tasks/runner'
import { failed, lostWithin } from '#lib/mcp/tasks/steps'
import type { TasksDeps } from '#lib/mcp/tasks/tasks'
import { keys } from '#lib/store/keys'
import { get, set, swap } from '#lib/store/operations'
import { parseRecord } from '#lib/store/record'

const RUN_ID_BYTES = 16

/**
 * Takes up a task whose runner is gone. Of any number of instances that try one gets the lease; before it
 * does anything it writes its name into the record, so that a runner which only seemed gone can save nothing.
 *
 * @returns `undefined` when there is nothing to run: somebody else has it, it has ended, or it has just been
 * ended because nobody may go on with it
 */
export async function adopt(taskId: string, deps: TasksDeps): Promise<Job | undefined> {
  const { store, random, leases } = deps
  const run = random(RUN_ID_BYTES)
  const [, holder, text, input] = await store.batch(
    set(keys.taskLease(taskId), run, { ifAbsent: true, ttlMs: leases.times.leaseMs }),
    // A reply that was lost makes the store ask twice: who holds it says it all.
    get(keys.taskLease(taskId), { fresh: true }),
    get(keys.task(taskId), { fresh: true }),
    get(keys.taskInput(taskId), { fresh: true }),
  )
  if (holder !== run) return undefined

  const record = text === null ? undefined : parseRecord(TaskRecord, text)
  if (text === null || record?.status !== 'working') {
    await store.run(leases.release({ taskId, run }))
    return undefined
  }
  const found = fitness(record, input, deps)
  if (found === 'not_here') {
    await store.run(leases.release({ taskId, run }))
    return undefined
  }
  if ('status' in found) {
    const last = end(record, found, deps)
    if ((await write({ taskId, run, text }, last, deps, 'release')) === undefined) return undefined
    noteEnd(last, deps)
    await tidyUp(taskId, store)
    return undefined
  }
  const claimed = { ...record, run, tries: record.tries + 1 }
  const written = await write({ taskId, run, text }, claimed, deps, 'keep')
  return written === undefined ? undefined : { taskId, run, ...found, text: written, record: claimed }
}

/**
 * Whether this instance may go on with it: a step that may have changed something is never repeated. During a
 * deploy another release may be the one that can; only later it is clear that none does.
 */
function fitness(
  record: TaskRecord,
  input: string | null,
  { tool: toolOf, clock }: TasksDeps,
): Ending | Pick<Job, 'tool' | 'input'> | 'not_here' {
  if (record.begun) return lostWithin(record)
  if (record.tries >= TASK_TRIES_MAX) {
    return failed(`The server stopped in the middle of this task ${TASK_TRIES_MAX} times.`)
  }
  const tool = toolOf(record.tool)
  const args = input === null ? undefined : tool?.input.safeParse(JSON.parse(input))
  if (tool && args?.success && tool.long?.state.safeParse(record.state).success) {
    return { tool, input: args.data }
  }
  if (clock() - record.updatedAt < TASK_DEPLOY_MS) return 'not_here'
  return failed('This server can no longer do what this task was begun for.')
}

const end = (record: TaskRecord, ending: Ending, { clock }: TasksDeps) =>
  ended(record, ending, { now: clock(), resultMs: TASK_RESULT_MS })

async function write(
  { taskId, run, text }: { readonly taskId: string; readonly run: string; readonly text: string },
  next: TaskRecord,
  { store, clock, leases }: TasksDeps,
  lease: 'keep' | 'release',
): Promise<string | undefined> {
  const after = JSON.stringify(next)
  const ttlMs = lifetimeOf(next, { now: clock(), graceMs: TASK_GRACE_MS })
  const [swapped] = await store.batch(
    swap(keys.task(taskId), text, after, ttlMs),
    lease === 'keep' ? leases.renewal({ taskId, run }) : leases.release({ taskId, run }),
  )
  return swapped.done || swapped.current === after ? after : undefined
}
