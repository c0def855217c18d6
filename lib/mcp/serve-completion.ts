import { type CompleteRequest, type CompleteResult, ProtocolError } from '@modelcontextprotocol/server'
import { COMPLETION_VALUES_MAX } from '#lib/config/limits'
import type { Serving } from '#lib/mcp/context'
import type { ToolContext } from '#lib/mcp/define'
import { INVALID_PARAMS } from '#lib/mcp/rpc-error'
import type { PreparedPrompt } from '#lib/mcp/serve-prompts'
import type { PreparedFamily } from '#lib/mcp/serve-resources'

/** What may be completed. */
export interface Completable {
  readonly prompts: ReadonlyMap<string, PreparedPrompt>
  readonly families: readonly PreparedFamily[]
}

type Suggest = (typed: string, context: ToolContext) => Promise<readonly string[]>

/**
 * Answers `completion/complete`. What the token may not read is not suggested.
 *
 * @throws ProtocolError -32602 for a prompt or template that does not exist
 */
export async function complete(
  params: CompleteRequest['params'],
  completable: Completable,
  { context, serving }: { readonly context: ToolContext; readonly serving: Serving },
): Promise<CompleteResult> {
  const { scope, suggest } = find(params, completable)
  const allowed = serving.deps.scopes.allows(serving.exchange.caller.scopes, scope)
  const all = allowed && suggest ? await suggest(params.argument.value, context) : []
  const values = all.slice(0, COMPLETION_VALUES_MAX)
  return { completion: { values, total: all.length, hasMore: all.length > values.length } }
}

function find(
  { ref, argument }: CompleteRequest['params'],
  { prompts, families }: Completable,
): { readonly scope: string; readonly suggest: Suggest | undefined } {
  if (ref.type === 'ref/prompt') {
    const prompt = prompts.get(ref.name)?.prompt
    if (!prompt) throw new ProtocolError(INVALID_PARAMS, `Prompt ${ref.name} not found`)
    return { scope: prompt.scope, suggest: own(prompt.complete, argument.name) }
  }
  const family = families.find((prepared) => prepared.family.template === ref.uri)?.family
  if (!family) throw new ProtocolError(INVALID_PARAMS, `Resource template ${ref.uri} not found`)
  const suggest: Suggest = async (typed, context) =>
    (await family.complete?.(argument.name, typed, context)) ?? []
  return { scope: family.scope, suggest }
}

/** A member that somebody wrote there, never one that every object has: the name comes from the client. */
const own = <Value>(members: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined
