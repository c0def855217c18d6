import type { ServerEvent } from '@modelcontextprotocol/server'
import { TASK_NAP_MAX_MS, TASK_NAP_TURN_MS, TASK_RESULT_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { Caller, Next, Tool } from '#lib/mcp/define'
import type { Pending } from '#lib/mcp/question'
import type { ScopeGuard } from '#lib/mcp/scope-guard'
import { type HeldTask, holdTask, insist } from '#lib/mcp/tasks/held'
import type { Leases } from '#lib/mcp/tasks/leases'
import { type Ending, ended, type TaskRecord } from '#lib/mcp/tasks/record'
import { afterNext, afterQuestions, failed, takeStep } from '#lib/mcp/tasks/steps'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { del, unrank } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** What running tasks needs. Connections are somebody else's: they come in as functions. */
export interface RunnerDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly scopes: ScopeGuard
  readonly leases: Leases
  /** Whom a task acts for; `undefined` when the connection behind it has ended. Asked before each step. */
  readonly standing: (authority: string) => Promise<Caller | undefined>
  readonly publish: (accountId: string, event: ServerEvent) => void
  /** On platforms that bill time, and stop a function: a task is handed over after this. */
  readonly runMaxMs?: number | undefined
}

/** A task that this instance is to run. */
export interface Job {
  readonly taskId: string
  /** Names this run: the value of the lease, and of `run` in the record. */
  readonly run: string
  readonly tool: Tool
  readonly input: Readonly<Record<string, unknown>>
  /** The record as it stands in the store. */
  readonly text: string
  readonly record: TaskRecord
}

/** One job with everything that it is done with. */
interface Work {
  readonly job: Job
  readonly deps: RunnerDeps
  readonly task: HeldTask
}

/** Runs the steps of a task until it ends, asks, is cancelled, or has to be let go of. Never rejects. */
export async function runTask(job: Job, deps: RunnerDeps, cancel: AbortController): Promise<void> {
  const task = holdTask(job, deps, cancel)
  try {
    await go({ job, deps, task })
  } catch (error) {
    // What is not saved is not done: the lease ends, and whoever takes the task up decides by its record.
    deps.log('error', 'task_abandoned', {
      requestId: job.record.requestId,
      tool: job.tool.name,
      error: error instanceof Error ? error.name : 'unknown',
    })
  } finally {
    task.stop()
  }
}

async function go(work: Work): Promise<void> {
  let caller: Caller | undefined
  while (!work.task.gone) {
    caller ??= await begin(work)
    if (!caller) return
    const next = await act(work, caller)
    if (next === 'stop') return
    caller = next === 'later' ? undefined : next
  }
}

/** Waits for the time of the next step. @returns for whom it is; `undefined` when this instance stops here */
async function begin(work: Work): Promise<Caller | undefined> {
  const { task } = work
  if (!(await due(work))) {
    if (!task.gone) await task.letGo()
    return undefined
  }
  task.enter()
  const caller = await actor(work)
  if (!caller) {
    await end(work, failed('The connection that began this task has ended, or may no longer do this.'))
    return undefined
  }
  const { record } = task
  return readOnly(work) || (await task.save({ ...record, begun: true }, 'keep')) ? caller : undefined
}

/** Waits until the next step may begin. @returns whether this instance goes on with it */
async function due({ deps, task }: Work): Promise<boolean> {
  const leftMs = () => (task.record.notBefore ?? 0) - deps.clock()
  while (leftMs() > 0 && !task.gone && !task.leaving) {
    if (leftMs() > TASK_NAP_MAX_MS && deps.runMaxMs !== undefined) return false
    await task.nap(Math.min(leftMs(), TASK_NAP_TURN_MS))
  }
  return !task.gone && !task.leaving
}

/** Runs one step. @returns for whom the next one follows at once */
async function act(work: Work, caller: Caller): Promise<Caller | 'later' | 'stop'> {
  const { job, deps, task } = work
  const step = await takeStep(task.record, { job, deps, caller, signal: task.signal })
  if (task.gone) return 'stop'
  switch (step.kind) {
    case 'next':
      return goOn(work, step)
    case 'pending':
      await ask(work, step)
      return 'stop'
    default:
      await end(work, step.ending)
      return 'stop'
  }
}

async function goOn(work: Work, next: Next): Promise<Caller | 'later' | 'stop'> {
  const { deps, task } = work
  const after = afterNext(task.record, next, deps.clock())
  if (task.leaving) {
    await task.save(after, 'release')
    return 'stop'
  }
  if (next.afterMs) {
    await task.save(after, 'keep')
    task.leave()
    return 'later'
  }
  const caller = await actor(work)
  // One write for the end of a step and the beginning of the next.
  await task.save({ ...after, begun: caller !== undefined && !readOnly(work) }, 'keep')
  return caller ?? 'later'
}

/** Nobody waits for a person: the answer brings the task to some instance. */
async function ask({ job, deps, task }: Work, pending: Pending): Promise<void> {
  if (!(await task.save(afterQuestions(task.record, pending, deps), 'release'))) return
  await deps.store.run(unrank(keys.openTasks(), job.taskId)).catch(() => undefined)
}

async function end({ job, deps, task }: Work, ending: Ending): Promise<void> {
  const now = deps.clock()
  const { record } = task
  if (!(await task.save(ended(record, ending, { now, resultMs: TASK_RESULT_MS }), 'release'))) return
  noteEnd(task.record, deps)
  await tidyUp(job.taskId, deps.store)
}

/** Writes down how a task ended, whoever ended it. */
export function noteEnd(record: TaskRecord, { log }: Pick<RunnerDeps, 'log'>): void {
  log('info', 'task_ended', {
    requestId: record.requestId,
    tool: record.tool,
    clientKey: record.clientKey,
    outcome: record.status,
    steps: record.steps,
    ms: record.updatedAt - record.createdAt,
  })
}

/** Whom the task acts for now: its connection may have ended, or lost a scope, since the last step. */
async function actor({ job, deps, task }: Work): Promise<Caller | undefined> {
  const { authority, clientKey } = task.record
  const caller = await insist(deps, () => deps.standing(authority))
  const stands = caller?.client.key === clientKey && deps.scopes.allows(caller.scopes, job.tool.scope)
  return stands ? caller : undefined
}

const readOnly = ({ job }: Work) => job.tool.annotations.readOnlyHint === true

/** Forgets what only a running task needs. A lost attempt costs nothing: everything has a lifetime. */
export async function tidyUp(taskId: string, store: Store): Promise<void> {
  await store.batch(unrank(keys.openTasks(), taskId), del(keys.taskInput(taskId))).catch(() => undefined)
}
