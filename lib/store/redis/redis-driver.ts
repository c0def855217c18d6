import type { Driver } from '#lib/store/connect'
import { type Operation, StoreUnavailable } from '#lib/store/port'
import { type Connection, keepListening } from '#lib/store/redis/keep-listening'
import { linkedAbort } from '#lib/store/redis/linked-abort'
import { BadReply, type Reply } from '#lib/store/redis/replies'
import { type Command, type Dialect, translate } from '#lib/store/redis/translate'

/** A way to a Redis server. */
export interface Transport extends Dialect {
  /**
   * Sends commands in one request, in order, and answers each. Bounded in time; a request whose connection
   * failed is sent once more, so a command may run twice.
   *
   * @throws anything when there is no answer
   */
  send(commands: readonly Command[]): Promise<readonly Reply[]>
  /** Resolves once listening to a channel, until the signal aborts or the connection ends. */
  listen(channel: string, onMessage: (message: string) => void, signal: AbortSignal): Promise<Connection>
  close(): Promise<void>
}

/**
 * The store's operations on a Redis server. Whatever goes wrong becomes `StoreUnavailable` with the kinds of
 * the operations and no more: the clients' own errors quote commands, which hold keys and values.
 */
export function redisDriver(transport: Transport): Driver {
  const closed = new AbortController()

  async function execute(operations: readonly Operation[]): Promise<readonly unknown[]> {
    const translations = operations.map((operation) => translate(operation, transport))
    const commands = translations.flatMap((translation) => translation.commands)
    const replies = commands.length === 0 ? [] : await transport.send(commands)
    if (replies.length !== commands.length) throw new BadReply('another number of replies')

    let position = 0
    return translations.map((translation) => {
      const start = position
      position += translation.commands.length
      return translation.answer(replies.slice(start, position))
    })
  }

  return {
    async execute(operations) {
      try {
        return await execute(operations)
      } catch (error) {
        throw unavailable(operations.map(({ kind }) => kind).join(', '), error)
      }
    },

    async subscribe(channel, listener, signal) {
      const until = linkedAbort(signal, closed.signal)
      const connect = (onMessage: (message: string) => void, ends: AbortSignal) =>
        transport.listen(channel, onMessage, ends)
      await keepListening({ connect, listener, signal: until.signal }).catch((error) => {
        throw unavailable('subscribe', error)
      })
    },

    async close() {
      closed.abort()
      await transport.close()
    },
  }
}

function unavailable(kinds: string, error: unknown): StoreUnavailable {
  const reason = error instanceof BadReply ? error.message : error instanceof Error ? error.name : 'unknown'
  return new StoreUnavailable(`store: ${kinds}: ${reason}`)
}
