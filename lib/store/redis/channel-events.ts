import { STORE_TIMEOUT_MS } from '#lib/config/limits'
import type { Connection } from '#lib/store/redis/keep-listening'
import { linkedAbort } from '#lib/store/redis/linked-abort'

/**
 * Listens to a channel over Upstash's event stream (`/subscribe/<channel>`). The client's own `subscribe`
 * says nothing when a stream ends, so it cannot be used.
 *
 * @returns once the server confirmed that it listens
 * @throws when it does not in time
 */
export async function listenToEvents(how: {
  url: string
  token: string
  channel: string
  onMessage: (message: string) => void
  signal: AbortSignal
}): Promise<Connection> {
  const { url, token, channel, onMessage } = how
  const over = linkedAbort(how.signal)
  const timer = setTimeout(() => over.abort(), STORE_TIMEOUT_MS)
  try {
    const response = await fetch(`${url}/subscribe/${encodeURIComponent(channel)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      cache: 'no-store',
      signal: over.signal,
    })
    const events = eventsOf(response)
    const { value } = await events.next()
    if (!value?.startsWith('subscribe,')) throw new Error('not subscribed')

    // An error here is an end like any other.
    const delivered = deliver(events, `message,${channel},`, onMessage).catch(() => undefined)
    return { ended: delivered.finally(() => over.abort()) }
  } catch (error) {
    over.abort()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function deliver(
  events: AsyncGenerator<string>,
  head: string,
  onMessage: (message: string) => void,
): Promise<void> {
  for await (const event of events) if (event.startsWith(head)) onMessage(event.slice(head.length))
}

/** The data of each event; each is one line. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new Error('no event stream')
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length)
  }
}
