import { acceptedContent, completable, inputRequired, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { PNG } from '#lib/mcp/conformance/samples'

const user = <Content>(content: Content) => ({ role: 'user' as const, content })
const userText = (text: string) => user({ type: 'text' as const, text })

const TwoArguments = z.object({
  arg1: completable(z.string().describe('The first'), (typed) =>
    ['test', 'testing'].filter((word) => word.startsWith(typed)),
  ),
  arg2: z.string().describe('The second'),
})
const ResourceArgument = z.object({ resourceUri: z.string().describe('The resource to embed') })
const Context = z.object({ context: z.string() })

/** The prompts of the suite. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'One message' }, () => ({
    messages: [userText('This is a simple prompt for testing.')],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Shows its arguments', argsSchema: TwoArguments },
    ({ arg1, arg2 }) => ({ messages: [userText(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource', argsSchema: ResourceArgument },
    ({ resourceUri }) => ({
      messages: [
        user({
          type: 'resource' as const,
          resource: {
            uri: resourceUri,
            mimeType: 'text/plain',
            text: 'Embedded resource content for testing.',
          },
        }),
        userText('Please process the embedded resource above.'),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Shows an image' }, () => ({
    messages: [
      user({ type: 'image' as const, data: PNG, mimeType: 'image/png' }),
      userText('Please analyze the image above.'),
    ],
  }))
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, (context) => {
    const answer = acceptedContent(context.mcpReq.inputResponses, 'user_context', Context)
    if (answer) return { messages: [userText(`Context: ${answer.context}`)] }
    const question = { message: 'What is the context?', requestedSchema: Context }
    return inputRequired({ inputRequests: { user_context: inputRequired.elicit(question) } })
  })
}
