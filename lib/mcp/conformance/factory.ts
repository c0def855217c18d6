import { McpServer } from '@modelcontextprotocol/server'
import { LIST_CACHE_MS } from '#lib/config/limits'
import { registerAskingTools } from '#lib/mcp/conformance/asking-tools'
import { registerContentTools, registerSpeakingTools } from '#lib/mcp/conformance/content-tools'
import { registerPrompts } from '#lib/mcp/conformance/prompts'
import { registerResources } from '#lib/mcp/conformance/resources'
import { registerSessionTools } from '#lib/mcp/conformance/session-tools'
import { type FixtureDeps, registerSlowTools } from '#lib/mcp/conformance/slow-tools'
import type { ServerFactory } from '#lib/mcp/server'
import { verifyState } from '#lib/mcp/verify-state'

const hint = { ttlMs: LIST_CACHE_MS, cacheScope: 'private' as const }
const cacheHints = {
  'server/discover': hint,
  'tools/list': hint,
  'prompts/list': hint,
  'resources/list': hint,
  'resources/templates/list': hint,
  'resources/read': hint,
}

/**
 * Makes the servers that the official conformance suite expects, behind the production endpoint: what is
 * tested is our transport, authorization and origin code, not a copy of it (`GATEHOUSE_CONFORMANCE`).
 */
export function createConformanceFactory(deps: FixtureDeps): ServerFactory {
  const schemas = new McpServer({ name: 'schemas', version: '1' })
  registerContentTools(schemas)

  return {
    inputSchema: (name) => schemas.toolInputSchemaJson(name),

    create(exchange) {
      const legacy = exchange.era === 'legacy'
      const server = new McpServer(
        { name: 'gatehouse-conformance', version: '1.0.0' },
        {
          capabilities: {
            tools: { listChanged: true },
            prompts: { listChanged: true },
            resources: { listChanged: true, subscribe: true },
            completions: {},
            logging: {},
          },
          cacheHints,
          ...verifyState(exchange),
        },
      )
      registerContentTools(server)
      registerSpeakingTools(server, exchange)
      registerSlowTools(server, exchange, deps)
      if (legacy) registerSessionTools(server)
      else registerAskingTools(server, exchange)
      registerPrompts(server)
      registerResources(server, exchange)
      return server
    },
  }
}
