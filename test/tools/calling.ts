import type { z } from 'zod'
import { readAnswer } from '#lib/mcp/answer-schemas'
import type { Caller, Tool, ToolContext, ToolOutcome } from '#lib/mcp/define'
import type { AnswerTo, Asked, Question } from '#lib/mcp/question'
import type { Store } from '#lib/store/port'
import { claude, seeded } from '#test/notebook/instances'

/** How the app of a test answers a question. */
export type Answering = 'cannot ask' | 'declines' | 'leaves open' | Record<string, unknown>

export interface TestContext extends ToolContext {
  readonly asked: Question[]
  readonly keys: string[]
  readonly progressed: number[]
}

const random = seeded(7)

/** A context as the server gives it to a tool. */
export function contextOn(
  store: Store,
  how: { accountId?: string; client?: Caller['client']; answering?: Answering } = {},
): TestContext {
  const asked: Question[] = []
  const keys: string[] = []
  const progressed: number[] = []
  const answering = how.answering ?? 'cannot ask'
  return {
    asked,
    keys,
    progressed,
    caller: {
      accountId: how.accountId ?? 'account-1',
      client: how.client ?? claude,
      scopes: ['notes:read', 'notes:write'],
    },
    store,
    clock: () => Date.now(),
    random,
    signal: new AbortController().signal,
    progress: async (done) => void progressed.push(done),
    ask<const One extends Question>(key: string, question: One): Asked<AnswerTo<One>> {
      if (answering === 'cannot ask') return { state: 'unavailable' }
      asked.push(question)
      keys.push(key)
      if (answering === 'declines') return { state: 'declined' }
      if (answering === 'leaves open') {
        return { state: 'asking', pending: { kind: 'pending', questions: { [key]: question } } }
      }
      const answered = readAnswer(question, { action: 'accept', content: answering })
      if (!answered) throw new Error('the answer of the test does not fit the question')
      return answered
    },
  }
}

/** Calls a tool as the server does: input and result pass through its schemas. */
export async function call(
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
): Promise<ToolOutcome<z.ZodObject>> {
  const outcome = await tool.run(tool.input.parse(input), context)
  return outcome.kind === 'done' ? { ...outcome, structured: tool.output.parse(outcome.structured) } : outcome
}
