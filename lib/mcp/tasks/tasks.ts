import {
  TASK_GRACE_MS,
  TASK_INPUT_MAX_BYTES,
  TASK_MS,
  TASK_RESULT_MS,
  TASKS_KEPT_PER_ACCOUNT,
  TASKS_LIVE_PER_ACCOUNT,
} from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { Caller, Tool } from '#lib/mcp/define'
import { answered, type InputResponses } from '#lib/mcp/tasks/answering'
import { cleanUpTasks } from '#lib/mcp/tasks/clean-up'
import { countTasks, listTasks, type TaskSummary } from '#lib/mcp/tasks/listing'
import { type NewTask, newRecord } from '#lib/mcp/tasks/new-task'
import { ended, isTerminal, lifetimeOf, TaskRecord } from '#lib/mcp/tasks/record'
import { type Job, noteEnd, type RunnerDeps, runTask, tidyUp } from '#lib/mcp/tasks/runner'
import { adopt } from '#lib/mcp/tasks/taking-up'
import { keys } from '#lib/store/keys'
import { del, get, rank, set } from '#lib/store/operations'
import { editRecord, parseRecord } from '#lib/store/record'

/** Who asks: the person and the app. Nobody else's tasks exist for them. */
export interface Asking {
  readonly caller: Caller
  readonly requestId: string
  /** By what right: what `standing` is asked with later. */
  readonly authority: string
  /** Work that goes on after the answer has begun. */
  afterResponse(work: Promise<unknown>): void
}

/** Why there is no task. */
export type NoTask = 'too_many' | 'too_large'

/** A task and its id. */
export interface Task {
  readonly taskId: string
  readonly record: TaskRecord
}

/** The tasks of this deployment, on the store; this instance runs those that it made or took up. */
export interface Tasks {
  /** Makes a task, durably, and runs it. */
  create(asking: Asking, task: NewTask): Promise<Result<Task, NoTask>>
  /** `undefined`: none, expired, or not theirs. A task without a runner is taken up. */
  get(asking: Asking, taskId: string): Promise<TaskRecord | undefined>
  /** Takes answers to open questions; others are ignored. */
  update(asking: Asking, taskId: string, responses: InputResponses): Promise<TaskRecord | undefined>
  /** Ends it, unless it has ended. */
  cancel(asking: Asking, taskId: string): Promise<TaskRecord | undefined>
  /** The newest tasks of an account, for its dashboard. */
  list(accountId: string): Promise<readonly TaskSummary[]>
  /** Takes up what was abandoned, and forgets what has ended. @returns how many were taken up */
  cleanUp(waitUntil: (work: Promise<unknown>) => void): Promise<number>
  /** The process is about to stop: lets go of every task that is between two steps, in one request. */
  drain(): Promise<void>
}

/** What tasks are made of. */
export interface TasksDeps extends RunnerDeps {
  /** A long tool of this release. */
  readonly tool: (name: string) => Tool | undefined
  /** Hears of each use: where tasks are used, abandoned ones are to be looked for. */
  readonly onUse?: () => void
}

/** The tasks with those that this instance runs. */
interface Scene {
  readonly deps: TasksDeps
  readonly running: Map<string, AbortController>
}

const TASK_ID_BYTES = 16
const TASK_ID = /^[\w-]{22}$/
const KEPT_MS = TASK_MS + TASK_GRACE_MS

/** Makes them. Asks nothing of the store. */
export function createTasks(deps: TasksDeps): Tasks {
  const scene: Scene = { deps, running: new Map() }
  const known =
    <Rest extends unknown[], Answer>(act: (taskId: string, ...rest: Rest) => Promise<Answer>) =>
    async (taskId: string, ...rest: Rest): Promise<Answer | undefined> =>
      TASK_ID.test(taskId) ? act(taskId, ...rest) : undefined

  return {
    create(asking, task) {
      deps.onUse?.()
      return create(scene, asking, task)
    },
    get(asking, taskId) {
      deps.onUse?.()
      return known((id) => look(scene, asking, id))(taskId)
    },
    update: (asking, taskId, responses) => known((id) => update(scene, asking, { id, responses }))(taskId),
    cancel: (asking, taskId) => known((id) => cancel(scene, asking, id))(taskId),
    list: (accountId) => listTasks(accountId, deps),
    cleanUp: (waitUntil) => cleanUpTasks(deps, (taskId) => waitUntil(takeUp(scene, taskId))),
    drain: () => deps.leases.drain(),
  }
}

async function create(scene: Scene, asking: Asking, task: NewTask): Promise<Result<Task, NoTask>> {
  const { store, clock, random, leases } = scene.deps
  const { accountId } = asking.caller
  const input = JSON.stringify(task.args)
  if (input.length > TASK_INPUT_MAX_BYTES) return err('too_large')
  const { live, kept } = await countTasks(accountId, scene.deps)
  if (live >= TASKS_LIVE_PER_ACCOUNT || kept >= TASKS_KEPT_PER_ACCOUNT) return err('too_many')

  const now = clock()
  const taskId = random(TASK_ID_BYTES)
  const run = random(TASK_ID_BYTES)
  const record = newRecord(asking, task, { now, run })
  const text = JSON.stringify(record)
  // The record last: whoever finds it finds the rest.
  await store.batch(
    set(keys.taskInput(taskId), input, { ttlMs: KEPT_MS }),
    rank(keys.tasksOf(accountId), taskId, now, KEPT_MS),
    rank(keys.openTasks(), taskId, now, KEPT_MS),
    set(keys.taskLease(taskId), run, { ttlMs: leases.times.leaseMs }),
    set(keys.task(taskId), text, { ttlMs: KEPT_MS }),
  )
  // It reads the input as any other instance would.
  const job = { taskId, run, tool: task.tool, input: task.tool.input.parse(task.args), text, record }
  asking.afterResponse(runHere(scene, job))
  return ok({ taskId, record })
}

async function look(scene: Scene, asking: Asking, taskId: string): Promise<TaskRecord | undefined> {
  const { store, clock } = scene.deps
  const [text, holder] = await store.batch(
    get(keys.task(taskId), { fresh: true }),
    get(keys.taskLease(taskId), { fresh: true }),
  )
  const record = text === null ? undefined : theirs(asking, parseRecord(TaskRecord, text))
  const waits = (record?.notBefore ?? 0) > clock()
  if (record?.status === 'working' && holder === null && !waits) asking.afterResponse(takeUp(scene, taskId))
  return record
}

async function update(
  scene: Scene,
  asking: Asking,
  { id, responses }: { readonly id: string; readonly responses: InputResponses },
): Promise<TaskRecord | undefined> {
  const { store, clock } = scene.deps
  let resumed = false
  const record = await editRecord(store, { key: keys.task(id), schema: TaskRecord }, (current) => {
    const mine = current && theirs(asking, current)
    const next = mine && answered(mine, responses, clock())
    resumed = next?.status === 'working'
    return next ? { write: next, answer: next } : { leave: true as const, answer: mine }
  })
  if (record && resumed) {
    const reopened = store.run(rank(keys.openTasks(), id, record.createdAt, KEPT_MS)).catch(() => undefined)
    asking.afterResponse(reopened.then(() => takeUp(scene, id)))
  }
  return record
}

async function cancel(scene: Scene, asking: Asking, taskId: string): Promise<TaskRecord | undefined> {
  const { store, clock } = scene.deps
  let cancelled = false
  const record = await editRecord(store, { key: keys.task(taskId), schema: TaskRecord }, (current) => {
    const mine = current && theirs(asking, current)
    cancelled = mine !== undefined && !isTerminal(mine)
    if (!mine || isTerminal(mine)) return { leave: true as const, answer: mine }
    const now = clock()
    const next = ended(mine, { status: 'cancelled' }, { now, resultMs: TASK_RESULT_MS })
    return { write: next, answer: next, ttlMs: lifetimeOf(next, { now, graceMs: TASK_GRACE_MS }) }
  })
  if (record?.status === 'cancelled') {
    if (cancelled) noteEnd(record, scene.deps)
    scene.running.get(taskId)?.abort()
    // Without its lease the runner looks at the record, wherever it is.
    const told = store.run(del(keys.taskLease(taskId))).catch(() => undefined)
    asking.afterResponse(Promise.all([told, tidyUp(taskId, store)]))
  }
  return record
}

function theirs({ caller }: Asking, record: TaskRecord): TaskRecord | undefined {
  return record.accountId === caller.accountId && record.clientKey === caller.client.key ? record : undefined
}

/** Never rejects. */
async function runHere({ deps, running }: Scene, job: Job): Promise<void> {
  const cancelling = new AbortController()
  running.set(job.taskId, cancelling)
  await runTask(job, deps, cancelling)
  if (running.get(job.taskId) === cancelling) running.delete(job.taskId)
}

/** Never rejects. An attempt that fails costs nothing: whoever asks next makes another. */
async function takeUp(scene: Scene, taskId: string): Promise<void> {
  if (scene.deps.leases.draining) return
  const job = await adopt(taskId, scene.deps).catch(() => undefined)
  if (job) await runHere(scene, job)
}
