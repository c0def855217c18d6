import { RUN_MAX_MS } from '#lib/config/limits'
import type { Random } from '#lib/core/random'
import type { Admitted } from '#lib/mcp/admitted'
import type { ChangeBus } from '#lib/mcp/bus'
import type { Follow } from '#lib/mcp/live/follow'
import type { Wakes } from '#lib/mcp/live/wakes'
import { createLetters, type Letters } from '#lib/mcp/sessions/letters'
import { planDelete, planGet, planPost } from '#lib/mcp/sessions/plans'
import type { RunServerDeps } from '#lib/mcp/sessions/run-server'
import { createRuns, type Runs } from '#lib/mcp/sessions/runs'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { createSessionIds, type SessionIds } from '#lib/mcp/sessions/session-id'
import { createSessionStore, type SessionStore } from '#lib/mcp/sessions/session-store'
import type { Standalone } from '#lib/mcp/sessions/standalone'
import type { Log } from '#lib/observability/log'
import type { Operation, Store } from '#lib/store/port'

/** What serving a request needs of the store, and what follows once it was admitted. */
export interface Plan {
  /** Run in the one request that admits the call. */
  readonly operations: readonly Operation[]
  /** `answers`: what the operations answered. */
  serve(answers: readonly unknown[], admitted: Admitted): Promise<Response>
}

/** What sessions are made of. */
export interface SessionHubDeps extends RunServerDeps {
  readonly store: Store
  readonly wakes: Wakes
  readonly follow: Follow
  readonly bus: ChangeBus
  readonly random: Random
  readonly log: Log
  /** Whether a session whose record was lost goes on (`SESSION_READOPT`). */
  readonly readopt: boolean
  /** A call is ended after this: the platform would cut it. Absent: there is no such limit. */
  readonly runMaxSeconds?: number
  /** A stream ends politely after this. */
  readonly streamMaxSeconds: number
  /** Absent: there is no such stream (`STREAMS=off`). */
  readonly openStandalone: Standalone['open'] | undefined
}

/** The parts of a hub. */
export interface HubParts extends SessionHubDeps {
  readonly ids: SessionIds
  readonly sessions: SessionStore
  readonly runs: Runs
  readonly letters: Letters
}

/** The 2025 revisions, whole: sessions that any instance serves (DESIGN.md §7). */
export interface SessionHub {
  post(request: Request, body: unknown, accountId: string): Promise<Plan> | Plan
  get(request: Request, accountId: string): Promise<Plan>
  delete(request: Request, accountId: string): Promise<Plan>
  /** The process is about to stop: everything goes on elsewhere. */
  drain(): Promise<void>
  /** Calls and their streams here. */
  readonly open: number
  /** Whether a call of the session runs here. */
  busy(sid: string): boolean
}

/** Makes the hub. It keeps nothing that another instance would need. */
export function createSessionHub(deps: SessionHubDeps): SessionHub {
  const ids = createSessionIds(deps.keyRing, deps.clock)
  const mostMs = Math.min(RUN_MAX_MS, (deps.runMaxSeconds ?? Number.POSITIVE_INFINITY) * 1000)
  const sessions = createSessionStore(deps)
  const shared = {
    ...deps,
    runMaxMs: ({ since }: Admitted) => Math.max(0, since + mostMs - deps.clock()),
    repeatable: deps.factory.repeatable,
    announce: ({ accountId, sid }: LiveSession, message: Parameters<ChangeBus['send']>[2]) =>
      deps.bus.send(accountId, sid, message),
  }
  const runs = createRuns(shared)
  const parts: HubParts = { ...deps, ids, sessions, runs, letters: createLetters(shared, runs) }

  return {
    post: (request, body, accountId) => planPost(parts, { request, body, accountId }),
    get: (request, accountId) => planGet(parts, { request, accountId }),
    delete: (request, accountId) => planDelete(parts, { request, accountId }),
    drain: () => runs.drain(),
    get open() {
      return runs.open
    },
    busy: runs.busy,
  }
}
