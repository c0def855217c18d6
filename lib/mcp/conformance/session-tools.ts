import type {
  CallToolResult,
  ElicitRequestFormParams,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from '#lib/mcp/conformance/samples'
import { frozen } from '#lib/mcp/schema'

const Prompt = frozen(z.object({ prompt: z.string() }), 'input')
const Message = frozen(z.object({ message: z.string() }), 'input')

type Fields = ElicitRequestFormParams['requestedSchema']['properties']

const person: Fields = { username: { type: 'string' }, email: { type: 'string' } }

/** Every kind of field with a default (SEP-1034). */
const defaults: Fields = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}

const numbered = (word: string) => [1, 2, 3].map((number) => `${word}${number}`)
const titled = numbered('value').map((value) => ({ const: value, title: `The ${value}` }))

/** Every way to write a choice (SEP-1330). */
const enums: Fields = {
  untitledSingle: { type: 'string', enum: numbered('option') },
  titledSingle: { type: 'string', oneOf: titled },
  legacyEnum: { type: 'string', enum: numbered('opt'), enumNames: numbered('Option ') },
  untitledMulti: { type: 'array', items: { type: 'string', enum: numbered('option') } },
  titledMulti: { type: 'array', items: { anyOf: titled } },
}

/**
 * Tools of the 2025 era. They ask while they run, with the requests that the SDK sends by itself: our
 * transport has to carry them out and the answers back, through whatever instance they come.
 */
export function registerSessionTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model of the client', inputSchema: Prompt },
    async ({ prompt }, { mcpReq }) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      })
      return text(`LLM response: ${JSON.stringify(content)}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the person', inputSchema: Message },
    async ({ message }, { mcpReq }) => {
      const requestedSchema = { type: 'object' as const, properties: person, required: Object.keys(person) }
      const { action, content } = await mcpReq.elicitInput({ message, requestedSchema })
      return text(`User response: action=${action}, content=${JSON.stringify(content)}`)
    },
  )
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with defaults' },
    ({ mcpReq }) => elicit(mcpReq, defaults),
  )
  server.registerTool('test_elicitation_sep1330_enums', { description: 'Asks for choices' }, ({ mcpReq }) =>
    elicit(mcpReq, enums),
  )
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its stream before it answers' },
    async ({ http }) => {
      http?.closeSSE?.()
      await new Promise((resolve) => setTimeout(resolve, 100))
      return text('The stream was closed, and this came after it.')
    },
  )
}

async function elicit(mcpReq: ServerContext['mcpReq'], properties: Fields): Promise<CallToolResult> {
  const { action, content } = await mcpReq.elicitInput({
    message: 'Please look at these.',
    requestedSchema: { type: 'object', properties },
  })
  return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`)
}
