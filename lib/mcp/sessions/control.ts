import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { SUBSCRIPTIONS_PER_SESSION } from '#lib/config/limits'
import { INVALID_PARAMS } from '#lib/mcp/rpc-error'
import { LoggingLevels } from '#lib/mcp/sessions/records'
import type { Answer } from '#lib/mcp/sessions/run-transport'
import type { LiveSession } from '#lib/mcp/sessions/session'
import type { SessionStore } from '#lib/mcp/sessions/session-store'

const Level = z.looseObject({ level: LoggingLevels })
const Uri = z.looseObject({ uri: z.string().min(1).max(2048) })

/** What a control request needs. */
export interface Controlled {
  readonly session: LiveSession
  /** The session's preferences as they were read. */
  readonly preferences: string | null
  readonly sessions: SessionStore
  /** Whether resources may be subscribed to (`STREAMS`). */
  readonly streams: boolean
}

/**
 * Answers requests that concern the session itself and need no server: `ping`, `logging/setLevel`,
 * `resources/subscribe` and `resources/unsubscribe` (2025-11-25). `undefined` for any other.
 */
export async function control(request: JSONRPCRequest, controlled: Controlled): Promise<Answer | undefined> {
  const { session, preferences, sessions } = controlled
  const done: Answer = { jsonrpc: '2.0', id: request.id, result: {} }
  const params = request.params ?? {}
  switch (request.method) {
    case 'ping':
      return done
    case 'logging/setLevel': {
      const read = Level.safeParse(params)
      if (!read.success) return invalid(request, 'level must be one of the log levels')
      await sessions.prefer(session, preferences, (current) => ({ ...current, level: read.data.level }))
      return done
    }
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return controlled.streams ? subscribe(request, controlled) : undefined
    default:
      return undefined
  }
}

async function subscribe(
  request: JSONRPCRequest,
  { session, preferences, sessions }: Controlled,
): Promise<Answer> {
  const read = Uri.safeParse(request.params ?? {})
  if (!read.success) return invalid(request, 'uri must be a URI')
  const { uri } = read.data
  let full = false
  await sessions.prefer(session, preferences, (current) => {
    const wanted = new Set(current.subscriptions)
    if (request.method === 'resources/subscribe') wanted.add(uri)
    else wanted.delete(uri)
    full = wanted.size > SUBSCRIPTIONS_PER_SESSION
    return full ? current : { ...current, subscriptions: [...wanted] }
  })
  return full
    ? invalid(request, `A session has at most ${SUBSCRIPTIONS_PER_SESSION} subscriptions`)
    : { jsonrpc: '2.0', id: request.id, result: {} }
}

const invalid = ({ id }: JSONRPCRequest, message: string): Answer => ({
  jsonrpc: '2.0',
  id,
  error: { code: INVALID_PARAMS, message },
})
