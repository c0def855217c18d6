import { Redis } from '@upstash/redis'
import { STORE_RETRY_PAUSE_MS, STORE_TIMEOUT_MS } from '#lib/config/limits'
import { type StoreOptions, storeOver } from '#lib/store/connect'
import type { Store } from '#lib/store/port'
import { listenToEvents } from '#lib/store/redis/channel-events'
import { redisDriver } from '#lib/store/redis/redis-driver'
import type { Reply } from '#lib/store/redis/replies'
import type { Command } from '#lib/store/redis/translate'

export interface UpstashOptions extends StoreOptions {
  /** Address of the REST API. */
  readonly url: string
  readonly token: string
  /** Longest wait for one request, its retry included. */
  readonly timeoutMs?: number
}

/** A store on Upstash Redis over its REST API: one HTTP request a batch. Opens no connection before use. */
export function createUpstashStore(options: UpstashOptions): Store {
  const url = options.url.replace(/\/+$/, '')
  const { token, timeoutMs = STORE_TIMEOUT_MS } = options
  const client = new RestClient({
    url,
    token,
    // On, it would read the text "123" as a number and "null" as absent.
    automaticDeserialization: false,
    // On, it would send the reads and the writes of a moment apart, in any order.
    enableAutoPipelining: false,
    enableTelemetry: false,
    retry: { retries: 1, backoff: () => STORE_RETRY_PAUSE_MS },
    // As a function, a time-out is an error; as a plain signal it would answer null. It bounds both attempts.
    signal: () => AbortSignal.timeout(timeoutMs),
  })
  const driver = redisDriver({
    scriptHead: '#!lua flags=allow-key-locking\n',
    send: (commands) => client.send(commands),
    listen: (channel, onMessage, signal) => listenToEvents({ url, token, channel, onMessage, signal }),
    close: async () => undefined,
  })
  return storeOver(driver, options)
}

/** Reaches the client's requester (base64, sync token, retry) without its typed commands. */
class RestClient extends Redis {
  async send(commands: readonly Command[]): Promise<readonly Reply[]> {
    const replies: unknown = await this.client.request({ path: ['pipeline'], body: commands })
    if (!Array.isArray(replies)) throw new TypeError('no list of replies')
    return replies.map(({ result, error }: { result?: unknown; error?: string }) =>
      error === undefined ? { result } : { error },
    )
  }
}
