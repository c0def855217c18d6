/** How many streams may be open, and for how long. */
export interface StreamLimits {
  /** A stream ends politely before the platform would cut it. */
  readonly maxSeconds: number
  readonly perAccount: number
  readonly perInstance: number
}

/** One open stream, as the budget sees it. */
interface OpenStream {
  readonly accountId: string
  /** Ends it, gracefully. `room`: a newer stream of the account takes its place. */
  end(why: 'time' | 'room' | 'stop'): void
  /** No later than this from now, whatever `maxSeconds` says: the token behind it expires. */
  readonly atMostSeconds: number
}

/**
 * The open streams of this instance. Each account has a budget, so that one cannot use up the instance, and
 * a serverless bill is bounded.
 */
export interface Streams {
  hasRoom(accountId: string): boolean
  /** Ends the oldest of the account where that makes room for another; `false`: the instance is full. */
  makeRoom(accountId: string): boolean
  /** Counts a stream until the returned function is called, and ends it in time. */
  hold(stream: OpenStream): () => void
  /** Ends them all: the process is about to stop. */
  endAll(): void
  readonly open: number
}

/** Makes the budget. `after` runs a callback later and returns what cancels it. */
export function createStreams(limits: StreamLimits, after: After = timer): Streams {
  const open = new Set<OpenStream>()
  const perAccount = new Map<string, number>()

  const isAtLimit = (accountId: string) => (perAccount.get(accountId) ?? 0) >= limits.perAccount

  return {
    hasRoom: (accountId) => open.size < limits.perInstance && !isAtLimit(accountId),

    makeRoom(accountId) {
      if (isAtLimit(accountId)) [...open].find((stream) => stream.accountId === accountId)?.end('room')
      return open.size < limits.perInstance && !isAtLimit(accountId)
    },

    hold(stream) {
      const { accountId } = stream
      open.add(stream)
      perAccount.set(accountId, (perAccount.get(accountId) ?? 0) + 1)
      const seconds = Math.max(0, Math.min(limits.maxSeconds, stream.atMostSeconds))
      const cancel = after(seconds * 1000, () => stream.end('time'))

      return () => {
        if (!open.delete(stream)) return
        cancel()
        const left = (perAccount.get(accountId) ?? 1) - 1
        if (left > 0) perAccount.set(accountId, left)
        else perAccount.delete(accountId)
      }
    },

    endAll() {
      for (const stream of [...open]) stream.end('stop')
    },

    get open() {
      return open.size
    },
  }
}

/** Runs `act` once after so many milliseconds; the returned function cancels it. */
export type After = (ms: number, act: () => void) => () => void

const timer: After = (ms, act) => {
  const id = setTimeout(act, ms)
  return () => clearTimeout(id)
}
