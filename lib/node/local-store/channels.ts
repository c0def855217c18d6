import type { Listener } from '#lib/store/port'

/** Wake-ups within one process. No connection is ever lost, so `onGap` is never called. */
export function createChannels() {
  const channels = new Map<string, Set<Listener>>()

  return {
    /** Tells the listeners of a channel, after whoever published has gone on. */
    publish(channel: string, message: string): void {
      for (const listener of channels.get(channel) ?? []) {
        queueMicrotask(() => {
          if (channels.get(channel)?.has(listener)) listener.onMessage(message)
        })
      }
    },

    subscribe(channel: string, listener: Listener, signal: AbortSignal): void {
      if (signal.aborted) return
      // Each subscription is its own, also of the same listener.
      const own: Listener = { onMessage: (message) => listener.onMessage(message), onGap: () => undefined }
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(own))
      signal.addEventListener('abort', () => listeners.delete(own), { once: true })
    },
  }
}
