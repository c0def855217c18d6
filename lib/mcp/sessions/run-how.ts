import type { InputRequests, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import type { Admitted } from '#lib/mcp/admitted'
import type { ServerFactory } from '#lib/mcp/server'
import type { RunRecord } from '#lib/mcp/sessions/records'
import type { RunConnection } from '#lib/mcp/sessions/run-connection'
import type { Answer } from '#lib/mcp/sessions/run-transport'
import type { LiveSession } from '#lib/mcp/sessions/session'

/** What is to be run. */
export interface RunHow {
  readonly session: LiveSession
  readonly xid: string
  readonly requests: readonly JSONRPCRequest[]
  /** Answers go out as an array (2025-03-26). */
  readonly batch: boolean
  /** Answers that are known already. */
  readonly answered?: readonly Answer[]
  /** The request under whose authority it runs. */
  readonly admitted: Admitted
  /** The client's connection; absent for a run that is taken up: its readers read the log. */
  readonly connection?: RunConnection
  /** What the store holds of a run that is taken up. */
  readonly claimed?: { readonly text: string; readonly record: RunRecord }
  /** Made before, so that a lacking scope is answered before anything runs. */
  readonly server: ReturnType<ServerFactory['create']>
  /** Whether it has to know its client (`ServerFactory.pushes`). */
  readonly pushes: boolean
  /** What handlers want to ask the person (`ServerExchange.park`), by the id of their request. */
  readonly parking: ReadonlyMap<RequestId, Parking>
}

/** Questions to the person, as a handler put them. */
export interface Parking {
  readonly inputRequests: InputRequests
  readonly requestState: string | undefined
}

/** A run on this instance. */
export interface Run {
  /** Settles when it has ended here: answered, cancelled, parked or taken over. */
  readonly finished: Promise<void>
  serves(id: RequestId): boolean
  cancel(id: RequestId, reason?: string): void
  /** The process is about to stop: what is known goes to the log, and another instance may follow soon. */
  drain(): Promise<void>
}
