/**
 * The only way to shared state: few operations, each atomic on its one key. Values are strings; whoever
 * writes a record owns its encoding. Lifetimes are milliseconds and end in `Ms`.
 *
 * Rules are decided in TypeScript and committed with `swap`, so that they exist once and are tested as
 * tables. Any command may run twice (a lost reply is retried once): decisions must survive that.
 *
 * Whatever is not answered within the time budget throws `StoreUnavailable`. It never reads as "absent".
 */

/** One record of a log. Ids are `<ms>-<seq>` and increase within a log. */
export interface Entry {
  readonly id: string
  readonly data: string
}

/** One member of an ordered index. */
export interface Ranked {
  readonly member: string
  readonly score: number
}

/** What came of a `swap`: done, or the value that was there instead (`null`: nothing). */
export type Swapped = { readonly done: true } | { readonly done: false; readonly current: string | null }

/** What came of an `append`: the entry's id, or `stale` when a given id is not greater than the last one. */
export type Appended = { readonly id: string } | { readonly stale: true }

/**
 * Whom an `append` wakes in the same atomic step (ADR 0015): the listeners of a channel hear
 * `{"l": log, "i": id, "p": id of the entry before it or "0-0", "d": data}`, without `d` when the data is longer
 * than `TELL_DATA_MAX_LENGTH`. Nothing is published when the append was stale.
 */
export interface Tell {
  readonly channel: string
  /** The log's name as its readers know it, without the deployment's prefix. */
  readonly log: string
}

/** An operation as a value. Build it with the functions of `operations.ts`; run it with `Store.batch`. */
export type Operation =
  | { readonly kind: 'get'; readonly key: string; readonly fresh: boolean; readonly touchMs?: number }
  | {
      readonly kind: 'set'
      readonly key: string
      readonly value: string
      readonly ttlMs?: number
      readonly ifAbsent: boolean
    }
  | { readonly kind: 'take'; readonly key: string }
  | {
      readonly kind: 'swap'
      readonly key: string
      readonly expected: string
      /** `null` deletes. */
      readonly next: string | null
      /** Absent: the key keeps the lifetime it has. */
      readonly ttlMs?: number
    }
  | { readonly kind: 'del'; readonly keys: readonly string[] }
  | {
      readonly kind: 'add'
      readonly key: string
      readonly by: Readonly<Record<string, number>>
      /** Given to a counter that has no lifetime yet; later calls do not extend it. */
      readonly ttlMs?: number
    }
  | { readonly kind: 'sums'; readonly key: string }
  | {
      readonly kind: 'append'
      readonly log: string
      readonly data: string
      /** `<ms>-<seq>`; absent: the store assigns the next one. */
      readonly id?: string
      /** Exactly so many of the newest entries stay. */
      readonly keep: number
      readonly ttlMs?: number
      /** Absent: nobody is woken. */
      readonly tell?: Tell
    }
  | {
      readonly kind: 'read'
      readonly log: string
      /** Exclusive bounds. */
      readonly after?: string
      readonly before?: string
      readonly limit: number
      readonly newestFirst: boolean
    }
  | {
      readonly kind: 'rank'
      readonly index: string
      readonly member: string
      readonly score: number
      readonly ttlMs?: number
    }
  | { readonly kind: 'unrank'; readonly index: string; readonly member: string }
  | {
      readonly kind: 'range'
      readonly index: string
      /** Inclusive bounds. */
      readonly min?: number
      readonly max?: number
      readonly offset?: number
      readonly limit: number
      readonly highestFirst: boolean
      /** Members under this score are forgotten first. */
      readonly dropBelow?: number
    }
  | { readonly kind: 'publish'; readonly channel: string; readonly message: string }

/** What each kind of operation answers. */
export interface Answers {
  readonly get: string | null
  readonly set: boolean
  readonly take: string | null
  readonly swap: Swapped
  readonly del: undefined
  readonly add: Readonly<Record<string, number>>
  readonly sums: Readonly<Record<string, number>>
  readonly append: Appended
  readonly read: readonly Entry[]
  readonly rank: undefined
  readonly unrank: undefined
  readonly range: readonly Ranked[]
  readonly publish: undefined
}

export type AnswersTo<Operations extends readonly Operation[]> = {
  -readonly [Index in keyof Operations]: Answers[Operations[Index]['kind']]
}

/** Where the subscriber hears of wake-ups. At most once each, never the only copy of anything. */
export interface Listener {
  onMessage(message: string): void
  /** The connection was lost and is back: messages may be missing, so read the log again. */
  onGap(): void
}

/** Shared state. See the file comment for what every operation promises. */
export interface Store {
  /** Runs one operation: one request. */
  run<One extends Operation>(operation: One): Promise<Answers[One['kind']]>
  /**
   * Runs several operations in one request, in order, each atomic by itself (not together).
   *
   * @throws StoreUnavailable when any of them failed or nothing was answered in time
   */
  batch<const Operations extends readonly Operation[]>(
    ...operations: Operations
  ): Promise<AnswersTo<Operations>>
  /** Resolves once listening; listens until `signal` aborts. */
  subscribe(channel: string, listener: Listener, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/**
 * The store did not answer, or answered with a fault of its own. The caller answers 503 with `Retry-After`;
 * it never means that something is absent. The message names the operation and never a key or a value.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
