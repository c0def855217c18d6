import type { JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import {
  RUN_BEAT_MS,
  RUN_DONE_MS,
  RUN_DRAIN_BEAT_MS,
  RUN_DRAIN_LEASE_MS,
  RUN_LEASE_MS,
  RUN_LOG_KEEP,
  RUN_MS,
} from '#lib/config/limits'
import { sha256 } from '#lib/core/hash'
import type { Follow } from '#lib/mcp/live/follow'
import { Letter, RunRecord } from '#lib/mcp/sessions/records'
import type { RunLog } from '#lib/mcp/sessions/run-log'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { del, get, read, set, swap } from '#lib/store/operations'
import type { Entry, Operation, Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** What the store knows of a run, kept true by the instance that runs it. */
export interface RunKeeper {
  /** Whether the store knows of the run: other instances can go on with it. */
  readonly registered: boolean
  /** Makes the run known. Answers what was said about it meanwhile, wherever it was said. */
  register(ids: readonly RequestId[]): Promise<Registered>
  /** Changes the record together with what the log has to write. @throws when another instance has the run */
  change(next: Partial<RunRecord>, how: { readonly release: boolean }): Promise<void>
  /** Writes the last frames and marks the run as done. */
  close(): Promise<void>
  /** Keeps the lease short: the process may be killed. */
  hurry(): void
  /** Does nothing more. */
  stop(): void
}

/** What happened to a run before it was registered. */
export interface Registered {
  /** Requests that the client has cancelled. */
  readonly cancelled: readonly RequestId[]
  /** The session was deleted. */
  readonly ended: boolean
}

/** Which run is kept. */
export interface Kept {
  readonly session: LiveSession
  readonly xid: string
  readonly epoch: number
  readonly requests: readonly JSONRPCRequest[]
  readonly claimed?: { readonly text: string; readonly record: RunRecord } | undefined
  /** Whether a request may be run a second time. */
  readonly repeatable: (request: JSONRPCRequest) => boolean
}

/** What keeping needs. */
export interface KeeperDeps {
  readonly store: Store
  readonly follow: Follow
  readonly runLog: RunLog
  readonly onLetter: (letter: Letter) => void
  /** Another instance has it, or the session is gone. */
  readonly onLost: () => void
}

/** The key of a request within its session: ids of a client may be long. */
export const requestKeyPart = async (id: RequestId): Promise<string> =>
  (await sha256(JSON.stringify(id))).slice(0, 22)

/** Keeps a run. Its lease is a key with a lifetime: only the store's clock counts. */
export function createRunKeeper(kept: Kept, deps: KeeperDeps): RunKeeper {
  const { session, xid, epoch, claimed } = kept
  const { store, runLog } = deps
  const recordKey = keys.mcpRun(session.sid, xid)
  const lease = keys.mcpRunLease(session.sid, xid)
  const mailbox = keys.mcpMailbox(session.sid, xid)
  const stopped = new AbortController()
  let text = claimed?.text
  let record = claimed?.record
  let requestKeys: readonly string[] = []
  let hurrying: ReturnType<typeof setInterval> | undefined

  const renew = () => set(lease, '1', { ttlMs: hurrying ? RUN_DRAIN_LEASE_MS : RUN_LEASE_MS })

  async function beat(after: string): Promise<readonly Entry[]> {
    const [, current, ended, letters] = await store.batch(
      renew(),
      get(recordKey, { fresh: true }),
      get(keys.mcpEnded(session.sid), { fresh: true }),
      read(mailbox, { after, limit: RUN_LOG_KEEP }),
    )
    const mine = current !== null && parseRecord(RunRecord, current).epoch === epoch
    if (!stopped.signal.aborted && (!mine || ended !== null)) deps.onLost()
    return letters
  }

  function listen(): void {
    const onEntries = (entries: readonly Entry[]) => {
      for (const { data } of entries) deps.onLetter(parseRecord(Letter, data))
    }
    deps.follow({ log: mailbox, after: '0-0', pollMs: RUN_BEAT_MS, read: beat, onEntries }, stopped.signal)
  }

  async function registration(ids: readonly RequestId[]): Promise<Registered> {
    const repeatable = kept.requests.every(kept.repeatable)
    const parts = await Promise.all(ids.map(requestKeyPart))
    requestKeys = parts.map((part) => keys.mcpRequest(session.sid, part))
    record = {
      v: 1,
      status: 'running',
      epoch,
      tries: 1,
      by: xid,
      rounds: 0,
      ids: [...ids],
      requests: repeatable ? kept.requests : [],
      repeatable,
    }
    text = JSON.stringify(record)
    const operations: Operation[] = [
      set(recordKey, text, { ttlMs: RUN_MS }),
      renew(),
      get(keys.mcpEnded(session.sid), { fresh: true }),
      ...requestKeys.map((key) => set(key, xid, { ttlMs: RUN_MS })),
      ...parts.map((part) => get(keys.mcpCancelled(session.sid, part), { fresh: true })),
    ]
    const [, , ended, ...others] = await store.batch(...operations)
    const markers = others.slice(parts.length)
    return { cancelled: ids.filter((_, index) => markers[index] !== null), ended: ended !== null }
  }

  return {
    get registered() {
      return text !== undefined
    },

    async register(ids) {
      if (claimed) {
        listen()
        return { cancelled: [], ended: false }
      }
      const known = await registration(ids).catch((error: unknown) => {
        text = undefined
        throw error
      })
      if (!stopped.signal.aborted) listen()
      return known
    },

    async change(next, { release }) {
      if (text === undefined || !record) throw new Error('the run is not registered')
      const changed: RunRecord = { ...record, ...next }
      const written = JSON.stringify(changed)
      const { answers, stale } = await runLog.flush({
        first: [swap(recordKey, text, written, RUN_MS)],
        last: release ? [del(lease)] : [],
      })
      const swapped = answers[0] as { readonly done: boolean; readonly current?: string | null }
      if (stale || (!swapped.done && swapped.current !== written))
        throw new Error('another instance has the run')
      text = written
      record = changed
    },

    async close() {
      if (text === undefined || !record) return
      const done = JSON.stringify({ ...record, status: 'done', requests: [], answers: undefined })
      await runLog.flush({
        end: true,
        last: [swap(recordKey, text, done, RUN_DONE_MS), del(lease, mailbox, ...requestKeys)],
      })
    },

    hurry() {
      hurrying ??= setInterval(() => store.run(renew()).catch(() => undefined), RUN_DRAIN_BEAT_MS)
      store.run(renew()).catch(() => undefined)
    },

    stop() {
      clearInterval(hurrying)
      stopped.abort()
    },
  }
}
