import {
  SUBSCRIPTION_PAUSE_MAX_MS,
  SUBSCRIPTION_PAUSE_MIN_MS,
  SUBSCRIPTION_RENEW_MS,
} from '#lib/config/limits'
import type { Listener } from '#lib/store/port'
import { linkedAbort } from '#lib/store/redis/linked-abort'

/** A connection that listens. */
export interface Connection {
  /** Resolves when it no longer listens, for whatever reason. */
  readonly ended: Promise<void>
}

type Connect = (onMessage: (message: string) => void, signal: AbortSignal) => Promise<Connection>

/**
 * Listens until `signal` aborts: takes up a lost connection again, for as long as it takes, and renews a
 * living one now and then, because a connection may die without a word. Each time `onGap` is called.
 *
 * @throws what `connect` throws, when the first connection cannot be made
 */
export async function keepListening(how: {
  connect: Connect
  listener: Listener
  signal: AbortSignal
  renewMs?: number
}): Promise<void> {
  const { connect, listener, signal, renewMs = SUBSCRIPTION_RENEW_MS } = how
  const onMessage = (message: string) => {
    if (!signal.aborted) listener.onMessage(message)
  }
  const start = () => connectFor(renewMs, { connect, onMessage, signal })

  const first = await start()
  listenAgain(first, { start, onGap: () => listener.onGap(), signal }).catch(() => undefined)
}

/** Connects for a while: the connection ends after `ms` at the latest. */
async function connectFor(
  ms: number,
  how: { connect: Connect; onMessage: (message: string) => void; signal: AbortSignal },
): Promise<Connection> {
  const over = linkedAbort(how.signal)
  const timer = setTimeout(() => over.abort(), ms)
  const release = () => {
    clearTimeout(timer)
    over.abort()
  }
  try {
    const { ended } = await how.connect(how.onMessage, over.signal)
    return { ended: ended.finally(release) }
  } catch (error) {
    release()
    throw error
  }
}

async function listenAgain(
  first: Connection,
  how: { start: () => Promise<Connection>; onGap: () => void; signal: AbortSignal },
): Promise<void> {
  const { start, onGap, signal } = how
  let pauseMs = SUBSCRIPTION_PAUSE_MIN_MS
  let current: Connection | undefined = first
  for (;;) {
    await current?.ended
    if (signal.aborted) return

    current = await start().catch(() => undefined)
    if (current) {
      pauseMs = SUBSCRIPTION_PAUSE_MIN_MS
      onGap()
    } else {
      await pause(pauseMs, signal)
      pauseMs = Math.min(2 * pauseMs, SUBSCRIPTION_PAUSE_MAX_MS)
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
