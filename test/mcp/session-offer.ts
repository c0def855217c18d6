import { z } from 'zod'
import type { Clock } from '#lib/core/clock'
import { systemRandom } from '#lib/core/random'
import { createConformanceFactory } from '#lib/mcp/conformance/factory'
import { text } from '#lib/mcp/conformance/samples'
import { frozen } from '#lib/mcp/schema'
import type { ServerFactory } from '#lib/mcp/server'

const Change = frozen(z.object({ uri: z.string().optional() }), 'input')

/** A step that a slow tool of the fixture made, as the log of its instance has it. */
export interface Step {
  readonly mark: string
  readonly n: number
}

/** The fixture of the official suite, with tools for what the suite does not look at. */
export function sessionFactory(clock: Clock): {
  readonly factory: ServerFactory
  readonly steps: readonly Step[]
} {
  const steps: Step[] = []
  const base = createConformanceFactory({
    clock,
    random: systemRandom,
    log: (_level, event, fields) => {
      if (event === 'fixture_step') steps.push(fields as unknown as Step)
    },
  })
  const factory: ServerFactory = {
    ...base,
    create(exchange) {
      const server = base.create(exchange)
      server.registerTool(
        'impatient',
        { description: 'Asks, and does not wait long' },
        async ({ mcpReq }) => {
          const requestedSchema = { type: 'object' as const, properties: {} }
          await mcpReq.elicitInput({ message: 'Anybody?', requestedSchema }, { timeout: 300 })
          return text('Answered.')
        },
      )
      server.registerTool('change', { description: 'Changes', inputSchema: Change }, ({ uri }) => {
        exchange.publish(
          uri === undefined ? { kind: 'resources_list_changed' } : { kind: 'resource_updated', uri },
        )
        return text('Changed.')
      })
      return server
    },
  }
  return { factory, steps }
}
