import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'

/**
 * Tells open streams that something changed. Every event belongs to one account: nobody can listen to what
 * is somebody else's, whatever URI they name.
 */
export interface ChangeBus {
  /** Returns at once; delivery to streams of other instances is best effort. */
  publish(accountId: string, event: ServerEvent): void
  /** The view of one account, in the form the SDK listens to. */
  scoped(accountId: string): ServerEventBus
  /** Resolves when events published from now on, on any instance, will be heard. */
  ready(accountId: string): Promise<void>
}

/** A bus within one process. The distributed one takes its place behind the same interface. */
export function createLocalBus(): ChangeBus {
  const listeners = new Map<string, Set<(event: ServerEvent) => void>>()

  function publish(accountId: string, event: ServerEvent): void {
    for (const listener of [...(listeners.get(accountId) ?? [])]) listener(event)
  }

  function subscribe(accountId: string, listener: (event: ServerEvent) => void): () => void {
    const own = listeners.get(accountId) ?? new Set()
    listeners.set(accountId, own.add(listener))
    return () => {
      own.delete(listener)
      if (own.size === 0 && listeners.get(accountId) === own) listeners.delete(accountId)
    }
  }

  return {
    publish,
    scoped: (accountId) => ({
      publish: (event) => publish(accountId, event),
      subscribe: (listener) => subscribe(accountId, listener),
    }),
    ready: async () => undefined,
  }
}
