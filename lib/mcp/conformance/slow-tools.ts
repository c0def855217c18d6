import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import { readAnswers } from '#lib/mcp/answers'
import { text } from '#lib/mcp/conformance/samples'
import { frozen } from '#lib/mcp/schema'
import type { ServerExchange } from '#lib/mcp/server-exchange'
import type { Log } from '#lib/observability/log'

/** What the fixture needs besides the exchange. */
export interface FixtureDeps {
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/** What a step says of itself: to the client, and to the log of its instance, which outlives the instance. */
interface Step {
  /** Chosen by the caller: names the call. */
  readonly mark: string
  /** Names this run of the call: one that is run again has another. */
  readonly run: string
  readonly n: number
  /** When it was said, ms. */
  readonly at: number
}

const steps = frozen(
  z.object({ mark: z.string(), count: z.int().min(1).max(1000), everyMs: z.int().min(0).max(10_000) }),
  'input',
)
const notify = frozen(
  z.object({
    mark: z.string(),
    from: z.int().min(1),
    count: z.int().min(1).max(1000),
    everyMs: z.int().min(0).max(10_000),
    /** Updates of `test://tick/{n % uris}` instead of messages of this session. */
    uris: z.int().min(1).max(100).optional(),
  }),
  'input',
)
const ask = frozen(
  z.object({ mark: z.string(), rounds: z.int().min(1).max(8), everyMs: z.int().min(0).max(10_000) }),
  'input',
)

/** Steps before the first question and between two. */
const STEPS_A_ROUND = 2
const Answer = z.object({ answer: z.string() })

/**
 * Tools that take their time and number what they say, so that a test can tell what was lost, said twice or
 * out of order while instances come and go. What is said stands in the log of the instance as well.
 */
export function registerSlowTools(server: McpServer, exchange: ServerExchange, deps: FixtureDeps): void {
  function stepOf(mark: string, n: number): Step {
    const step = { mark, run: exchange.requestId, n, at: deps.clock() }
    deps.log('info', 'fixture_step', { ...step })
    return step
  }

  async function walk({ mark, from = 1, count, everyMs }: Walk, context: ServerContext) {
    for (let n = from; n < from + count; n++) {
      if (!(await wait(everyMs, context.mcpReq.signal))) return text('Cancelled.')
      await say(context, stepOf(mark, n))
    }
    return text(`${mark}: ${count}`)
  }

  server.registerTool('gatehouse_steps', { description: 'Counts, slowly', inputSchema: steps }, walk)
  server.registerTool(
    'gatehouse_steps_again',
    {
      description: 'Counts, slowly, and may be run again',
      inputSchema: steps,
      annotations: { readOnlyHint: true },
    },
    walk,
  )

  server.registerTool(
    'gatehouse_ask',
    { description: 'Asks the person, in several rounds', inputSchema: ask },
    async ({ mark, rounds, everyMs }, context): Promise<InputRequiredResult | CallToolResult> => {
      const answers = readAnswers(context, exchange, deps.random)
      const heard: string[] = []
      for (let round = 1; round <= rounds; round++) {
        const asked = answers.ask(`q${round}`, { message: `${mark}: ${round}`, schema: Answer })
        if (asked.state === 'asking') {
          await walk({ mark, from: (round - 1) * STEPS_A_ROUND + 1, count: STEPS_A_ROUND, everyMs }, context)
          return answers.request(asked.pending, text('Parked.'))
        }
        if (asked.state === 'unavailable') return text('Nobody can be asked.')
        heard.push(asked.state === 'accepted' ? asked.content.answer : 'declined')
      }
      return text(`${mark}: ${heard.join(', ')}`)
    },
  )

  server.registerTool(
    'gatehouse_notify',
    { description: 'Tells numbered changes to the open stream', inputSchema: notify },
    async ({ mark, from, count, everyMs, uris }, context) => {
      for (let n = from; n < from + count; n++) {
        const data = stepOf(mark, n)
        if (uris !== undefined) exchange.publish({ kind: 'resource_updated', uri: `test://tick/${n % uris}` })
        // About no request in particular: it belongs on the session's own stream.
        else
          await server.server.notification({
            method: 'notifications/message',
            params: { level: 'info', data },
          })
        if (n + 1 < from + count) await wait(everyMs, context.mcpReq.signal)
      }
      return text(`${mark}: ${from} to ${from + count - 1}`)
    },
  )
}

interface Walk {
  readonly mark: string
  readonly from?: number
  readonly count: number
  readonly everyMs: number
}

/** As progress where that was asked for, else as a log message. */
async function say({ mcpReq }: ServerContext, step: Step): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken
  await (progressToken === undefined
    ? mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: step } })
    : mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: step.n, message: JSON.stringify(step) },
      }))
}

/** False when the call was cancelled meanwhile. */
function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(true), ms)
    const cancelled = () => finish(false)
    function finish(goesOn: boolean): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancelled)
      resolve(goesOn)
    }
    signal.addEventListener('abort', cancelled)
  })
}
