import { z } from 'zod'
import { SESSION_STATISTICS_MS, SESSIONS_LISTED_MAX } from '#lib/config/limits'
import { readPresence } from '#lib/mcp/sessions/presence'
import { SessionRecord } from '#lib/mcp/sessions/records'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { add, get, range, sums } from '#lib/store/operations'
import type { Operation, Store } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/**
 * What is counted, each hour, by host and revision. `used`: sessions that were used in that hour, each once;
 * `resumed`: streams that were taken up again; `readopted`: sessions whose record was lost; `lost`: calls
 * whose instance was lost and that nobody could finish.
 */
export type SessionCount = 'used' | 'opened' | 'ended' | 'readopted' | 'resumed' | 'lost'

const HOUR_MS = 3_600_000

/** Hours since 1970. */
export const hourOf = (now: number): number => Math.floor(now / HOUR_MS)

/**
 * Hosts by how their clients call themselves. Anybody may send any name: what is not known is counted as
 * one, so that nobody can make the counters grow.
 */
const HOSTS: readonly (readonly [host: string, name: RegExp])[] = [
  ['claude-code', /^claude[- ]?code/i],
  ['claude', /claude|anthropic/i],
  ['chatgpt', /chatgpt|openai/i],
  ['codex', /codex/i],
  ['cursor', /cursor/i],
  ['vscode', /visual studio code|vscode/i],
  ['copilot', /copilot/i],
  ['gemini', /gemini/i],
  ['goose', /goose/i],
  ['inspector', /inspector/i],
  ['mcp-remote', /mcp-remote/i],
  ['zed', /^zed/i],
  ['opencode', /opencode/i],
]

/** The host that a client's name stands for; `other` when we do not know it. */
export const hostOf = (clientName: string): string =>
  HOSTS.find(([, name]) => name.test(clientName))?.[0] ?? 'other'

/** The operations that count something about a session: one field each, so the cost does not grow. */
export function sessionStatistics(
  now: number,
  { client, revision }: Pick<LiveSession, 'client' | 'revision'>,
  by: Partial<Record<SessionCount, number>>,
): Operation[] {
  const fields = Object.entries(by).map(([what, count]) => [
    `${what}|${hostOf(client.name)}|${revision}`,
    count,
  ])
  return [add(keys.mcpStatistics(hourOf(now)), Object.fromEntries(fields), SESSION_STATISTICS_MS)]
}

/** One line of the statistics of an hour. */
export interface SessionStatistic {
  readonly what: SessionCount
  readonly host: string
  readonly revision: string
  readonly count: number
}

const WhatSchema = z.enum(['used', 'opened', 'ended', 'readopted', 'resumed', 'lost'])

/** What was counted in an hour, for all accounts: one request, however many sessions there are. */
export async function readStatistics(store: Store, hour: number): Promise<readonly SessionStatistic[]> {
  const counted = await store.run(sums(keys.mcpStatistics(hour)))
  return Object.entries(counted).flatMap(([field, count]) => {
    const [name, host = '', revision = ''] = field.split('|')
    const what = WhatSchema.safeParse(name)
    return what.success ? [{ what: what.data, host, revision, count }] : []
  })
}

/** What an operator sees: the counts of this hour and the one before, and the open streams of all instances. */
export async function sessionOverview(store: Store, now: number) {
  const [presence, thisHour, lastHour] = await Promise.all([
    readPresence(store, now),
    readStatistics(store, hourOf(now)),
    readStatistics(store, hourOf(now) - 1),
  ])
  return { ...presence, thisHour, lastHour }
}

/** A session as its person sees it. */
export interface ListedSession {
  readonly sid: string
  readonly client: { readonly name: string; readonly version: string }
  readonly clientKey: string
  readonly revision: string
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  /** Within an hour. */
  readonly lastUsedAt: number
  /** A stream for notifications is open now. */
  readonly listening: boolean
}

/** The sessions of an account, the last used first; two requests. */
export async function listSessions(store: Store, accountId: string): Promise<readonly ListedSession[]> {
  const listed = await store.run(
    range(keys.mcpSessionsOf(accountId), { limit: SESSIONS_LISTED_MAX, highestFirst: true }),
  )
  const texts = await store.batch(
    ...listed.flatMap(({ member }) => [
      get(keys.mcpSession(member), { fresh: true }),
      get(keys.mcpHolder(member), { fresh: true }),
    ]),
  )
  return listed.flatMap(({ member, score }, index) => {
    const text = texts[2 * index]
    // The record of a session that nobody uses is gone; its place in the list goes later.
    if (typeof text !== 'string') return []
    const { client, clientKey, revision, issuedAt } = parseRecord(SessionRecord, text)
    const listening = texts[2 * index + 1] !== null
    return [{ sid: member, client, clientKey, revision, issuedAt, lastUsedAt: score, listening }]
  })
}
