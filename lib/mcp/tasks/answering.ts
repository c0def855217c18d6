import { TASK_ANSWERS_MAX_BYTES } from '#lib/config/limits'
import type { TaskRecord } from '#lib/mcp/tasks/record'

/** Answers as a client sends them, by the name of the question on the wire. */
export type InputResponses = Readonly<Record<string, unknown>>

/**
 * The record with the answers to its open questions. Answers to others are ignored, be they answered before
 * or never asked (SEP-2663, "Task Update Requests"). With the last answer the task goes on.
 *
 * @returns `undefined` when nothing changed
 */
export function answered(record: TaskRecord, responses: InputResponses, now: number): TaskRecord | undefined {
  if (record.status !== 'input_required') return undefined
  const given = Object.entries(record.open).filter(([name]) => isObject(own(responses, name)))
  if (given.length === 0) return undefined

  const open = Object.fromEntries(
    Object.entries(record.open).filter(([name]) => !isObject(own(responses, name))),
  )
  const answers = { ...record.answers }
  for (const [name, { key }] of given) answers[key] = own(responses, name) as Record<string, unknown>
  if (JSON.stringify(answers).length > TASK_ANSWERS_MAX_BYTES) return undefined
  const status = Object.keys(open).length === 0 ? 'working' : 'input_required'
  return { ...record, open, answers, status, updatedAt: now }
}

const own = (responses: InputResponses, name: string): unknown =>
  Object.hasOwn(responses, name) ? responses[name] : undefined

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
