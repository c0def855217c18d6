import type { JSONRPCNotification, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import {
  CALLS_PER_ACCOUNT,
  READERS_PER_ACCOUNT,
  RUN_DONE_MS,
  RUN_LEASE_MS,
  RUN_LOG_KEEP,
  RUN_MS,
  RUN_TRIES_MAX,
} from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import type { Follow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { logId } from '#lib/mcp/sessions/event-id'
import { type Reading, readRun } from '#lib/mcp/sessions/reader'
import { RunRecord } from '#lib/mcp/sessions/records'
import { startRun } from '#lib/mcp/sessions/run'
import type { RunConnection } from '#lib/mcp/sessions/run-connection'
import type { Run } from '#lib/mcp/sessions/run-how'
import { openRunLog, readFrames } from '#lib/mcp/sessions/run-log'
import { createRunServer, type RunServer, type RunServerDeps } from '#lib/mcp/sessions/run-server'
import type { Answer } from '#lib/mcp/sessions/run-transport'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { sessionStatistics } from '#lib/mcp/sessions/statistics'
import type { Log } from '#lib/observability/log'
import { keys } from '#lib/store/keys'
import { append, del, read as readLog, set, swap } from '#lib/store/operations'
import type { Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** What runs share. */
export interface RunDeps {
  readonly store: Store
  readonly wakes: Wakes
  readonly follow: Follow
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How long a run may work, ms: counted from the request that it works under. */
  readonly runMaxMs: (admitted: Admitted) => number
  /** Whether a request may be run again when its instance was lost. */
  readonly repeatable: (request: JSONRPCRequest) => boolean
  /** A message for the session's own stream. */
  readonly announce: (session: LiveSession, message: JSONRPCNotification) => void
  readonly read: (reading: Reading) => void
  /** Resolves when there is something new to read of it, or nothing could be done. */
  readonly takeUp: (lost: Lost) => Promise<void>
}

/** A run whose instance was lost, or whose person never answered. */
export interface Lost {
  readonly session: LiveSession
  readonly xid: string
  /** Its record as it stands in the store. */
  readonly text: string
  readonly admitted: Admitted
}

/** A new POST. */
export interface Starting {
  readonly session: LiveSession
  readonly requests: readonly JSONRPCRequest[]
  readonly batch: boolean
  /** Answers to other requests of the same batch. */
  readonly answered: readonly Answer[]
  readonly admitted: Admitted
  readonly connection: RunConnection
  readonly runServer: RunServer
}

/** The runs of this instance. */
export interface Runs {
  /** Whether an account may have one more call work here. */
  hasRoom(accountId: string): boolean
  /** Runs the requests of a POST; the connection carries the answer. */
  start(starting: Starting): void
  /** Goes on with a run whose record was claimed with this text; readers hear of it by its log. */
  goOn(claimed: { readonly text: string; readonly record: RunRecord } & Omit<Lost, 'text'>): void
  /** Sends what a run says from a place on. */
  read(reading: Reading): void
  /** Cancels a request that runs here. */
  cancel(sid: string, id: RequestId, reason?: string): void
  /** The process is about to stop. */
  drain(): Promise<void>
  /** Runs and readers here. */
  readonly open: number
  /** Whether a call of the session runs here. */
  busy(sid: string): boolean
}

/** What runs are made of. */
export type RunsDeps = Omit<RunDeps, 'read' | 'takeUp'> & RunServerDeps

/** Keeps the runs of this instance. */
export function createRuns(deps: RunsDeps): Runs {
  const running = new Map<Run, LiveSession>()
  const readers = new Map<RunConnection, string>()
  /** What comes after the signal to stop is still served, as something that may be cut at any moment. */
  let draining = false
  const runDeps: RunDeps = { ...deps, read, takeUp }

  function launch(how: Parameters<typeof startRun>[0]): void {
    const run = startRun(how, runDeps)
    running.set(run, how.session)
    if (draining) void run.drain()
    void run.finished.then(() => running.delete(run))
  }

  function read(reading: Reading): void {
    const { connection } = reading
    makeRoom(reading.session.accountId)
    readers.set(connection, reading.session.accountId)
    connection.onEnded(() => readers.delete(connection))
    if (draining) connection.endPolitely()
    else readRun(reading, runDeps)
  }

  /** The oldest reader of an account ends for the newest: its client comes back when there is room. */
  function makeRoom(accountId: string): void {
    const own = [...readers].filter(([, owner]) => owner === accountId)
    if (own.length >= READERS_PER_ACCOUNT) own[0]?.[0].endPolitely()
  }

  async function takeUp(lost: Lost): Promise<void> {
    if (draining) return
    const taken = claim(lost, deps).then(async (claimed) => {
      if (!claimed) return
      const { requests } = claimed.record
      // It goes on under the token that reads: that has to be allowed the call.
      const lacking = claimed.repeat && (await createRunServer(deps, { ...lost, requests }).lackingScopes())
      if (claimed.repeat && !lacking) goOn({ ...lost, ...claimed })
      else await giveUp(lost, claimed, deps)
    })
    const done = taken.catch(() => {
      deps.log('warn', 'run_not_taken_up', { requestId: lost.admitted.requestId })
    })
    lost.admitted.afterResponse(done)
    await done
  }

  function goOn({ session, xid, admitted, text, record }: Parameters<Runs['goOn']>[0]): void {
    const open = record.requests.filter(({ id }) => record.ids.includes(id))
    const requests = open.map((request) => withAnswers(request, record))
    const runServer = createRunServer(deps, { session, requests, admitted })
    launch({ session, xid, requests, batch: false, admitted, claimed: { text, record }, ...runServer })
  }

  return {
    hasRoom: (accountId) =>
      [...running.values()].filter((owner) => owner.accountId === accountId).length < CALLS_PER_ACCOUNT,
    start: ({ runServer, ...starting }) => launch({ ...starting, ...runServer, xid: deps.random(16) }),
    goOn,
    read,
    cancel(sid, id, reason) {
      for (const [run, owner] of running) if (owner.sid === sid && run.serves(id)) run.cancel(id, reason)
    },
    async drain() {
      draining = true
      for (const connection of [...readers.keys()]) connection.endPolitely()
      await Promise.all([...running.keys()].map((run) => run.drain()))
    },
    get open() {
      return running.size + readers.size
    },
    busy: (sid) => [...running.values()].some((owner) => owner.sid === sid),
  }
}

/** The request as it is run again: with what the person answered, under the names of 2026-07-28. */
function withAnswers(request: JSONRPCRequest, { answers, requestState }: RunRecord): JSONRPCRequest {
  if (requestState === undefined && answers === undefined) return request
  return {
    ...request,
    params: {
      ...request.params,
      ...(answers === undefined ? {} : { inputResponses: answers }),
      ...(requestState === undefined ? {} : { requestState }),
    },
  }
}

interface Claimed {
  readonly text: string
  readonly record: RunRecord
  readonly repeat: boolean
}

/** Takes a run over, if nobody else did. The first entry of the new epoch shuts out whoever had it. */
async function claim(
  { session, xid, text }: Lost,
  { store, random }: RunsDeps,
): Promise<Claimed | undefined> {
  const { sid } = session
  const lost = parseRecord(RunRecord, text)
  const taken = { status: 'running', epoch: lost.epoch + 1, tries: lost.tries + 1, by: random(12) } as const
  const record: RunRecord = { ...lost, ...taken }
  const next = JSON.stringify(record)
  // The lease first: nobody may find the record claimed and its lease gone.
  const [, swapped] = await store.batch(
    set(keys.mcpRunLease(sid, xid), '1', { ttlMs: RUN_LEASE_MS }),
    swap(keys.mcpRun(sid, xid), text, next, RUN_MS),
  )
  if (!swapped.done && swapped.current !== next) return undefined

  const log = keys.mcpRunLog(sid, xid)
  const fence = append(log, JSON.stringify({ m: [] }), {
    id: logId({ epoch: record.epoch, seq: 0 }),
    keep: RUN_LOG_KEEP,
    ttlMs: RUN_MS,
  })
  const [, entries] = await store.batch(fence, readLog(log, { limit: RUN_LOG_KEEP }))
  const { frames, ended } = readFrames(entries, { xid, epoch: 0, seq: 0 })
  // It ended while it was taken for lost.
  if (ended) return undefined
  const answered = new Set(frames.map(({ message }) => ('method' in message ? undefined : message.id)))
  return {
    text: next,
    record: { ...record, ids: record.ids.filter((id) => !answered.has(id)) },
    repeat: lost.status === 'running' && lost.repeatable && record.tries <= RUN_TRIES_MAX,
  }
}

/** Ends a run that nobody can finish: the client is told instead of waiting for ever. */
async function giveUp({ session, xid, text }: Lost, claimed: Claimed, deps: RunsDeps): Promise<void> {
  const { sid } = session
  const { record } = claimed
  const log = openRunLog(
    { sid, xid, epoch: record.epoch },
    { store: deps.store, channel: deps.wakes.channel, onFlushed: () => undefined },
  )
  log.tellReaders()
  const unanswered = parseRecord(RunRecord, text).status === 'parked'
  for (const id of record.ids) {
    log.add({ jsonrpc: '2.0', id, error: unanswered ? nobodyAnswered : executorLost })
  }
  const done = JSON.stringify({ ...record, status: 'done', requests: [] })
  await log.flush({
    end: true,
    last: [
      swap(keys.mcpRun(sid, xid), claimed.text, done, RUN_DONE_MS),
      del(keys.mcpRunLease(sid, xid), keys.mcpMailbox(sid, xid)),
      ...sessionStatistics(deps.clock(), session, { lost: 1 }),
    ],
  })
  deps.log('warn', 'run_lost', { client: session.client.name, unanswered })
}

const executorLost = {
  code: -32_603,
  message: 'The instance that ran this call stopped before it finished. What it did until then stands.',
  data: { reason: 'executor_lost' },
}

const nobodyAnswered = {
  code: -32_603,
  message: 'Nobody answered the question of this call in time.',
  data: { reason: 'not_answered' },
}
