import type { InputResponses, JSONRPCRequest, RequestId } from '@modelcontextprotocol/server'
import { z } from 'zod'

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const

/** Log levels, from the least (2025-11-25, "Logging"). */
export const LoggingLevels = z.enum(LEVELS)

/** Whether a message of this level reaches a client that asked for `least` and above. */
export const reaches = (level: string, least: z.infer<typeof LoggingLevels> | undefined): boolean =>
  least === undefined || (LEVELS as readonly string[]).indexOf(level) >= LEVELS.indexOf(least)

/** That a session is in use. What it needs to be served stands in its sealed id. */
export const SessionRecord = z.looseObject({
  v: z.literal(1),
  /** When `initialize` was answered, ms. */
  issuedAt: z.number(),
  accountId: z.string(),
  clientKey: z.string(),
  client: z.looseObject({ name: z.string(), version: z.string() }),
  revision: z.string(),
  /** The last hour (since 1970) in which it was used, as the statistics know it. */
  hour: z.number(),
  /** How often the record was lost and made again. */
  readoptions: z.number().default(0),
})
export type SessionRecord = z.output<typeof SessionRecord>

/** What a session asked for; kept apart from its record so that it outlives it. */
export const SessionPreferences = z.looseObject({
  v: z.literal(1),
  level: LoggingLevels.optional(),
  subscriptions: z.array(z.string()),
})
export type SessionPreferences = z.output<typeof SessionPreferences>

const Id = z.union([z.string(), z.number()]) satisfies z.ZodType<RequestId>

/** One question that is out: its JSON-RPC id, and its name within the call. */
const Asked = z.looseObject({ id: z.string(), key: z.string(), method: z.string() })

/** One POST that is answered as a stream, whichever instance works on it. */
export const RunRecord = z.looseObject({
  v: z.literal(1),
  /** `parked`: the person was asked, and nothing waits. */
  status: z.enum(['running', 'parked', 'done']),
  /** Grows with each instance that takes it up; the first half of its log's ids. */
  epoch: z.number(),
  tries: z.number(),
  /** Made anew by whoever takes the run: two that decide alike still write different records. */
  by: z.string(),
  /** Rounds of questions so far. */
  rounds: z.number(),
  /** The requests that have no answer yet. */
  ids: z.array(Id),
  /** What to run again, where that is allowed, or after the person answered. */
  requests: z.custom<readonly JSONRPCRequest[]>(Array.isArray),
  /** Only reads: may be run again when its instance was lost. */
  repeatable: z.boolean(),
  /** When a parked one is given up, ms. */
  until: z.number().optional(),
  asked: z.array(Asked).optional(),
  answers: z.custom<InputResponses>((value) => typeof value === 'object').optional(),
  requestState: z.string().optional(),
})
export type RunRecord = z.output<typeof RunRecord>

/** What a client sent to a run. */
const Letter = z.discriminatedUnion('kind', [
  /** A response to a request of ours, or progress on it; `message` is the JSON-RPC message. */
  z.looseObject({ kind: z.literal('message'), message: z.unknown() }),
  z.looseObject({ kind: z.literal('cancel'), id: Id, reason: z.string().optional() }),
  /** Its stream is read on another connection now. */
  z.looseObject({ kind: z.literal('reader'), connection: z.string() }),
])
export type Letter = z.output<typeof Letter>

/** Reads a letter; `undefined` for one of a later release, which is not for us. */
export function readLetter(data: string): Letter | undefined {
  return Letter.safeParse(JSON.parse(data)).data
}
