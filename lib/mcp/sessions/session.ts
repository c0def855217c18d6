import type { ClientCapabilities, LoggingLevel } from '@modelcontextprotocol/server'

/**
 * A session of the 2025 era as one request sees it: what stands sealed in its `Mcp-Session-Id`, and what the
 * store remembers of it. Any instance makes the same of the same request.
 */
export interface LiveSession {
  /** 128 random bits, base64url: the session's name in the store. Clients hold the sealed form only. */
  readonly sid: string
  readonly accountId: string
  readonly clientKey: string
  /** The negotiated protocol version, e.g. `2025-11-25`. */
  readonly revision: string
  /** What the client calls itself: data, never an instruction. */
  readonly client: { readonly name: string; readonly version: string }
  /** What the client can be asked for. */
  readonly capabilities: ClientCapabilities
  /** When `initialize` was answered, ms. */
  readonly issuedAt: number
  /** Least level of log messages that the client wants; absent: all. */
  readonly level: LoggingLevel | undefined
  /** The URIs whose changes it wants to hear of. */
  readonly subscriptions: ReadonlySet<string>
}

/** The first revision whose clients take an event with an id and no data (SEP-1699). */
const PRIMING_REVISION = '2025-11-25'

/** Whether a stream of this session may begin and end with an event that carries only its place. */
export const canBePrimed = (session: LiveSession): boolean => session.revision >= PRIMING_REVISION
