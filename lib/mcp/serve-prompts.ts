import type { McpServer, ServerContext, Prompt as WirePrompt } from '@modelcontextprotocol/server'
import { readAnswers } from '#lib/mcp/answers'
import { type Serving, scopeChallenge, toolContext } from '#lib/mcp/context'
import type { Prompt } from '#lib/mcp/define'
import { guarded } from '#lib/mcp/faults'
import { deepFreeze, type Frozen, frozen } from '#lib/mcp/schema'

/** A prompt with everything about it that does not depend on the request. */
export interface PreparedPrompt {
  readonly prompt: Prompt
  readonly input: Frozen<Prompt['input']>
  /** As it stands in `prompts/list`. */
  readonly listed: WirePrompt
}

/** Prepares a prompt, once for the life of the process. */
export function preparePrompt(prompt: Prompt): PreparedPrompt {
  const { name, title, description } = prompt
  const input = frozen(prompt.input, 'input')
  const listed = { name, title, description, arguments: promptArguments(input.json) }
  return { prompt, input, listed: deepFreeze(listed) }
}

function promptArguments(schema: Readonly<Record<string, unknown>>): WirePrompt['arguments'] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, { description?: string }>)
  const required = new Set((schema['required'] ?? []) as readonly string[])
  return properties.map(([name, { description }]) => ({
    name,
    ...(description === undefined ? {} : { description }),
    required: required.has(name),
  }))
}

/** Makes the server able to give this one prompt. */
export function registerPrompt(server: McpServer, { prompt, input }: PreparedPrompt, serving: Serving): void {
  server.registerPrompt(
    prompt.name,
    { argsSchema: input, scopeChallenge: scopeChallenge(serving, prompt.scope) },
    (args: unknown, context: ServerContext) =>
      guarded(`prompt ${prompt.name}`, serving, async () => {
        const answers = readAnswers(context, serving.exchange, serving.deps.random)
        const outcome = await prompt.run(
          args as Record<string, unknown>,
          toolContext(context, serving, answers),
        )
        if (outcome.kind === 'pending') return answers.request(outcome, { messages: [] })
        const { description = prompt.description, messages } = outcome
        return { description, messages: [...messages] }
      }),
  )
}
