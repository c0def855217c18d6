import { fromJsonSchema, type McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker'
import { z } from 'zod'
import { JSON_SCHEMA_2020_12, PNG, text, WAV } from '#lib/mcp/conformance/samples'
import { frozen } from '#lib/mcp/schema'
import type { ServerExchange } from '#lib/mcp/server-exchange'

/** Interpreting instead of compiling: allowed on every platform. */
const schema2020 = fromJsonSchema(JSON_SCHEMA_2020_12, new CfWorkerJsonSchemaValidator())
const mirrored = frozen(
  z.object({
    region: z.string().meta({ 'x-mcp-header': 'Region' }).optional(),
    level: z.number().int().optional(),
  }),
  'input',
)

const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' }
const pause = () => new Promise((resolve) => setTimeout(resolve, 50))

/** Tools that give each kind of content. The first of them takes nothing and does nothing. */
export function registerContentTools(server: McpServer): void {
  server.registerTool('test_simple_text', { description: 'Gives one text' }, () =>
    text('This is a simple text response for testing.'),
  )
  server.registerTool('test_image_content', { description: 'Gives one image' }, () => ({ content: [image] }))
  server.registerTool('test_audio_content', { description: 'Gives one sound' }, () => ({
    content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  }))
  server.registerTool('test_embedded_resource', { description: 'Gives one embedded resource' }, () => ({
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }))
  server.registerTool('test_multiple_content_types', { description: 'Gives several kinds at once' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }))
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema with many keywords', inputSchema: schema2020 },
    () => text('Valid.'),
  )
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Has an argument that is mirrored in a header', inputSchema: mirrored },
    ({ region, level }) => text(`region ${region ?? 'none'}, level ${level ?? 'none'}`),
  )
}

/** Tools that say something before they answer. */
export function registerSpeakingTools(server: McpServer, { publish }: ServerExchange): void {
  server.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async (context) => {
    for (const progress of [0, 50, 100]) {
      await report(context, progress)
      await pause()
    }
    return text('Done.')
  })
  server.registerTool('test_tool_with_logging', { description: 'Logs three times' }, async (context) => {
    for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await context.mcpReq.log('info', line)
      await pause()
    }
    return text('Done.')
  })
  server.registerTool(
    'test_logging_tool',
    { description: 'Logs where that was asked for' },
    async (context) => {
      await context.mcpReq.log('info', 'Logging tool runs')
      return text('Done.')
    },
  )
  server.registerTool('test_streaming_elicitation', { description: 'Answers without asking' }, () =>
    text('Nothing to ask.'),
  )
  server.registerTool('test_trigger_tool_change', { description: 'Says that the tools changed' }, () => {
    publish({ kind: 'tools_list_changed' })
    return text('Said.')
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Says that the prompts changed' }, () => {
    publish({ kind: 'prompts_list_changed' })
    return text('Said.')
  })
}

async function report(context: ServerContext, progress: number): Promise<void> {
  const progressToken = context.mcpReq._meta?.progressToken
  if (progressToken === undefined) return
  await context.mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress, total: 100 },
  })
}

const embedded = (uri: string, mimeType: string, body: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: body },
})
