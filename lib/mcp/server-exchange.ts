import type {
  ClientCapabilities,
  InputRequests,
  JSONRPCRequest,
  RequestId,
  ServerEvent,
} from '@modelcontextprotocol/server'
import type { Caller } from '#lib/mcp/define'
import type { RequestState } from '#lib/mcp/request-state'
import type { CallerTasks } from '#lib/mcp/tasks/caller-tasks'

/** One exchange that a server is made for: a POST of either era. */
export interface ServerExchange {
  readonly era: 'modern' | 'legacy'
  /** What was asked: one request, or those of a batch (2025-03-26). Only what they need is registered. */
  readonly requests: readonly JSONRPCRequest[]
  readonly caller: Caller
  /** Stands in the log and in errors. */
  readonly requestId: string
  /** What this call remembers between two rounds. Absent where the client cannot be asked. */
  readonly state?: RequestState
  /** What the client of the session declared (2025). In 2026-07-28 each request says it in its envelope. */
  readonly clientCapabilities?: ClientCapabilities
  /**
   * Sends questions out and lets go of the request with this id (2025): nobody waits for a person. What the
   * handler then returns is dropped. With the answers the request runs again, with `requestState` and
   * `inputResponses` in its parameters as in 2026-07-28; a question that the client answered with an error
   * has the response `{ action: 'cancel' }`, whatever its kind.
   */
  readonly park?: (inputRequests: InputRequests, requestState: string | undefined, id: RequestId) => void
  /** The caller's tasks (2026-07-28). Absent: long tools run within the call. */
  readonly tasks?: CallerTasks
  /** Whether change notifications are served at all (`STREAMS`). */
  readonly streams: boolean
  /** Notes that the token lacks a scope; the answer becomes 403 with these scopes. */
  challenge(scopes: readonly string[]): void
  publish(event: ServerEvent): void
}
