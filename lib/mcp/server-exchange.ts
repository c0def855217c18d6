import type { JSONRPCRequest, ServerEvent } from '@modelcontextprotocol/server'
import type { Caller } from '#lib/mcp/define'
import type { RequestState } from '#lib/mcp/request-state'

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
  /** Whether change notifications are served at all (`STREAMS`). */
  readonly streams: boolean
  /** Notes that the token lacks a scope; the answer becomes 403 with these scopes. */
  challenge(scopes: readonly string[]): void
  publish(event: ServerEvent): void
}
