import type { JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import {
  RUN_BEAT_MS,
  RUN_DRAIN_BEAT_MS,
  RUN_DRAIN_LEASE_MS,
  RUN_LEASE_MS,
  RUN_LOG_KEEP,
  RUN_MS,
  RUN_REQUESTS_MAX_LENGTH,
} from '#lib/config/limits'
import type { Follow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { jsonLength } from '#lib/mcp/sessions/json-length'
import { type KeptRecord, keepRecord, requestKeyPart } from '#lib/mcp/sessions/kept-record'
import { type Letter, RunRecord, readLetter } from '#lib/mcp/sessions/records'
import type { RunLog } from '#lib/mcp/sessions/run-log'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { del, get, read, set } from '#lib/store/operations'
import type { Entry, Operation, Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** What the store knows of a run, kept true by the instance that runs it. */
export interface RunKeeper extends Pick<KeptRecord, 'change'> {
  /** Writes the last frames and marks the run as done. */
  close(): Promise<void>
  /** Whether the store knows of the run: other instances can go on with it. */
  readonly registered: boolean
  /** Makes the run known. Answers what was said about it meanwhile, wherever it was said. */
  register(ids: readonly RequestId[]): Promise<Registered>
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
  readonly wakes: Wakes
  readonly runLog: RunLog
  readonly onLetter: (letter: Letter) => void
  /** Another instance has it, or the session is gone. */
  readonly onLost: () => void
}

/** Keeps a run. Its lease is a key with a lifetime: only the store's clock counts. */
export function createRunKeeper(kept: Kept, deps: KeeperDeps): RunKeeper {
  const { claimed } = kept
  const names = namesOf(kept)
  const { store } = deps
  const record = keepRecord({ sid: kept.session.sid, xid: kept.xid }, { runLog: deps.runLog, claimed })
  let requestKeys: readonly string[] = []
  let stopped = false
  /** Most calls are answered before there is anything to listen to. */
  let listening: AbortController | undefined
  let hurrying: ReturnType<typeof setInterval> | undefined

  const renew = () => set(names.lease, '1', { ttlMs: hurrying ? RUN_DRAIN_LEASE_MS : RUN_LEASE_MS })

  async function beat(after: string): Promise<readonly Entry[]> {
    const [, current, ended, letters] = await store.batch(
      renew(),
      get(names.record, { fresh: true }),
      get(names.ended, { fresh: true }),
      read(names.mailbox, { after, limit: RUN_LOG_KEEP }),
    )
    if (stopped) return letters
    const taken = current !== null && parseRecord(RunRecord, current).epoch !== kept.epoch
    if (taken || ended !== null) deps.onLost()
    // The store has lost it: its client is connected, and the call goes on.
    else if (current === null && record.known) {
      await store.run(set(names.record, record.known.text, { ttlMs: RUN_MS, ifAbsent: true }))
    }
    return letters
  }

  function listen(): void {
    if (stopped) return
    listening = new AbortController()
    const { signal } = listening
    const onEntries = (entries: readonly Entry[]) => {
      for (const { data } of entries) {
        const letter = readLetter(data)
        if (letter) deps.onLetter(letter)
      }
    }
    const from = { log: names.mailbox, after: '0-0', pollMs: RUN_BEAT_MS, read: beat, onEntries }
    // One that was taken up may have letters from when nobody read them. Nobody writes to one that is parked.
    deps.follow({ ...from, readFirst: (claimed?.record.tries ?? 1) > 1 }, signal)
    const onWake = () => void beat('0-0').catch(() => undefined)
    const stopHearing = deps.wakes.listen(names.ended, { onWake, onGap: () => undefined })
    signal.addEventListener('abort', stopHearing)
  }

  return {
    get registered() {
      return record.known !== undefined
    },

    async register(ids) {
      const made = claimed ? undefined : await registration(kept, ids, renew())
      const answers = made && (await store.batch(...made.operations))
      if (made) {
        record.made(made)
        requestKeys = made.requestKeys
      }
      listen()
      return made && answers ? made.read(answers) : { cancelled: [], ended: false }
    },

    change: record.change,

    close: () => record.close(del(names.lease, names.mailbox, ...requestKeys)),

    hurry() {
      if (stopped) return
      hurrying ??= setInterval(() => store.run(renew()).catch(() => undefined), RUN_DRAIN_BEAT_MS)
      store.run(renew()).catch(() => undefined)
    },

    stop() {
      clearInterval(hurrying)
      stopped = true
      listening?.abort()
    },
  }
}

const namesOf = ({ session: { sid }, xid }: Kept) => ({
  record: keys.mcpRun(sid, xid),
  lease: keys.mcpRunLease(sid, xid),
  mailbox: keys.mcpMailbox(sid, xid),
  ended: keys.mcpEnded(sid),
})

/** What registers a run: its record, its lease, and the way to it from the ids of its requests. */
async function registration(kept: Kept, ids: readonly RequestId[], lease: Operation) {
  const { session, xid, epoch, requests } = kept
  const repeatable = requests.every(kept.repeatable) && jsonLength(requests) <= RUN_REQUESTS_MAX_LENGTH
  const parts = await Promise.all(ids.map(requestKeyPart))
  const requestKeys = parts.map((part) => keys.mcpRequest(session.sid, part))
  const record: RunRecord = {
    v: 1,
    status: 'running',
    epoch,
    tries: 1,
    by: xid,
    rounds: 0,
    ids: [...ids],
    requests: repeatable ? requests : [],
    repeatable,
  }
  const text = JSON.stringify(record)
  const names = namesOf(kept)
  const operations: readonly Operation[] = [
    set(names.record, text, { ttlMs: RUN_MS }),
    lease,
    get(names.ended, { fresh: true }),
    ...requestKeys.map((key) => set(key, xid, { ttlMs: RUN_MS })),
    // Read after the way to the run was written: a cancellation does it the other way round.
    ...parts.map((part) => get(keys.mcpCancelled(session.sid, part), { fresh: true })),
  ]
  const read = ([, , ended, ...others]: readonly unknown[]): Registered => {
    const markers = others.slice(parts.length)
    return { cancelled: ids.filter((_, index) => markers[index] !== null), ended: ended !== null }
  }
  return { text, record, requestKeys, operations, read }
}
