import {
  TASK_GRACE_MS,
  TASK_MS,
  TASK_RESULT_MS,
  TASKS_LOOKED_AT_MAX,
  TASKS_TAKEN_UP_MAX,
} from '#lib/config/limits'
import { readableTask } from '#lib/mcp/tasks/record'
import type { TasksDeps } from '#lib/mcp/tasks/tasks'
import { keys } from '#lib/store/keys'
import { get, range, unrank } from '#lib/store/operations'

/** Records and leases read in one request. */
const PAGE = 20

/**
 * Looks through the tasks that need a runner, the oldest first: those without one are taken up, under the right
 * that their own call had, if it still stands; entries that need none are forgotten. Bounded.
 *
 * @returns how many were taken up
 */
export async function cleanUpTasks(deps: TasksDeps, takeUp: (taskId: string) => void): Promise<number> {
  const dropBelow = deps.clock() - TASK_MS - TASK_RESULT_MS - TASK_GRACE_MS
  const entries = await deps.store.run(range(keys.openTasks(), { limit: TASKS_LOOKED_AT_MAX, dropBelow }))
  let taken = 0
  for (let from = 0; from < entries.length && taken < TASKS_TAKEN_UP_MAX; from += PAGE) {
    const members = entries.slice(from, from + PAGE).map(({ member }) => member)
    const { abandoned, settled } = await look(members, deps)
    if (settled.length > 0) {
      await deps.store.batch(...settled.map((taskId) => unrank(keys.openTasks(), taskId)))
    }
    for (const taskId of abandoned.slice(0, TASKS_TAKEN_UP_MAX - taken)) takeUp(taskId)
    taken += Math.min(abandoned.length, TASKS_TAKEN_UP_MAX - taken)
  }
  return taken
}

async function look(members: readonly string[], { store, clock }: TasksDeps) {
  const answers = await store.batch(
    ...members.flatMap((taskId) => [
      get(keys.task(taskId), { fresh: true }),
      get(keys.taskLease(taskId), { fresh: true }),
    ]),
  )
  const abandoned: string[] = []
  const settled: string[] = []
  members.forEach((taskId, index) => {
    const text = answers[2 * index] ?? null
    const record = readableTask(text)
    // One that cannot be read is left to a release that can, or to its lifetime.
    if (text !== null && !record) return
    if (record?.status !== 'working') settled.push(taskId)
    else if (answers[2 * index + 1] === null && (record.notBefore ?? 0) <= clock()) abandoned.push(taskId)
  })
  return { abandoned, settled }
}
