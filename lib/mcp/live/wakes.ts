import { SUBSCRIPTION_PAUSE_MAX_MS, SUBSCRIPTION_PAUSE_MIN_MS, WAKE_LINGER_MS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import { readMessage, type ToldEntry } from '#lib/store/message'
import { publish } from '#lib/store/operations'
import type { Operation, Store } from '#lib/store/port'

/** An entry was appended to a log. */
export type Wake = Omit<ToldEntry, 'log'>

export interface WakeListener {
  onWake(wake: Wake): void
  /** Wake-ups may have been missed: read. */
  onGap(): void
}

/** Hints that something was appended somewhere. They may be lost or doubled: ids decide, and polling heals. */
export interface Wakes {
  /** Hears of entries appended with `tell` to this log, or of what `hint` says under its name. */
  listen(log: string, listener: WakeListener): () => void
  /** Resolves when wake-ups sent from now on will be heard; at once when they are off. Never rejects. */
  ready(): Promise<void>
  /** Wakes the listeners of a name without any log; nothing when wake-ups are off. For a batch. */
  hint(name: string, note: string): Extract<Operation, { kind: 'publish' }>[]
  /** For `tell` of `append`; `undefined` when wake-ups are off. */
  readonly channel: string | undefined
  /** Connections that listen now: 0 or 1. */
  readonly connections: number
}

/** One channel for all: an instance holds one connection, however many logs its streams follow. */
const CHANNEL = 'wake'

/**
 * Wake-ups of this instance. Its one subscription is open only while somebody listens, and a little longer.
 *
 * @param store - absent: wake-ups are off, and everything is found by polling
 */
export function createWakes(
  store: Pick<Store, 'subscribe'> | undefined,
  { clock, lingerMs = WAKE_LINGER_MS }: { readonly clock: Clock; readonly lingerMs?: number },
): Wakes {
  const listeners = new Map<string, Set<WakeListener>>()
  let subscription: Subscription | undefined
  let idleSince = 0
  let lingering: ReturnType<typeof setTimeout> | undefined

  function onMessage(message: string): void {
    const told = readMessage(message)
    if (!told) return
    const { log, ...wake } = told
    for (const listener of [...(listeners.get(log) ?? [])]) listener.onWake(wake)
  }

  function onGap(): void {
    for (const those of [...listeners.values()]) for (const listener of [...those]) listener.onGap()
  }

  function open(): Subscription | undefined {
    if (!store) return undefined
    // A frozen instance thaws with a connection that is dead without knowing it.
    if (listeners.size === 0 && clock() - idleSince > lingerMs) close()
    subscription ??= subscribe(store, { onMessage, onGap })
    return subscription
  }

  function close(): void {
    clearTimeout(lingering)
    subscription?.stop()
    subscription = undefined
  }

  function linger(): void {
    idleSince = clock()
    clearTimeout(lingering)
    lingering = setTimeout(close, lingerMs)
  }

  return {
    listen(log, listener) {
      open()
      clearTimeout(lingering)
      const those = listeners.get(log) ?? new Set()
      listeners.set(log, those.add(listener))
      return () => {
        if (!those.delete(listener) || those.size > 0) return
        if (listeners.get(log) === those) listeners.delete(log)
        if (listeners.size === 0) linger()
      }
    },
    async ready() {
      const opened = open()
      if (listeners.size === 0) linger()
      await opened?.first
    },
    hint: (name, note) => (store ? [publish(CHANNEL, JSON.stringify({ l: name, i: note, p: '' }))] : []),
    channel: store ? CHANNEL : undefined,
    get connections() {
      return subscription ? 1 : 0
    },
  }
}

interface Subscription {
  /** Settles when the first attempt did. */
  readonly first: Promise<void>
  stop(): void
}

/** Subscribes, and tries again for as long as it is wanted: the store keeps up only what was once up. */
function subscribe(
  store: Pick<Store, 'subscribe'>,
  listener: { onMessage(message: string): void; onGap(): void },
): Subscription {
  const wanted = new AbortController()
  let again: ReturnType<typeof setTimeout> | undefined

  async function attempt(pauseMs: number): Promise<void> {
    try {
      await store.subscribe(CHANNEL, listener, wanted.signal)
      if (pauseMs > SUBSCRIPTION_PAUSE_MIN_MS) listener.onGap()
    } catch {
      if (wanted.signal.aborted) return
      const next = Math.min(2 * pauseMs, SUBSCRIPTION_PAUSE_MAX_MS)
      again = setTimeout(() => void attempt(next), pauseMs)
    }
  }

  return {
    first: attempt(SUBSCRIPTION_PAUSE_MIN_MS),
    stop() {
      clearTimeout(again)
      wanted.abort()
    },
  }
}
