import { McpServer } from '@modelcontextprotocol/server'
import type { SkillCatalog } from '@modelcontextprotocol/server/ext/skills'
import { LIST_CACHE_MS } from '#lib/config/limits'
import { registerAskingTools } from '#lib/mcp/conformance/asking-tools'
import { registerContentTools, registerSpeakingTools } from '#lib/mcp/conformance/content-tools'
import { registerPrompts } from '#lib/mcp/conformance/prompts'
import { registerResources } from '#lib/mcp/conformance/resources'
import { registerSessionTools } from '#lib/mcp/conformance/session-tools'
import { type FixtureDeps, registerSlowTools } from '#lib/mcp/conformance/slow-tools'
import { prepareTaskTools, registerTaskTools } from '#lib/mcp/conformance/task-tools'
import type { ScopeGuard } from '#lib/mcp/scope-guard'
import type { ServerFactory } from '#lib/mcp/server'
import { TASKS_EXTENSION } from '#lib/mcp/tasks/wire'
import { textMember } from '#lib/mcp/text-member'
import { verifyState } from '#lib/mcp/verify-state'
import type { Store } from '#lib/store/port'

const hint = { ttlMs: LIST_CACHE_MS, cacheScope: 'private' as const }
const cacheHints = {
  'server/discover': hint,
  'tools/list': hint,
  'prompts/list': hint,
  'resources/list': hint,
  'resources/templates/list': hint,
  'resources/read': hint,
}

/** What the fixture is made of. Without a store it has no tasks. */
interface FactoryDeps extends FixtureDeps {
  readonly store?: Store
  readonly skills?: SkillCatalog
}

/** Scopes are not what the suite is about. */
const anyScope: ScopeGuard = { allows: () => true, challenge: (_, needed) => [needed] }

/** Tools that are run again when their instance was lost. */
const READ_ONLY = new Set(['gatehouse_steps_again'])

/**
 * Makes the servers that the official conformance suite expects, behind the production endpoint: what is
 * tested is our transport, authorization and origin code, not a copy of it (`GATEHOUSE_CONFORMANCE`).
 */
export function createConformanceFactory(deps: FactoryDeps): ServerFactory {
  const taskTools = deps.store ? prepareTaskTools() : []
  const schemas = new McpServer({ name: 'schemas', version: '1' })
  registerContentTools(schemas)

  return {
    inputSchema: (name) => schemas.toolInputSchemaJson(name),
    longTool: (name) => taskTools.find(({ tool }) => tool.name === name && tool.long)?.tool,
    pushes: true,
    repeatable: ({ method, params }) => method !== 'tools/call' || READ_ONLY.has(textMember(params, 'name')),

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
            ...(exchange.tasks ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
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
      if (deps.store && !legacy) {
        registerTaskTools(server, taskTools, {
          exchange,
          deps: { ...deps, store: deps.store, scopes: anyScope },
        })
        deps.skills?.attach(server)
      }
      registerPrompts(server)
      registerResources(server, exchange)
      return server
    },
  }
}
