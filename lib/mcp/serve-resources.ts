import {
  type McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
  type ResourceTemplateType,
  type ServerContext,
  type Variables,
} from '@modelcontextprotocol/server'
import { readAnswers } from '#lib/mcp/answers'
import { type Serving, scopeChallenge, toolContext } from '#lib/mcp/context'
import type { ListedResource, ResourceFamily } from '#lib/mcp/define'
import { guarded } from '#lib/mcp/faults'
import { deepFreeze } from '#lib/mcp/schema'

/** A family of resources with everything about it that does not depend on the request. */
export interface PreparedFamily {
  readonly family: ResourceFamily
  readonly template: ResourceTemplate
  /** As it stands in `resources/templates/list`. */
  readonly listed: ResourceTemplateType
}

/** Prepares a family, once for the life of the process. */
export function prepareFamily(family: ResourceFamily): PreparedFamily {
  const { name, title, description, mimeType, template } = family
  const listed = { name, title, description, mimeType, uriTemplate: template }
  return { family, template: new ResourceTemplate(template, { list: undefined }), listed: deepFreeze(listed) }
}

/** Makes the server able to read the resources of a family. */
export function registerFamily(server: McpServer, prepared: PreparedFamily, serving: Serving): void {
  const { family, template } = prepared
  const { name, mimeType } = family
  server.registerResource(
    name,
    template,
    { mimeType, scopeChallenge: scopeChallenge(serving, family.scope) },
    (uri, variables, context) =>
      guarded(`resource ${name}`, serving, async () => {
        const answers = readAnswers(context, serving.exchange, serving.deps.random)
        const found = await family.read(strings(variables), toolContext(context, serving, answers))
        if (!found) throw new ResourceNotFoundError(uri.href)
        if (found.kind === 'pending') return answers.request(found, { contents: [] })
        return { contents: [{ uri: uri.href, mimeType, text: found.text }] }
      }),
  )
}

const strings = (variables: Variables): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]))

/** What `resources/list` shows: only what the token may read, because names of resources are content too. */
export async function listResources(
  families: readonly PreparedFamily[],
  context: ServerContext,
  serving: Serving,
): Promise<ListedResource[]> {
  const { deps, exchange } = serving
  const readable = families.filter(({ family }) => deps.scopes.allows(exchange.caller.scopes, family.scope))
  const lists = await Promise.all(readable.map(({ family }) => family.list(toolContext(context, serving))))
  return lists.flat()
}
