import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import { JSON_ANSWER_WINDOW_MS } from '#lib/config/limits'
import { type Deferred, deferred } from '#lib/core/deferred'
import { completeAnswer } from '#lib/mcp/sessions/answer-form'
import { asksTooOften, cannotAskNow, park } from '#lib/mcp/sessions/parking'
import type { Letter } from '#lib/mcp/sessions/records'
import type { Parking, Run, RunHow } from '#lib/mcp/sessions/run-how'
import { createRunKeeper, type RunKeeper } from '#lib/mcp/sessions/run-keeper'
import { type Flushed, openRunLog, type RunLog } from '#lib/mcp/sessions/run-log'
import {
  type Answer,
  type Outgoing,
  type Served,
  serveRun,
  spelledForLegacy,
} from '#lib/mcp/sessions/run-transport'
import { serverFailed, tookTooLong, watchRun } from '#lib/mcp/sessions/run-watch'
import type { RunDeps } from '#lib/mcp/sessions/runs'

/** A run with what changes while it runs. */
interface State extends RunHow {
  readonly deps: RunDeps
  readonly epoch: number
  readonly log: RunLog
  readonly keeper: RunKeeper
  readonly waiting: Map<RequestId, JSONRPCRequest>
  /** Answers that came while plain JSON was still possible. */
  readonly early: Answer[]
  readonly finished: Deferred<void>
  window: ReturnType<typeof setTimeout> | undefined
  stopWatching: () => void
  /** The client does not keep up: its connection reads the log. */
  handedOver: boolean
  served: Served | undefined
  opening: Promise<void> | undefined
  over: boolean
}

/**
 * Runs the requests of one POST. The answer is plain JSON if nothing else is said and it comes soon;
 * otherwise a stream of frames that are written to the client at once and to the log a moment later, so
 * that any instance can go on with it (2025-11-25, Streamable HTTP, "Resumability and Redelivery").
 */
export function startRun(how: RunHow, deps: RunDeps): Run {
  const run = begin(how, deps)
  const { connection } = how

  connection?.onLeft(() => publishLog(run))
  if (connection) run.window = setTimeout(() => void upgrade(run), JSON_ANSWER_WINDOW_MS)
  else {
    run.log.tellReaders()
    void upgrade(run)
  }
  // Mostly there is nothing to watch before there is a stream.
  if (deps.runMaxMs(how.admitted) < JSON_ANSWER_WINDOW_MS) watch(run)
  serve(run).catch((error: unknown) => {
    const { requestId } = how.admitted
    deps.log('error', 'run_failed', { requestId, error: error instanceof Error ? error.name : 'unknown' })
    for (const id of [...run.waiting.keys()]) respond(run, serverFailed(id, requestId))
  })

  return {
    finished: run.finished.promise,
    serves: (id) => !run.over && run.waiting.has(id),
    cancel: (id, reason) => cancel(run, id, reason),
    async drain() {
      if (run.over) return
      run.log.hurry()
      await upgrade(run)
      run.keeper.hurry()
      await run.log.flush().catch(() => undefined)
    },
  }
}

function begin(how: RunHow, deps: RunDeps): State {
  const { session, xid, claimed, requests } = how
  const epoch = claimed?.record.epoch ?? 1
  const { store, follow, wakes } = deps
  const log = openRunLog(
    { sid: session.sid, xid, epoch },
    { store, channel: wakes.channel, onFlushed: (outcome) => noteFlush(run, outcome) },
  )
  const keeper = createRunKeeper(
    { session, xid, epoch, claimed, requests, repeatable: deps.repeatable },
    {
      store,
      follow,
      wakes,
      runLog: log,
      onLetter: (letter) => receive(run, letter),
      onLost: () => stop(run, 'lost'),
    },
  )
  const run: State = {
    ...how,
    deps,
    epoch,
    log,
    keeper,
    waiting: new Map(requests.map((request) => [request.id, request])),
    early: [...(how.answered ?? [])],
    finished: deferred<void>(),
    window: undefined,
    stopWatching: () => undefined,
    handedOver: false,
    served: undefined,
    opening: undefined,
    over: false,
  }
  return run
}

async function serve(run: State): Promise<void> {
  const { server, session, xid, epoch, requests, pushes } = run
  const connected = await serveRun(server, { session, xid, epoch, pushes, outgoing: outgoingOf(run) })
  run.served = connected
  await (run.over ? connected.close() : connected.start(requests))
}

function outgoingOf(run: State): Outgoing {
  return {
    answer(message) {
      const { id } = message
      if (run.over || id === undefined || !run.waiting.has(id)) return
      const parking = run.parking.get(id)
      if (parking) void parkNow(run, id, parking)
      else respond(run, spelledForLegacy(message, run.waiting.get(id)))
    },
    async ask(message) {
      if (run.over) throw new Error('The call is over')
      emit(run, message)
      await upgrade(run)
      if (!run.keeper.registered) throw new Error('The client cannot be asked now')
      await run.log.flush()
    },
    notify(message) {
      if (!run.over) emit(run, message)
    },
    announce: (message) => run.deps.announce(run.session, message),
    closeStream: () => void upgrade(run).then(() => run.connection?.endPolitely()),
  }
}

/** From here on there is a stream, and a log that any instance can read. */
function upgrade(run: State): Promise<void> {
  run.opening ??= open(run)
  return run.opening
}

async function open(run: State): Promise<void> {
  clearTimeout(run.window)
  run.admitted.afterResponse(run.finished.promise)
  watch(run)
  await run.deps.wakes.ready()
  // Without the store nothing can be read again; the client that is connected is still served.
  const registered = await run.keeper.register([...run.waiting.keys()]).catch(() => undefined)
  if (registered?.ended) return stop(run, 'ended')

  const from = { xid: run.xid, epoch: run.epoch, seq: 0 }
  const took = run.connection?.begin(from, { logged: registered !== undefined })
  if (took === false) handOver(run)
  for (const message of run.early.splice(0)) emit(run, message)
  for (const id of registered?.cancelled ?? []) cancel(run, id)
}

/** A call that takes its time does not outlive its connection, nor what may be said of it. */
function watch(run: State): void {
  run.stopWatching()
  run.stopWatching = watchRun({
    admitted: run.admitted,
    maxMs: run.deps.runMaxMs(run.admitted),
    onRefused: () => refuse(run),
    onTooLong: () => {
      for (const id of [...run.waiting.keys()]) respond(run, tookTooLong(id))
    },
  })
}

function emit(run: State, message: JSONRPCMessage): void {
  const frame = run.log.add(message)
  if (!run.handedOver && run.connection?.send(frame) === false) handOver(run)
  void upgrade(run)
}

/** From here on the connection is a reader of the log, which waits for its client. */
function handOver(run: State): void {
  const { connection, session, admitted } = run
  if (!connection?.place) return
  run.handedOver = true
  publishLog(run)
  run.deps.read({ session, connection, after: connection.place, admitted })
}

function respond(run: State, message: Answer): void {
  run.waiting.delete(message.id as RequestId)
  if (run.opening || !run.connection) emit(run, message)
  else run.early.push(message)
  if (run.waiting.size === 0) void complete(run)
}

/** Every request has its answer, or wants none any more. */
async function complete(run: State): Promise<void> {
  const { connection, keeper, early } = run
  if (run.over) return
  run.over = true
  if (!run.opening && connection) {
    const { request } = run.admitted
    if (early.length > 0) connection.answer(completeAnswer(early, { request, batch: run.batch }))
    else connection.end()
  } else {
    await upgrade(run)
    if (!run.handedOver) connection?.end()
    await keeper.close().catch((fault: unknown) => noteFlush(run, { fault }))
  }
  await leave(run)
}

async function leave(run: State): Promise<void> {
  run.over = true
  clearTimeout(run.window)
  run.stopWatching()
  run.keeper.stop()
  run.log.close()
  // Closing stops what still runs; where nothing does it would only cost.
  if (run.pushes || run.waiting.size > 0) await run.served?.close()
  run.finished.resolve()
}

/** Somebody else has it, or nobody may have it any more: nothing of it is written from here. */
function stop(run: State, why: string): void {
  if (run.over) return
  run.deps.log('info', 'run_stopped', { requestId: run.admitted.requestId, why })
  run.connection?.end()
  void leave(run)
}

/** Nothing goes on for a connection that has ended, and nothing is told to it. */
function refuse(run: State): void {
  run.connection?.end()
  for (const id of [...run.waiting.keys()]) cancel(run, id)
}

function cancel(run: State, id: RequestId, reason?: string): void {
  if (run.over || !run.waiting.delete(id)) return
  const params = { requestId: id, ...(reason === undefined ? {} : { reason }) }
  run.served?.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
  if (run.waiting.size === 0) void complete(run)
}

async function parkNow(run: State, id: RequestId, parking: Parking): Promise<void> {
  const rounds = (run.claimed?.record.rounds ?? 0) + 1
  const refused = asksTooOften(id, rounds)
  if (refused) return respond(run, refused)

  await upgrade(run)
  if (run.over) return
  const what = { parking, rounds, requests: run.requests }
  const parked = await park(what, { keeper: run.keeper, log: run.log, clock: run.deps.clock }).catch(
    () => undefined,
  )
  // Cancelled meanwhile: what ends it here comes after what parked it.
  if (run.over) return
  if (!parked) return respond(run, cannotAskNow(id))
  if (parked.cancelled) return cancel(run, id)

  const { connection, session, admitted } = run
  if (!run.handedOver && connection?.open) {
    const upToDate = parked.frames.every((frame) => connection.send(frame))
    // Listening begins before any client can have answered: what was just sent leaves in this very turn.
    const after = connection.place ?? run.log.place
    run.deps.read({ session, connection, after, admitted, upToDate })
  }
  await leave(run)
}

function receive(run: State, letter: Letter): void {
  if (letter.kind === 'message') run.served?.receive(letter.message as JSONRPCMessage)
  else if (letter.kind === 'cancel') cancel(run, letter.id, letter.reason)
  else if (letter.connection !== run.connection?.id) {
    // The client reads on another connection.
    run.connection?.end()
    publishLog(run)
  }
}

function publishLog({ log }: State): void {
  log.tellReaders()
  log.flush().catch(() => undefined)
}

function noteFlush(run: State, outcome: Flushed | { readonly fault: unknown }): void {
  if ('fault' in outcome) run.deps.log('warn', 'run_log_failed', { requestId: run.admitted.requestId })
  else if (outcome.stale) stop(run, 'taken over')
}
