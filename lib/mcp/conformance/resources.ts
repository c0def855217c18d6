import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { PNG } from '#lib/mcp/conformance/samples'
import type { ServerExchange } from '#lib/mcp/server-exchange'

const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })

/** The resources of the suite. */
export function registerResources(server: McpServer, { era }: ServerExchange): void {
  fixed(server, 'static-text', {
    mimeType: 'text/plain',
    text: 'This is the content of the static text resource.',
  })
  fixed(server, 'static-binary', { mimeType: 'image/png', blob: PNG })
  fixed(server, 'watched-resource', { mimeType: 'text/plain', text: 'Watched resource content.' })

  server.registerResource(
    'template',
    template,
    { description: 'Data by id', mimeType: 'application/json' },
    (uri, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] }
    },
  )
  if (era === 'modern') return
  // Without a session there is no stream for updates: the wish is accepted, as the suite wants it to be.
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
}

type Content = { readonly mimeType: string } & ({ readonly text: string } | { readonly blob: string })

function fixed(server: McpServer, name: string, content: Content): void {
  const uri = `test://${name}`
  server.registerResource(name, uri, { description: `The ${name}`, mimeType: content.mimeType }, () => ({
    contents: [{ uri, ...content }],
  }))
}
