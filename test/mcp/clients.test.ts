import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { describe, expect, it } from 'vitest'
import { ENDPOINT, fetchAs, inProcess } from '#test/mcp/in-process'
import { testFactory } from '#test/mcp/offer'

const info = { name: 'test client', version: '1' }

async function legacyClient() {
  const server = inProcess({ factory: await testFactory() })
  const client = new LegacyClient(info, { capabilities: { elicitation: {} } })
  await client.connect(new LegacyTransport(new URL(ENDPOINT), { fetch: fetchAs(server, 'alice') }))
  return client
}

async function modernClient(mode: 'legacy' | 'auto') {
  const server = inProcess({ factory: await testFactory() })
  const client = new ModernClient(info, {
    capabilities: { elicitation: { form: {} } },
    versionNegotiation: { mode },
  })
  await client.connect(new ModernTransport(new URL(ENDPOINT), { fetch: fetchAs(server, 'alice') }))
  return { client, server }
}

describe('the v1 client', () => {
  it('lists and calls tools, with structured content that fits the schema', async () => {
    const client = await legacyClient()
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
    const result = await client.callTool({ name: 'echo', arguments: { text: 'hi' } })
    expect(result.structuredContent).toEqual({ text: 'hi', account: 'alice' })
    await client.close()
  })

  it('hears progress', async () => {
    const client = await legacyClient()
    const heard: number[] = []
    const onprogress = ({ progress }: { progress: number }) => heard.push(progress)
    await client.callTool({ name: 'count', arguments: {} }, undefined, { onprogress })
    expect(heard).toEqual([1, 2])
    await client.close()
  })

  it('reads prompts and resources, and completes', async () => {
    const client = await legacyClient()
    expect((await client.getPrompt({ name: 'review', arguments: { day: 'today' } })).messages).toHaveLength(1)
    expect((await client.listResources()).resources).toHaveLength(1)
    expect((await client.listResourceTemplates()).resourceTemplates[0]?.uriTemplate).toBe('thing://{id}')
    expect((await client.readResource({ uri: 'thing://1' })).contents[0]).toMatchObject({ text: 'the first' })
    const completed = await client.complete({
      ref: { type: 'ref/resource', uri: 'thing://{id}' },
      argument: { name: 'id', value: 'x' },
    })
    expect(completed.completion.values).toEqual(['x1'])
    await client.close()
  })
})

describe.each(['legacy', 'auto'] as const)('the v2 client, %s', (mode) => {
  it('lists and calls tools', async () => {
    const { client } = await modernClient(mode)
    expect((await client.listTools()).tools).toHaveLength(7)
    const result = await client.callTool({ name: 'echo', arguments: { text: 'hi' } })
    expect(result.structuredContent).toEqual({ text: 'hi', account: 'alice' })
    await client.close()
  })
})

describe('the v2 client in 2026-07-28', () => {
  it('is asked by a tool, and the call goes on with the answers', async () => {
    const { client } = await modernClient('auto')
    const asked: string[] = []
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return { action: 'accept' as const, content: { sure: asked.length === 1 } }
    })
    const result = await client.callTool({ name: 'ask_twice', arguments: { text: 'go' } })
    expect(asked).toEqual(['Sure?', 'Really?'])
    expect(result.structuredContent).toEqual({ text: 'true false' })
    await client.close()
  })

  it('mirrors arguments in headers as the tool declares them', async () => {
    const { client } = await modernClient('auto')
    await client.listTools()
    const result = await client.callTool({
      name: 'mirrored',
      arguments: { region: { name: 'Zürich' }, level: 3 },
    })
    expect(result.isError).toBeFalsy()
    await client.close()
  })
})
