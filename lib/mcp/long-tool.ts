import type { z } from 'zod'
import { sleep } from '#lib/core/sleep'
import type { LongRun, Step, Tool, ToolContext, ToolOutcome } from '#lib/mcp/define'

/**
 * A tool that may run for long. `begin` looks at the input and gives the first state; `step` is run with it,
 * again and again, until it ends. What a step gives is saved before the next one begins, so that the work goes
 * on elsewhere when an instance stops: keep steps short, and put all that the next one needs into the state.
 *
 * - Where the app knows tasks it gets a task at once, and asks from time to time how it is going.
 * - Where it does not, the steps run within the call; nothing else is different.
 * - A step that was stopped in the middle is run again if `annotations.readOnlyHint`; else the task fails and
 *   says so, because nobody knows what the step did.
 * - A step that asks (`context.ask`, return `pending`) is run again with the same state and the answer, so
 *   it asks before it changes anything. `begin` is run within the call, and again after each answer: it
 *   changes nothing unless it ends the work itself.
 */
export interface LongTool<Input extends z.ZodObject, Output extends z.ZodObject, State extends z.ZodType>
  extends Omit<Tool<Input, Output>, 'run' | 'long' | 'once'> {
  /** `required`: the work is too long for a call, so an app that knows no tasks is refused. */
  readonly tasks: 'optional' | 'required'
  /** JSON. Old and new releases run side by side: add members before you use them. */
  readonly state: State
  begin(input: z.output<Input>, context: ToolContext): Promise<Step<Output, z.input<State>>>
  step(
    state: z.output<State>,
    input: z.output<Input>,
    context: ToolContext,
  ): Promise<Step<Output, z.input<State>>>
}

/** Types a long tool by its schemas. */
export function defineLongTool<
  Input extends z.ZodObject,
  Output extends z.ZodObject,
  State extends z.ZodType,
>({ tasks, state, begin, step, ...tool }: LongTool<Input, Output, State>): Tool {
  // Its own schemas have parsed whatever its functions are given.
  const functions = { begin, step } as unknown as Pick<LongRun, 'begin' | 'step'>
  const long: LongRun = {
    tasks,
    state,
    ...functions,
    finish: (first, input, context) => finish({ state, ...functions }, first, { input, context }),
  }
  const run = async (input: Readonly<Record<string, unknown>>, context: ToolContext) => {
    const { saved } = context
    const first =
      saved === undefined
        ? await long.begin(input, context)
        : await takeStep({ state, ...functions }, saved, { input, context })
    return long.finish(first, input, context)
  }
  return { ...tool, once: tool.annotations.readOnlyHint !== true, long, run } as unknown as Tool
}

type Steps = Pick<LongRun, 'state' | 'begin' | 'step'>

interface Call {
  readonly input: Readonly<Record<string, unknown>>
  readonly context: ToolContext
}

async function finish(long: Steps, first: Step, call: Call): Promise<ToolOutcome<z.ZodObject>> {
  const { signal, progress } = call.context
  let step = first
  while (step.kind === 'next') {
    if (step.progress) await progress(step.progress.done, step.progress.total, step.message)
    await sleep(step.afterMs ?? 0, signal)
    // Nobody waits for what comes now; what is done stays done.
    if (signal.aborted) throw new Error('the caller left between two steps')
    step = await takeStep(long, step.state, call)
  }
  return step
}

/** A state passes through JSON and its schema also where it is not stored, so that both ways are one. */
async function takeStep(long: Steps, saved: unknown, { input, context }: Call): Promise<Step> {
  const state = JSON.parse(JSON.stringify(saved))
  const step = await long.step(long.state.parse(state), input, context)
  return step.kind === 'pending' ? { ...step, saved: state } : step
}
