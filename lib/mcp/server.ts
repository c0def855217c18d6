import {
  type JSONRPCRequest,
  McpServer,
  type McpServerOptions,
  ProtocolError,
  type ServerCapabilities,
} from '@modelcontextprotocol/server'
import { INSTRUCTIONS_MAX_LENGTH, LIST_CACHE_MS, RESOURCE_CACHE_MS } from '#lib/config/limits'
import { type Serving, type ServingDeps, toolContext } from '#lib/mcp/context'
import type { Offer, Tool } from '#lib/mcp/define'
import { guarded } from '#lib/mcp/faults'
import { INVALID_PARAMS } from '#lib/mcp/rpc-error'
import { createScopeGuard, type GuardedScope } from '#lib/mcp/scope-guard'
import { complete } from '#lib/mcp/serve-completion'
import { preparePrompt, registerPrompt } from '#lib/mcp/serve-prompts'
import { listResources, prepareFamily, registerFamily } from '#lib/mcp/serve-resources'
import { registerTaskMethod } from '#lib/mcp/serve-tasks'
import { prepareTool, registerTool } from '#lib/mcp/serve-tools'
import type { ServerExchange } from '#lib/mcp/server-exchange'
import { TASKS_EXTENSION } from '#lib/mcp/tasks/wire'
import { textMember } from '#lib/mcp/text-member'
import { usingUp, verifyState } from '#lib/mcp/verify-state'

/** Lists are private although today they are the same for all: an app may soon be denied a tool. */
const hint = (ttlMs: number) => ({ ttlMs, cacheScope: 'private' as const })
const cacheHints: NonNullable<McpServerOptions['cacheHints']> = {
  'server/discover': hint(LIST_CACHE_MS),
  'tools/list': hint(LIST_CACHE_MS),
  'prompts/list': hint(LIST_CACHE_MS),
  'resources/templates/list': hint(LIST_CACHE_MS),
  'resources/list': hint(RESOURCE_CACHE_MS),
  'resources/read': hint(RESOURCE_CACHE_MS),
}

/**
 * Makes the server of one exchange. The product's is `createServerFactory`; the conformance suite gets its
 * own behind the same endpoint.
 */
export interface ServerFactory {
  /** A fresh server, not connected. Cheap: it runs for every request. */
  create(exchange: ServerExchange): McpServer
  /** The JSON Schema of a tool's arguments, where such a tool exists. */
  inputSchema(tool: string): unknown
  /** A tool that runs in steps, where such a tool exists: for whoever goes on with one. */
  longTool?(name: string): Tool | undefined
  /** Whether a request only reads: it may be run again when the instance that ran it was lost. */
  repeatable(request: JSONRPCRequest): boolean
  /**
   * Its handlers send requests of their own while they run (`elicitInput` and the like, 2025): then a server has to
   * know its client, which costs. Those of `lib/tools` ask by what they return.
   */
  readonly pushes?: true
}

/** What a factory is made of. */
export interface ServerDeps extends Omit<ServingDeps, 'scopes'> {
  readonly scopes: readonly GuardedScope[]
}

/**
 * Makes the factory of the product's servers. All that does not depend on a request is made here, once; a
 * server gets only what its request needs, because one is made for every request.
 */
export function createServerFactory(offer: Offer, serverDeps: ServerDeps): ServerFactory {
  if (offer.instructions.length > INSTRUCTIONS_MAX_LENGTH) {
    throw new Error(`the instructions have more than ${INSTRUCTIONS_MAX_LENGTH} characters`)
  }
  const prepared = prepare(offer)
  const deps: ServingDeps = { ...serverDeps, scopes: createScopeGuard(serverDeps.scopes) }
  const info = { name: offer.name, title: offer.title, version: offer.version }

  return {
    inputSchema: (name) => prepared.tools.get(name)?.listed.inputSchema,
    longTool: (name) => longOnly(prepared.tools.get(name)?.tool),

    repeatable: ({ method, params }) =>
      method !== 'tools/call' ||
      prepared.tools.get(textMember(params, 'name'))?.tool.annotations.readOnlyHint === true,

    create(exchange) {
      const server = new McpServer(info, {
        capabilities: capabilitiesOf(offer, exchange),
        instructions: offer.instructions,
        cacheHints,
        ...verifyState(exchange, isOnce(exchange, prepared) ? usingUp(deps.store, exchange) : undefined),
      })
      const serving: Serving = { exchange, deps }
      for (const request of distinct(exchange.requests)) register(server, request, { prepared, serving })
      return server
    },
  }
}

const longOnly = (tool: Tool | undefined) => (tool?.long ? tool : undefined)

interface Prepared {
  readonly tools: ReadonlyMap<string, ReturnType<typeof prepareTool>>
  readonly prompts: ReadonlyMap<string, ReturnType<typeof preparePrompt>>
  readonly families: readonly ReturnType<typeof prepareFamily>[]
}

function prepare({ tools, prompts, resources }: Offer): Prepared {
  return {
    tools: new Map(tools.map((tool) => [tool.name, prepareTool(tool)])),
    prompts: new Map(prompts.map((prompt) => [prompt.name, preparePrompt(prompt)])),
    families: resources.map(prepareFamily),
  }
}

function isOnce({ requests }: ServerExchange, { tools }: Prepared): boolean {
  const called = requests.filter(({ method }) => method === 'tools/call')
  return called.some(({ params }) => tools.get(textMember(params, 'name'))?.tool.once)
}

/** What is said to be possible: changes of lists and resources only where a stream can carry them. */
function capabilitiesOf(offer: Offer, { era, streams, tasks }: ServerExchange): ServerCapabilities {
  // Of the 2025 era every list may have changed for a session that goes on with another release.
  const relists = era === 'legacy' && streams
  const completes = [...offer.prompts, ...offer.resources].some((item) => item.complete !== undefined)
  return {
    tools: { listChanged: relists },
    logging: {},
    ...(offer.prompts.length > 0 ? { prompts: { listChanged: relists } } : {}),
    ...(offer.resources.length > 0 ? { resources: { listChanged: streams, subscribe: streams } } : {}),
    ...(completes ? { completions: {} } : {}),
    ...(tasks && offer.tools.some(({ long }) => long) ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
  }
}

/** Two requests of a batch may want the same thing, and it can be registered only once. */
function distinct(requests: readonly JSONRPCRequest[]): Iterable<JSONRPCRequest> {
  const wantOf = ({ method, params }: JSONRPCRequest) =>
    method === 'resources/read' ? method : JSON.stringify([method, textMember(params, 'name')])
  return new Map(requests.map((request) => [wantOf(request), request])).values()
}

interface Registering {
  readonly prepared: Prepared
  readonly serving: Serving
}

function register(server: McpServer, request: JSONRPCRequest, registering: Registering): void {
  const { tools, prompts, families } = registering.prepared
  const { serving } = registering
  const name = textMember(request.params, 'name')
  switch (request.method) {
    case 'tools/call': {
      const tool = tools.get(name)
      if (tool) registerTool(server, tool, serving)
      return
    }
    case 'prompts/get': {
      const prompt = prompts.get(name)
      if (prompt) registerPrompt(server, prompt, serving)
      return
    }
    case 'resources/read':
      for (const family of families) registerFamily(server, family, serving)
      return
    case 'completion/complete':
      registerCompletion(server, registering)
      return
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      // Without tasks, as in the 2025 era, the method does not exist.
      if (serving.exchange.tasks && [...tools.values()].some(({ tool }) => tool.long)) {
        registerTaskMethod(server, request.method, serving)
      }
      return
    default:
      registerList(server, request.method, registering)
  }
}

function registerCompletion({ server }: McpServer, { prepared, serving }: Registering): void {
  server.setRequestHandler('completion/complete', ({ params }, context) =>
    guarded('completion', serving, () =>
      complete(params, prepared, { context: toolContext(context, serving), serving }),
    ),
  )
}

function registerList({ server }: McpServer, method: string, { prepared, serving }: Registering): void {
  const { tools, prompts, families } = prepared
  switch (method) {
    case 'tools/list':
      server.setRequestHandler(method, firstPage({ tools: [...tools.values()].map(({ listed }) => listed) }))
      return
    case 'prompts/list':
      if (prompts.size === 0) return
      server.setRequestHandler(
        method,
        firstPage({ prompts: [...prompts.values()].map(({ listed }) => listed) }),
      )
      return
    case 'resources/templates/list':
      if (families.length === 0) return
      server.setRequestHandler(method, firstPage({ resourceTemplates: families.map(({ listed }) => listed) }))
      return
    case 'resources/list':
      if (families.length === 0) return
      server.setRequestHandler(method, async (request, context) => {
        refuseCursor(request)
        const resources = await guarded(method, serving, () => listResources(families, context, serving))
        return { resources: resources.map((resource) => ({ ...resource })) }
      })
  }
}

/** Our lists have one page: nobody was ever given a cursor. */
function firstPage<Page extends object>(page: Page): (request: Paginated) => Page {
  return (request) => {
    refuseCursor(request)
    return page
  }
}

interface Paginated {
  readonly params?: { readonly cursor?: string | undefined } | undefined
}

function refuseCursor({ params }: Paginated): void {
  if (params?.cursor !== undefined) throw new ProtocolError(INVALID_PARAMS, 'Unknown cursor')
}
