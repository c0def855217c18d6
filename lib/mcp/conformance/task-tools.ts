import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Serving } from '#lib/mcp/context'
import { defineTool, type Tool } from '#lib/mcp/define'
import { defineLongTool } from '#lib/mcp/long-tool'
import { together } from '#lib/mcp/question'
import { registerTaskMethod } from '#lib/mcp/serve-tasks'
import { type PreparedTool, prepareTool, registerTool } from '#lib/mcp/serve-tools'

const SCOPE = 'notes:read'
const Nothing = z.object({})
const SECOND_MS = 1000

const done = (text: string) => ({ kind: 'done' as const, text, structured: {} })
const say = (name: string, description: string) => ({
  name,
  title: name,
  description,
  scope: SCOPE,
  output: Nothing,
})

const greet = defineTool({
  ...say('greet', 'Says hello at once'),
  annotations: { readOnlyHint: true },
  input: z.object({ name: z.string() }),
  run: async ({ name }) => done(`Hello, ${name}!`),
})

const slowCompute = defineLongTool({
  ...say('slow_compute', 'Takes so many seconds'),
  annotations: { readOnlyHint: true },
  tasks: 'optional',
  input: z.object({ seconds: z.number().min(0).max(3600), label: z.string().default('') }),
  state: z.object({ leftMs: z.number() }),
  begin: async ({ seconds, label }) =>
    seconds > 0 ? wait(seconds * SECOND_MS) : done(`${label}: done at once`),
  step: async ({ leftMs }, { label }) => (leftMs > 0 ? wait(leftMs) : done(`${label}: done`)),
})

/** A second at a time, so that a person sees it go on. */
function wait(leftMs: number) {
  const afterMs = Math.min(leftMs, SECOND_MS)
  const message = `${Math.ceil(leftMs / SECOND_MS)} seconds left`
  return { kind: 'next' as const, state: { leftMs: leftMs - afterMs }, afterMs, message }
}

const failingJob = defineLongTool({
  ...say('failing_job', 'Fails after a second'),
  annotations: {},
  tasks: 'required',
  input: Nothing,
  state: Nothing,
  begin: async () => ({ kind: 'next', state: {}, afterMs: SECOND_MS }),
  step: async () => ({ kind: 'failed', text: 'This job always fails.' }),
})

const protocolErrorJob = defineLongTool({
  ...say('protocol_error_job', 'Breaks'),
  annotations: {},
  tasks: 'optional',
  input: Nothing,
  state: Nothing,
  begin: async () => ({ kind: 'next', state: {} }),
  step: async () => {
    throw new Error('this job always breaks')
  },
})

const Confirmed = z.object({ confirm: z.boolean() })

const confirmDelete = defineLongTool({
  ...say('confirm_delete', 'Asks before it goes on'),
  annotations: { destructiveHint: true },
  tasks: 'optional',
  input: z.object({ filename: z.string() }),
  state: Nothing,
  begin: async () => ({ kind: 'next', state: {} }),
  step: async (_state, { filename }, { ask }) => {
    const asked = ask('confirm', { message: `Delete ${filename}?`, schema: Confirmed })
    if (asked.state === 'asking') return asked.pending
    return done(asked.state === 'accepted' && asked.content.confirm ? `Deleted ${filename}` : 'Kept')
  },
})

const Answer = z.object({ name: z.string(), confirm: z.boolean() })

const multiInput = defineLongTool({
  ...say('multi_input', 'Asks two things at once'),
  annotations: {},
  tasks: 'optional',
  input: Nothing,
  state: Nothing,
  begin: async () => ({ kind: 'next', state: {} }),
  step: async (_state, _input, { ask }) => {
    const asked = together({
      first: ask('first', { message: 'The first?', schema: Answer }),
      second: ask('second', { message: 'The second?', schema: Answer }),
    })
    return asked.state === 'asking' ? asked.pending : done('Both were answered.')
  },
})

const toolWithTask = defineLongTool({
  ...say('test_tool_with_task', 'Asks a name, then takes its time'),
  annotations: { readOnlyHint: true },
  tasks: 'required',
  input: Nothing,
  state: z.object({ name: z.string() }),
  begin: async (_input, { ask }) => {
    const asked = ask('user_name', { message: 'What is your name?', schema: z.object({ name: z.string() }) })
    if (asked.state === 'asking') return asked.pending
    const name = asked.state === 'accepted' ? asked.content.name : 'nobody'
    return { kind: 'next', state: { name } }
  },
  step: async ({ name }) => done(`Hello, ${name}!`),
})

const tools: readonly Tool[] = [
  greet,
  slowCompute,
  failingJob,
  protocolErrorJob,
  confirmDelete,
  multiInput,
  toolWithTask,
]

/** The tools of the fixture that show the tasks extension. Cheap to serve, not to make: once a process. */
export const prepareTaskTools = (): readonly PreparedTool[] => tools.map(prepareTool)

/** Tools and methods of the tasks extension, served as those of the product are. */
export function registerTaskTools(
  server: McpServer,
  prepared: readonly PreparedTool[],
  serving: Serving,
): void {
  for (const tool of prepared) registerTool(server, tool, serving)
  if (!serving.exchange.tasks) return
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'] as const) {
    registerTaskMethod(server, method, serving)
  }
}
