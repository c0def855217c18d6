import type { ServerEvent } from '@modelcontextprotocol/server'
import type { Caller } from '#lib/mcp/define'

/** A POST that has passed every check before its era looks at it. */
export interface Admitted {
  readonly request: Request
  /** The parsed JSON of its body. */
  readonly body: unknown
  readonly caller: Caller
  readonly requestId: string
  /** When the request came, ms: a platform that stops its instances counts from then. */
  readonly since: number
  /** By what right the caller is served, for work that outlives the request: ids of a connection, no token. */
  readonly authority: string
  /** Seconds until the access token ends, and with it every stream. */
  readonly secondsLeft: number
  /** The 403 that asks the client to ask for more. */
  insufficientScope(scopes: readonly string[]): Response
  /** Tells the person's open streams. */
  publish(event: ServerEvent): void
  /** Asks the store again whether the caller may still be served: its connection may have ended meanwhile. */
  stillAdmitted(): Promise<boolean>
  /** Work that goes on after the answer has begun. */
  afterResponse(work: Promise<unknown>): void
}
