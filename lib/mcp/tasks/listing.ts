import {
  TASK_GRACE_MS,
  TASK_MS,
  TASK_RESULT_MS,
  TASKS_KEPT_PER_ACCOUNT,
  TASKS_LIVE_PER_ACCOUNT,
} from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { isTerminal, readableTask, type TaskRecord } from '#lib/mcp/tasks/record'
import { keys } from '#lib/store/keys'
import { get, range, unrank } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** A task as its person sees it listed. */
export interface TaskSummary {
  readonly taskId: string
  readonly tool: string
  readonly clientKey: string
  readonly status: TaskRecord['status']
  readonly message: string | undefined
  /** ms since 1970 */
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number
}

interface Reading {
  readonly store: Store
  readonly clock: Clock
}

/** Records read in one request: their results may be long. */
const PAGE = 20

/** No task lives longer. */
const LIFE_MS = TASK_MS + TASK_RESULT_MS + TASK_GRACE_MS

/** The newest tasks of an account, at most 20. */
export async function listTasks(accountId: string, reading: Reading): Promise<readonly TaskSummary[]> {
  const members = await membersOf(accountId, PAGE, reading)
  return (await readTasks(accountId, members, reading)).map(({ taskId, record }) => ({
    taskId,
    tool: record.tool,
    clientKey: record.clientKey,
    status: record.status,
    message: record.message,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    expiresAt: record.createdAt + record.ttlMs,
  }))
}

/** How many tasks of an account there are. Counts them only when there may be too many: one request else. */
export async function countTasks(
  accountId: string,
  reading: Reading,
): Promise<{ readonly live: number; readonly kept: number }> {
  const members = await membersOf(accountId, TASKS_KEPT_PER_ACCOUNT, reading)
  if (members.length < TASKS_LIVE_PER_ACCOUNT) return { live: members.length, kept: members.length }

  let live = 0
  let kept = 0
  for (let from = 0; from < members.length; from += PAGE) {
    const tasks = await readTasks(accountId, members.slice(from, from + PAGE), reading)
    kept += tasks.length
    live += tasks.filter(({ record }) => !isTerminal(record)).length
  }
  return { live, kept }
}

async function membersOf(accountId: string, limit: number, { store, clock }: Reading): Promise<string[]> {
  const dropBelow = clock() - LIFE_MS
  const entries = await store.run(range(keys.tasksOf(accountId), { limit, highestFirst: true, dropBelow }))
  return entries.map(({ member }) => member)
}

async function readTasks(accountId: string, members: readonly string[], { store }: Reading) {
  if (members.length === 0) return []
  const texts = await store.batch(...members.map((taskId) => get(keys.task(taskId))))
  const found = members.flatMap((taskId, index) => {
    const record = readableTask(texts[index] ?? null)
    return record ? [{ taskId, record }] : []
  })
  const gone = members.filter((_, index) => texts[index] === null)
  if (gone.length > 0) {
    const index = keys.tasksOf(accountId)
    await store.batch(...gone.map((taskId) => unrank(index, taskId))).catch(() => undefined)
  }
  return found
}
