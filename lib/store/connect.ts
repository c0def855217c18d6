import type { Listener, Operation, Store } from '#lib/store/port'
import { assertWellFormed } from '#lib/store/well-formed'

/** What a backend implements. Operations reach it well-formed and with their key prefix in place. */
export interface Driver {
  /**
   * Runs operations in one request, in order, and answers each.
   *
   * @throws StoreUnavailable when any of them failed or nothing was answered in time
   */
  execute(operations: readonly Operation[]): Promise<readonly unknown[]>
  /** Resolves once listening; listens until `signal` aborts. */
  subscribe(channel: string, listener: Listener, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** One request to the store, reported before it is sent. */
export interface StoreRequest {
  readonly requests: 1
  /** Commands that Upstash bills for it; a swap that loses costs one less. */
  readonly commands: number
  readonly kinds: readonly Operation['kind'][]
}

export interface StoreOptions {
  /** The deployment's prefix: put before every key and channel as `prefix:`. */
  readonly prefix: string
  /** Hears of every request, for tests and metrics. */
  readonly observe?: ((request: StoreRequest) => void) | undefined
}

/** Makes a store of a backend: the prefix, the checks and the counting exist once, here. */
export function storeOver(driver: Driver, { prefix, observe }: StoreOptions): Store {
  async function execute(operations: readonly Operation[]): Promise<readonly unknown[]> {
    if (operations.length === 0) return []

    const prefixed = operations.map((operation) => withPrefix(operation, `${prefix}:`))
    prefixed.forEach(assertWellFormed)
    observe?.({
      requests: 1,
      commands: operations.reduce((sum, operation) => sum + billedCommands(operation), 0),
      kinds: operations.map((operation) => operation.kind),
    })
    return driver.execute(prefixed)
  }

  return {
    run: async (operation) => (await execute([operation]))[0] as never,
    batch: async (...operations) => (await execute(operations)) as never,
    subscribe: async (channel, listener, signal) => {
      const prefixed = `${prefix}:${channel}`
      if (/[\r\n,]/.test(prefixed)) throw new RangeError('store: subscribe: a channel has no comma')
      await driver.subscribe(prefixed, listener, signal)
    },
    close: () => driver.close(),
  }
}

function withPrefix(operation: Operation, prefix: string): Operation {
  if ('key' in operation) return { ...operation, key: prefix + operation.key }
  if ('log' in operation) {
    const log = prefix + operation.log
    if (operation.kind === 'read' || !operation.tell) return { ...operation, log }
    return { ...operation, log, tell: { ...operation.tell, channel: prefix + operation.tell.channel } }
  }
  if ('index' in operation) return { ...operation, index: prefix + operation.index }
  if ('keys' in operation) return { ...operation, keys: operation.keys.map((key) => prefix + key) }
  return { ...operation, channel: prefix + operation.channel }
}

/**
 * What Upstash bills for an operation (a script costs itself and the commands inside it). The contract suite
 * compares it with what a real server says that it ran.
 */
export function billedCommands(operation: Operation): number {
  const lifetime = 'ttlMs' in operation && operation.ttlMs !== undefined ? 1 : 0
  switch (operation.kind) {
    case 'swap':
      return 3
    case 'add':
      return Object.keys(operation.by).length + lifetime
    case 'append':
      // Told of: the script, the look at the entry before, the message.
      return 1 + lifetime + (operation.tell ? 3 : 0)
    case 'rank':
      return 1 + lifetime
    case 'range':
      return operation.dropBelow === undefined ? 1 : 2
    case 'del':
      return operation.keys.length === 0 ? 0 : 1
    default:
      return 1
  }
}
