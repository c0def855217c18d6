import { createClient, ErrorReply } from '@redis/client'
import { STORE_RETRY_PAUSE_MS, STORE_TIMEOUT_MS } from '#lib/config/limits'
import { type StoreOptions, storeOver } from '#lib/store/connect'
import type { Store } from '#lib/store/port'
import type { Connection } from '#lib/store/redis/keep-listening'
import { redisDriver } from '#lib/store/redis/redis-driver'
import type { Reply } from '#lib/store/redis/replies'
import type { Command } from '#lib/store/redis/translate'

export interface TcpOptions extends StoreOptions {
  /** `redis://` or `rediss://`, with user and password if needed. */
  readonly url: string
  /** Longest wait for one request, its retry included. */
  readonly timeoutMs?: number
}

/** A store on Redis (7.0 or later) or Valkey over TCP. Connects on first use. */
export function createTcpStore(options: TcpOptions): Store {
  const { url, timeoutMs = STORE_TIMEOUT_MS } = options
  const connection = createConnection(url)
  const driver = redisDriver({
    scriptHead: '',
    send: (commands) => withinBudget(timeoutMs, { connection, commands }),
    listen: (channel, onMessage, signal) => listen(url, { channel, onMessage, signal }),
    close: async () => connection.drop(),
  })
  return storeOver(driver, options)
}

// The client's own reconnecting is off: commands would wait in its queue and run long after their caller
// was told that they failed.
function newClient(url: string) {
  const client = createClient({
    url,
    RESP: 2,
    disableClientInfo: true,
    socket: { connectTimeout: STORE_TIMEOUT_MS, reconnectStrategy: false },
  })
  // Who waits for a reply hears of it there; without a listener an error would end the process.
  client.on('error', () => undefined)
  return client
}

type Client = ReturnType<typeof newClient>

/** One connection, made when it is needed and made anew when it was lost. */
function createConnection(url: string) {
  let current: Promise<Client> | undefined

  function get(): Promise<Client> {
    if (current) return current

    const client = newClient(url)
    const connecting = client.connect().then(() => client)
    const forget = () => {
      if (current === connecting) current = undefined
    }
    connecting.catch(forget)
    for (const event of ['error', 'end', 'terminated']) client.on(event, forget)
    current = connecting
    return connecting
  }

  /** Closes the connection at once; commands under way fail. */
  function drop(): void {
    current?.then((client) => client.isOpen && client.destroy()).catch(() => undefined)
    current = undefined
  }

  return { get, drop }
}

type ClientConnection = ReturnType<typeof createConnection>

/** The client cannot bound a command that was written, so the wait is bounded here, over both attempts. */
async function withinBudget(
  timeoutMs: number,
  { connection, commands }: { connection: ClientConnection; commands: readonly Command[] },
): Promise<readonly Reply[]> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let late = false
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true
      // Whatever hangs on this connection would make the next command hang too.
      connection.drop()
      reject(new DOMException('no reply in time', 'TimeoutError'))
    }, timeoutMs)
  })
  const attempts = (async () => {
    try {
      return await send(connection, commands)
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_PAUSE_MS))
      // The caller has been told that it failed: it must not happen now.
      if (late) throw error
      return send(connection, commands)
    }
  })()
  try {
    return await Promise.race([attempts, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

async function send(connection: ClientConnection, commands: readonly Command[]): Promise<readonly Reply[]> {
  const client = await connection.get()
  // Written in one go and answered in order.
  return Promise.all(
    commands.map((command) =>
      client.sendCommand([...command]).then(
        (result: unknown): Reply => ({ result }),
        (error: unknown): Reply => {
          if (error instanceof ErrorReply) return { error: error.message }
          throw error
        },
      ),
    ),
  )
}

async function listen(
  url: string,
  how: { channel: string; onMessage: (message: string) => void; signal: AbortSignal },
): Promise<Connection> {
  const client = newClient(url)
  const ended = new Promise<void>((resolve) => {
    for (const event of ['error', 'end', 'terminated']) client.on(event, () => resolve())
  })
  const stop = () => {
    if (client.isOpen) client.destroy()
  }
  const timer = setTimeout(stop, STORE_TIMEOUT_MS)
  how.signal.addEventListener('abort', stop, { once: true })
  ended.finally(() => how.signal.removeEventListener('abort', stop)).catch(() => undefined)
  try {
    how.signal.throwIfAborted()
    await client.connect()
    await client.subscribe(how.channel, how.onMessage)
    how.signal.throwIfAborted()
    return { ended }
  } catch (error) {
    stop()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
