import type { CallToolResult, InputRequest } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { parseRecord } from '#lib/store/record'

/** A question that is out, by its name on the wire. */
const Open = z.looseObject({
  /** Its name within the tool. */
  key: z.string(),
  request: z.custom<InputRequest>((value) => typeof value === 'object' && value !== null),
})

/** A tool call that runs on its own. Written by one runner at a time; questions, answers and ends by anyone. */
export const TaskRecord = z.looseObject({
  v: z.literal(1),
  accountId: z.string(),
  clientKey: z.string(),
  tool: z.string(),
  /** By what right it acts: ids of a connection, never a token. Asked again before each step. */
  authority: z.string(),
  /** What its client said it can be asked. */
  capabilities: z.record(z.string(), z.unknown()),
  /** Of the call that made it: stands in the log. */
  requestId: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** From `createdAt`, as the client was told. */
  ttlMs: z.number(),
  status: z.enum(['working', 'input_required', 'completed', 'failed', 'cancelled']),
  message: z.string().optional(),
  /** The runner that may write; another one's writes lose their compare. */
  run: z.string(),
  /** How often the step was begun without an end. */
  tries: z.number(),
  /** A step that may change something has begun and is not saved. */
  begun: z.boolean(),
  /** Steps that were saved. */
  steps: z.number(),
  /** ms */
  notBefore: z.number().optional(),
  state: z.unknown().optional(),
  open: z.record(z.string(), Open),
  /** How often each question was asked: a name on the wire is used once in the life of a task. */
  asked: z.record(z.string(), z.number()),
  answers: z.record(z.string(), z.record(z.string(), z.unknown())),
  result: z.custom<CallToolResult>((value) => typeof value === 'object').optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
})
export type TaskRecord = z.output<typeof TaskRecord>

/** A record among others, as it stands in the store: one that does not parse is nothing to the rest. */
export function readableTask(text: string | null): TaskRecord | undefined {
  try {
    return text === null ? undefined : parseRecord(TaskRecord, text)
  } catch {
    return undefined
  }
}

/** How a task ends. */
export type Ending =
  | { readonly status: 'completed'; readonly result: CallToolResult }
  | {
      readonly status: 'failed'
      readonly error: { readonly code: number; readonly message: string }
    }
  | { readonly status: 'cancelled' }

/** Whether nothing will change any more. */
export const isTerminal = ({ status }: Pick<TaskRecord, 'status'>): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled'

/**
 * The record of a task that has ended: what only its steps needed is gone.
 *
 * @param resultMs - how long it is kept at least from now on
 */
export function ended(
  record: TaskRecord,
  ending: Ending,
  { now, resultMs }: { readonly now: number; readonly resultMs: number },
): TaskRecord {
  const { state: _state, notBefore: _notBefore, ...rest } = record
  return {
    ...rest,
    ...ending,
    ...(ending.status === 'failed' ? { message: ending.error.message } : {}),
    updatedAt: now,
    begun: false,
    open: {},
    answers: {},
    ttlMs: Math.max(record.ttlMs, now - record.createdAt + resultMs),
  }
}

/** When the store may forget it, from now, in ms. */
export const lifetimeOf = (
  { createdAt, ttlMs }: Pick<TaskRecord, 'createdAt' | 'ttlMs'>,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): number => Math.max(1, createdAt + ttlMs + graceMs - now)
