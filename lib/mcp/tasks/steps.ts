import { TASK_RESULT_MAX_BYTES, TASK_STATE_MAX_BYTES } from '#lib/config/limits'
import { requestOf } from '#lib/mcp/answers'
import type { Caller, Next, Step } from '#lib/mcp/define'
import { report } from '#lib/mcp/faults'
import type { Pending } from '#lib/mcp/question'
import type { Ending, TaskRecord } from '#lib/mcp/tasks/record'
import type { Job, RunnerDeps } from '#lib/mcp/tasks/runner'
import { stepContext } from '#lib/mcp/tasks/step-context'
import { failure, resultOf } from '#lib/mcp/tool-result'

/** JSON-RPC: something of ours went wrong, or was lost. */
const INTERNAL_ERROR = -32603

/** What came of a step: the next one, a question, or the end. */
export type Taken = Next | Pending | { readonly kind: 'end'; readonly ending: Ending }

/** The end of a task that has no result. The text may be shown to the person and to the model. */
export const failed = (message: string): Extract<Ending, { status: 'failed' }> => ({
  status: 'failed',
  error: { code: INTERNAL_ERROR, message },
})

/** Why a task is not gone on with after its runner stopped within a step. */
export const lostWithin = ({ message }: TaskRecord) =>
  failed(
    'The server stopped in the middle of this task. It is not known whether its last step changed anything, ' +
      `so it was not repeated: look before you try again.${message === undefined ? '' : ` Last known: ${message}`}`,
  )

/** Runs one step and judges what it gives. Never rejects; resolves early when `signal` aborts. */
export async function takeStep(
  record: TaskRecord,
  {
    job: { tool, input },
    deps,
    caller,
    signal,
  }: {
    readonly job: Pick<Job, 'tool' | 'input'>
    readonly deps: RunnerDeps
    readonly caller: Caller
    readonly signal: AbortSignal
  },
): Promise<Taken> {
  const { long } = tool
  const state = long?.state.safeParse(record.state)
  if (!long || !state?.success) {
    return end(
      failed('This task was begun by another release of the server, which this one cannot go on with.'),
    )
  }
  try {
    const context = stepContext(record, { deps, caller, signal })
    const step = await unlessAborted(long.step(state.data, input, context), signal)
    return judged(step, tool)
  } catch (error) {
    const about = { exchange: { requestId: record.requestId }, deps }
    return end(failed(signal.aborted ? 'Cancelled.' : report(error, tool.name, about)))
  }
}

function judged(step: Step, tool: Job['tool']): Taken {
  switch (step.kind) {
    case 'pending':
      return step
    case 'next':
      return checked(step)
    default: {
      const result = resultOf(tool, step)
      const size = JSON.stringify(result).length
      if (size <= TASK_RESULT_MAX_BYTES) return end({ status: 'completed', result })
      const text = `This was done, but its result has ${size} characters and cannot be kept. Ask for less at once.`
      return end({ status: 'completed', result: failure(text) })
    }
  }
}

/** @throws when the state cannot be kept: a fault of the tool */
export function checked(step: Next): Next {
  const text = JSON.stringify(step.state)
  if (text !== undefined && text.length <= TASK_STATE_MAX_BYTES) return { ...step, state: JSON.parse(text) }
  throw new Error('the state of a long tool is not JSON, or too large')
}

const end = (ending: Ending): Taken => ({ kind: 'end', ending })

/** A step that does not listen goes on for nobody; its runner does not wait. */
function unlessAborted<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('the task was cancelled'))
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** The record after a step that has a next one. */
export function afterNext(record: TaskRecord, next: Next, now: number): TaskRecord {
  const { notBefore: _notBefore, ...rest } = record
  const message = messageOf(next)
  return {
    ...rest,
    state: next.state,
    steps: record.steps + 1,
    tries: 0,
    begun: false,
    updatedAt: now,
    ...(message === undefined ? {} : { message }),
    ...(next.afterMs === undefined ? {} : { notBefore: now + next.afterMs }),
  }
}

/** What a person reads while a task runs: the tool's words, else how far it is. */
export function messageOf({ message, progress }: Next): string | undefined {
  if (message !== undefined || progress === undefined) return message
  return progress.total === undefined ? `${progress.done} done` : `${progress.done} of ${progress.total}`
}

/** The record while its questions are out. A question that is asked again is a new one on the wire. */
export function afterQuestions(
  record: TaskRecord,
  { questions }: Pending,
  { clock, random }: Pick<RunnerDeps, 'clock' | 'random'>,
): TaskRecord {
  const open: TaskRecord['open'] = {}
  const asked = { ...record.asked }
  for (const [key, question] of Object.entries(questions)) {
    const times = (asked[key] ?? 0) + 1
    asked[key] = times
    open[times === 1 ? key : `${key}~${times}`] = { key, request: requestOf(question, 'modern', random) }
  }
  return {
    ...record,
    status: 'input_required',
    open,
    asked,
    begun: false,
    tries: 0,
    updatedAt: clock(),
  }
}
