/** A JSON-RPC message, as far as a test looks into it. */
export interface WireMessage {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** One request that a client sent, and how far its answer came. */
export interface WireExchange {
  readonly method: string
  /** The JSON-RPC message that was sent. */
  readonly sent: WireMessage | undefined
  readonly lastEventId: string | null
  readonly at: number
  /** Absent: it failed before any header came back. */
  status?: number
  stream: boolean
  /** Why nothing came back, or why the stream broke. */
  failure?: string
}

/** One event of a stream, in the order of arrival. Priming events have an id and no message. */
export interface WireEvent {
  readonly exchange: WireExchange
  readonly id: string | undefined
  readonly message: WireMessage | undefined
  readonly retryMs: number | undefined
  readonly at: number
}

/** Stands between a client and the network: passes everything on, and remembers it. */
export interface WireTap {
  readonly fetch: typeof fetch
  readonly exchanges: readonly WireExchange[]
  readonly events: readonly WireEvent[]
  /** Answers to questions of the server that had to be sent again, because their connection broke. */
  readonly answersSentAgain: number
}

const ANSWER_ATTEMPTS = 20
const ANSWER_PAUSE_MS = 150

/**
 * Makes a tap. What the client answers to the server's own requests is sent again when its connection
 * breaks before anything came back, as a careful host does: the SDKs drop it.
 *
 * @param broke - hears of a stream that ended without its end
 */
export function tapWire(broke?: (exchange: WireExchange) => void): WireTap {
  const exchanges: WireExchange[] = []
  const events: WireEvent[] = []
  let answersSentAgain = 0

  async function pass(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    const sent = typeof init.body === 'string' ? (JSON.parse(init.body) as WireMessage) : undefined
    const exchange: WireExchange = {
      method: init.method ?? 'GET',
      sent,
      lastEventId: headers.get('last-event-id'),
      at: Date.now(),
      stream: false,
    }
    exchanges.push(exchange)
    try {
      const response = await fetch(input, init)
      exchange.status = response.status
      if (response.status === 502) exchange.failure = await response.clone().text()
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response
      exchange.stream = true
      return watched(response, exchange)
    } catch (error) {
      exchange.failure = causeOf(error)
      throw error
    }
  }

  function watched(response: Response, exchange: WireExchange): Response {
    const parser = eventParser((event) => events.push({ ...event, exchange, at: Date.now() }))
    const decoder = new TextDecoder()
    const reader = response.body?.getReader()
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = (await reader?.read()) ?? { done: true, value: undefined }
          if (value) parser(decoder.decode(value, { stream: true }))
          if (value) controller.enqueue(value)
          if (done) controller.close()
        } catch (error) {
          exchange.failure = causeOf(error)
          broke?.(exchange)
          controller.error(error)
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    })
    return new Response(body, response)
  }

  async function insist(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const response = await pass(input, init).catch((error: unknown) => error)
      const lost = !(response instanceof Response) || response.status === 502
      if (response instanceof Response && !lost) return response
      if (attempt === ANSWER_ATTEMPTS || init?.signal?.aborted) {
        if (response instanceof Response) return response
        throw response
      }
      answersSentAgain++
      await new Promise((resolve) => setTimeout(resolve, ANSWER_PAUSE_MS))
    }
  }

  return {
    exchanges,
    events,
    get answersSentAgain() {
      return answersSentAgain
    },
    fetch: (input, init) => (isAnswer(init?.body) ? insist(input, init) : pass(input, init)),
  }
}

function isAnswer(body: unknown): boolean {
  if (typeof body !== 'string') return false
  const message = JSON.parse(body) as WireMessage
  return message.id !== undefined && message.method === undefined
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined
  return cause?.code ?? String(error)
}

type Parsed = Pick<WireEvent, 'id' | 'message' | 'retryMs'>

/** Splits a stream of server-sent events; an event counts when its blank line has arrived. */
export function eventParser(onEvent: (event: Parsed) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    rest += text
    for (;;) {
      const end = rest.indexOf('\n\n')
      if (end < 0) return
      const event = parse(rest.slice(0, end))
      rest = rest.slice(end + 2)
      if (event) onEvent(event)
    }
  }
}

function parse(block: string): Parsed | undefined {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (name) fields.set(name, value)
  }
  if (fields.size === 0) return undefined
  const data = fields.get('data')
  const retry = fields.get('retry')
  return {
    id: fields.get('id'),
    message: data ? (JSON.parse(data) as WireMessage) : undefined,
    retryMs: retry === undefined ? undefined : Number(retry),
  }
}
