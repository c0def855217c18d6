// `npm run connect [url] [-- --no-open]`: a small MCP host. It does what Claude or Cursor do with a URL, and
// says each step in one line.
import { parseArgs } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Callback, listenForCallback } from './connect/callback.ts'
import { attempt, ConnectFailed } from './connect/failure.ts'
import {
  askWithoutToken,
  prepareAuthorization,
  type Registered,
  readResourceMetadata,
  readServerMetadata,
  redeem,
  refresh,
  register,
  type Tokens,
} from './connect/oauth.ts'
import { openBrowser } from './connect/open-browser.ts'

const DEFAULT_URL = 'http://localhost:3000/api/mcp'
const NAME = 'Gatehouse connect'
const PERSON_TIMEOUT_MS = 5 * 60_000

const USAGE = `Usage: npm run connect [url] [-- --no-open]

Connects to an MCP server as a host does: discovery, registration, your permission in the browser, a token,
then a note saved and found again. The url is ${DEFAULT_URL} unless you give one.
  --no-open   print the URL instead of opening the browser`

const done = (text: string) => console.log(`✓ ${text}`)

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: { open: { type: 'boolean', default: true }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const [address = DEFAULT_URL] = positionals
  const resource = URL.canParse(address) ? new URL(address) : undefined
  if (!resource || !/^https?:$/.test(resource.protocol)) {
    throw new ConnectFailed('Read the URL', `${address} is not an http or https URL`)
  }

  const callback = await listenForCallback()
  try {
    const { registered, tokens } = await authorize(resource, callback, values.open)
    await tryTools(resource, tokens.accessToken)
    await renew(resource, registered, tokens)
  } finally {
    callback.close()
  }
  done(`Everything works. See and end this connection on ${resource.origin}/dashboard`)
}

/** From the bare URL to a token. */
async function authorize(resource: URL, callback: Callback, open: boolean) {
  const challenge = await attempt(`Reach ${resource}`, () => askWithoutToken(resource))
  done('Asked without a token: refused with 401, as it should be')

  const metadata = await attempt(`Read ${challenge.resourceMetadata}`, () =>
    readResourceMetadata(resource, challenge),
  )
  done(`Read the resource metadata: ${metadata.resource_name ?? metadata.resource}`)

  const server = await attempt('Read the authorization server metadata', () => readServerMetadata(metadata))
  done(`Found the authorization server: ${server.issuer}`)

  const registered = await attempt(`Register at ${server.registration_endpoint ?? server.issuer}`, () =>
    register(server, { name: NAME, redirectUri: callback.redirectUri }),
  )
  done(`Registered as "${NAME}"`)

  const scope = challenge.scope ?? metadata.scopes_supported?.join(' ')
  const asked = await prepareAuthorization(registered, { resource, scope })
  await show(asked.url, open)

  const answer = await attempt('Wait for your answer in the browser', () => callback.wait(PERSON_TIMEOUT_MS))
  const refused = answer.searchParams.get('error')
  if (refused) {
    const why = answer.searchParams.get('error_description')
    const said = refused === 'access_denied' ? 'you did not allow it' : `${refused}${why ? `: ${why}` : ''}`
    throw new ConnectFailed('Ask for permission', said)
  }
  const tokens = await attempt(`Redeem the code at ${server.token_endpoint ?? server.issuer}`, () =>
    redeem(registered, asked, { callback: answer, resource }),
  )
  done(`You allowed it: a token for ${tokens.scope ?? 'everything asked'}${lifetime(tokens)}`)
  return { registered, tokens }
}

const lifetime = ({ expiresInSeconds }: Tokens): string =>
  expiresInSeconds ? `, valid for ${Math.round(expiresInSeconds / 60)} minutes` : ''

async function show(url: string, open: boolean): Promise<void> {
  const opened = open && (await openBrowser(url))
  console.log(opened ? '→ Your browser asks for permission. If it does not, open' : '→ Open in your browser:')
  console.log(`  ${url}`)
}

/** Lists the tools, saves a note and finds it again. */
async function tryTools(resource: URL, accessToken: string): Promise<void> {
  const client = new Client(
    { name: 'gatehouse-connect', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  const transport = new StreamableHTTPClientTransport(resource, {
    authProvider: { token: async () => accessToken },
  })
  try {
    await attempt('Connect with the token', () => client.connect(transport))
    const about = client.getServerVersion()
    done(
      `Connected to ${about?.title ?? about?.name ?? 'the server'}, protocol ${client.getNegotiatedProtocolVersion()}`,
    )
    const { tools } = await attempt('List the tools', () => client.listTools())
    done(`${tools.length} tools: ${tools.map((tool) => tool.name).join(', ')}`)

    const word = `connect${Date.now().toString(36)}`
    await call(client, 'save_note', {
      title: 'A note from npm run connect',
      text: `Saved by npm run connect, to be found by the word ${word}.`,
    })
    done('Saved a note with save_note')

    const found = await call(client, 'search_notes', { query: word })
    if (!found.includes('A note from npm run connect')) {
      throw new ConnectFailed('Find the note again', `search_notes answered: ${found.slice(0, 300)}`)
    }
    done('Found it again with search_notes')
  } finally {
    await client.close()
  }
}

async function call(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const result = await attempt(`Call ${name}`, () => client.callTool({ name, arguments: args }))
  const text = (result.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  if (result.isError) throw new ConnectFailed(`Call ${name}`, text)
  return text
}

/** Refreshes once and shows that the new token works. */
async function renew(resource: URL, registered: Registered, tokens: Tokens): Promise<void> {
  const { refreshToken } = tokens
  if (!refreshToken) throw new ConnectFailed('Renew the token', 'the server gave no refresh token')

  const renewed = await attempt('Renew the token', () => refresh(registered, refreshToken, resource))
  const client = new Client(
    { name: 'gatehouse-connect', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  const authProvider = { token: async () => renewed.accessToken }
  await attempt('Use the renewed token', () =>
    client.connect(new StreamableHTTPClientTransport(resource, { authProvider })),
  )
  await client.close()
  done('Renewed the token without asking you')
}

main().catch((error: unknown) => {
  const failed = error instanceof ConnectFailed ? error : undefined
  console.error(`✗ ${failed ? failed.message : String(error)}`)
  if (failed?.hint) console.error(`  ${failed.hint}`)
  process.exitCode = 1
})
