import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { TASK_POLL_MS } from '#lib/config/limits'
import type { TaskRecord } from '#lib/mcp/tasks/record'

/** The name of the extension (SEP-2663). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

const Declared = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    extensions: z.object({ [TASKS_EXTENSION]: z.record(z.string(), z.unknown()) }),
  }),
})

/** Whether the client of this very request knows tasks. `meta` is the `_meta` of a 2026-07-28 request. */
export const declaresTasks = (meta: unknown): boolean => Declared.safeParse(meta).success

/** The same of a request that a handler serves. */
export const knowsTasks = ({ mcpReq }: ServerContext): boolean => declaresTasks(mcpReq.envelope)

/** -32021: what was asked for needs a client that knows tasks. */
export const tasksRequired = () =>
  new MissingRequiredClientCapabilityError({
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  })

/** `Task`: what every answer about a task says. */
export function taskOf(taskId: string, record: TaskRecord) {
  return {
    taskId,
    status: record.status,
    ...(record.message === undefined ? {} : { statusMessage: record.message }),
    createdAt: new Date(record.createdAt).toISOString(),
    lastUpdatedAt: new Date(record.updatedAt).toISOString(),
    ttlMs: record.ttlMs,
    pollIntervalMs: TASK_POLL_MS,
  }
}

/** `DetailedTask`: a task with what its status adds. */
export function detailedTaskOf(taskId: string, record: TaskRecord) {
  const task = taskOf(taskId, record)
  switch (record.status) {
    case 'input_required': {
      const requests = Object.entries(record.open).map(([name, { request }]) => [name, request] as const)
      return { ...task, inputRequests: Object.fromEntries(requests) }
    }
    case 'completed':
      return { ...task, result: record.result }
    case 'failed':
      return { ...task, error: record.error }
    default:
      return task
  }
}
