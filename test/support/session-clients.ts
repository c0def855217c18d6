import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { tapWire, type WireTap } from '#test/support/wire-tap'

export type ClientKind = 'v1' | 'v2 legacy' | 'v2 auto'
/** Those that open a session. */
export const SESSION_KINDS = ['v1', 'v2 legacy'] as const satisfies readonly ClientKind[]

/** A client library as a host uses it, with its defaults, and a tap on its wire. */
export interface SessionClient {
  readonly kind: ClientKind
  readonly tap: WireTap
  /**
   * Calls a tool and gives the text of its result. With `progress` it asks for progress.
   *
   * @throws whatever the library makes of an error, or of a broken connection
   */
  call(
    tool: string,
    input: Record<string, unknown>,
    how?: { readonly timeoutMs?: number; readonly progress?: boolean },
  ): Promise<string>
  subscribe(uri: string): Promise<unknown>
  setLevel(level: 'debug' | 'error'): Promise<unknown>
  /** Data of the log messages that reached the application, in order. */
  readonly heard: unknown[]
  /** URIs of the updates that reached the application, in order. */
  readonly updated: string[]
  /** What the library reported without failing a call. */
  readonly errors: string[]
  readonly sessionId: string | undefined
  close(): Promise<void>
}

export interface SessionClientOptions {
  readonly token: string
  /** The person: gives the answer to a question. */
  readonly answer?: (question: string) => Promise<string>
  /** How often a stream that broke is tried again; the libraries' own number is 2, and they then give up. */
  readonly attempts?: number
}

const CALL_TIMEOUT_MS = 30_000
/** As in the libraries, which wait as the server says where it says so. */
const RECONNECTION = {
  initialReconnectionDelay: 1000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 1.5,
}

/** Connects a client. */
export function connectClient(
  kind: ClientKind,
  origin: string,
  options: SessionClientOptions,
): Promise<SessionClient> {
  return kind === 'v1' ? connectV1(origin, options) : connectV2(kind, origin, options)
}

function common(origin: string, { token, attempts }: SessionClientOptions, broke?: () => void) {
  const tap = tapWire(broke)
  return {
    url: new URL('/api/mcp', origin),
    settings: {
      fetch: tap.fetch,
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
      ...(attempts === undefined ? {} : { reconnectionOptions: { ...RECONNECTION, maxRetries: attempts } }),
    },
    tap,
    heard: [] as unknown[],
    updated: [] as string[],
    errors: [] as string[],
  }
}

async function connectV1(origin: string, options: SessionClientOptions): Promise<SessionClient> {
  const { url, settings, ...parts } = common(origin, options)
  const client = new ClientV1({ name: 'client-v1', version: '1.0.0' }, { capabilities: { elicitation: {} } })
  client.onerror = (error) => parts.errors.push(error.message)
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    parts.heard.push(params.data)
  })
  client.fallbackNotificationHandler = async (notification) => note(notification, parts.updated)
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => accept(params.message, options))
  const transport = new TransportV1(url, settings)
  // The SDK's own types disagree under exactOptionalPropertyTypes.
  await client.connect(transport as never)
  return {
    kind: 'v1',
    ...parts,
    call: async (tool, input, { timeoutMs = CALL_TIMEOUT_MS, progress } = {}) =>
      textOf(
        await client.callTool({ name: tool, arguments: input }, undefined, {
          timeout: timeoutMs,
          ...(progress ? { onprogress: () => undefined } : {}),
        }),
      ),
    subscribe: (uri) => client.subscribeResource({ uri }),
    setLevel: (level) => client.setLoggingLevel(level),
    get sessionId() {
      return transport.sessionId
    },
    close: () => client.close(),
  }
}

async function connectV2(
  kind: 'v2 legacy' | 'v2 auto',
  origin: string,
  options: SessionClientOptions,
): Promise<SessionClient> {
  // 2026-07-28 cannot take up a stream that broke, and the library waits for its time-out: a host gives up.
  let current: AbortController | undefined
  const giveUp = () => current?.abort(new Error('the stream broke'))
  const { url, settings, ...parts } = common(origin, options, kind === 'v2 auto' ? giveUp : undefined)
  const client = new Client(
    { name: 'client-v2', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: kind === 'v2 auto' ? 'auto' : 'legacy' },
    },
  )
  client.onerror = (error) => parts.errors.push(error.message)
  client.setNotificationHandler('notifications/message', ({ params }) => {
    parts.heard.push(params.data)
  })
  client.fallbackNotificationHandler = async (notification) => note(notification, parts.updated)
  client.setRequestHandler('elicitation/create', async ({ params }) => accept(params.message, options))
  const transport = new StreamableHTTPClientTransport(url, settings)
  await client.connect(transport)
  return {
    kind,
    ...parts,
    call: async (tool, input, { timeoutMs = CALL_TIMEOUT_MS, progress } = {}) => {
      current = new AbortController()
      return textOf(
        await client.callTool(
          { name: tool, arguments: input },
          {
            timeout: timeoutMs,
            signal: current.signal,
            ...(progress ? { onprogress: () => undefined } : {}),
          },
        ),
      )
    },
    subscribe: (uri) => client.subscribeResource({ uri }),
    setLevel: (level) => client.setLoggingLevel(level),
    get sessionId() {
      return transport.sessionId
    },
    close: () => client.close(),
  }
}

function note({ method, params }: { method: string; params?: unknown }, updated: string[]): void {
  if (method === 'notifications/resources/updated') updated.push((params as { uri: string }).uri)
}

async function accept(question: string, { answer }: SessionClientOptions) {
  if (!answer) return { action: 'decline' as const }
  return { action: 'accept' as const, content: { answer: await answer(question) } }
}

/** The text of a tool's result, whichever SDK gave it. */
function textOf(result: object): string {
  const parts = 'content' in result && Array.isArray(result.content) ? result.content : []
  return parts.map((part: { text?: string }) => part.text ?? '').join('\n')
}
