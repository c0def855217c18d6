import { z } from 'zod'
import {
  SESSION_BEGINS_MS,
  SESSION_ID_MS,
  SESSION_IDLE_MS,
  SESSION_LISTED_MS,
  SESSIONS_NOTED_MAX,
  SWAP_ATTEMPTS,
} from '#lib/config/limits'
import { createBoundedMap } from '#lib/core/bounded-map'
import type { Clock } from '#lib/core/clock'
import type { ChangeBus } from '#lib/mcp/bus'
import type { Wakes } from '#lib/mcp/live/wakes'
import { SessionPreferences, SessionRecord } from '#lib/mcp/sessions/records'
import type { LiveSession } from '#lib/mcp/sessions/session'
import type { SealedSession } from '#lib/mcp/sessions/session-id'
import { hourOf, sessionStatistics } from '#lib/mcp/sessions/statistics'
import { keys } from '#lib/store/keys'
import { del, get, range, rank, set, swap, unrank } from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** What the store answered about a session. */
const AnswersSchema = z.tuple([z.string().nullable(), z.string().nullable(), z.string().nullable()])

/** What is to be done with a request that names a session. */
export type Verdict =
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'live'
      readonly session: LiveSession
      /** The preferences as they stand in the store, for a change to compare with. */
      readonly preferences: string | null
      /** The store had lost it. */
      readonly readopted: boolean
      /** Notes that it is in use; at most one request, after the answer. */
      note(): Promise<void> | undefined
    }

/** Sessions in the store. */
export interface SessionStore {
  /** What to ask of the store, in the one request of a call. */
  operations(sid: string): readonly Operation[]
  /** Decides on the answers, in the same order (DESIGN.md §7). */
  judge(sealed: SealedSession, clientKey: string, answers: readonly unknown[]): Promise<Verdict>
  /** Writes the record of a new session; after the answer, because its id says all. */
  begin(session: LiveSession): Promise<void>
  /** Ends a session for good. What it needs is one request; whatever runs or streams hears of it. */
  end(session: LiveSession): Promise<void>
  /**
   * Changes what a session asked for; whoever holds its GET stream is told. `before`: its preferences as they
   * were read.
   */
  prefer(session: Owned, before: string | null, change: Change): Promise<void>
}

type Owned = Pick<LiveSession, 'sid' | 'accountId'>
type Change = (current: SessionPreferences) => Pick<SessionPreferences, 'level' | 'subscriptions'>

const NO_PREFERENCES: SessionPreferences = { v: 1, subscriptions: [] }

interface SessionStoreDeps {
  readonly store: Store
  readonly clock: Clock
  readonly wakes: Wakes
  readonly bus: Pick<ChangeBus, 'note'>
  /** Whether a session whose record is lost goes on (`SESSION_READOPT`). */
  readonly readopt: boolean
}

/** Keeps sessions. A session whose record is lost is made again from its sealed id, and goes on. */
export function createSessionStore({ store, clock, wakes, bus, readopt }: SessionStoreDeps): SessionStore {
  /** Sessions that were noted here in the hour that stands there. */
  const noted = createBoundedMap<number>(SESSIONS_NOTED_MAX)

  return {
    operations,

    async judge(sealed, clientKey, answers) {
      const [ended, text, preferences] = AnswersSchema.parse(answers)
      const { belongsTo, ...known } = sealed
      const lost = text === null && clock() - sealed.issuedAt > SESSION_BEGINS_MS
      if (ended !== null || !(await belongsTo(clientKey)) || (lost && !readopt)) return { kind: 'gone' }

      const wanted = preferences === null ? NO_PREFERENCES : parseRecord(SessionPreferences, preferences)
      const { level, subscriptions } = wanted
      const session = { ...known, clientKey, level, subscriptions: new Set(subscriptions) }
      const note = () => (text === null ? restore(session, lost) : seenThisHour(session, text))
      return { kind: 'live', session, preferences, readopted: lost, note }
    },

    begin: (session) => restore(session, false),

    async end(session) {
      const { sid, accountId } = session
      await store.batch(
        // First: from here on nothing serves it, whatever happens to the rest.
        set(keys.mcpEnded(sid), '1', { ttlMs: SESSION_ID_MS }),
        del(keys.mcpSession(sid), keys.mcpPreferences(sid), keys.mcpHolder(sid)),
        unrank(keys.mcpSessionsOf(accountId), sid),
        ...sessionStatistics(clock(), session, { ended: 1 }),
        ...(wakes.channel ? wakes.hint(keys.mcpEnded(sid), '1-0') : [bus.note(accountId, sid, 'ended')]),
      )
    },

    async prefer({ sid, accountId }, before, change) {
      const key = keys.mcpPreferences(sid)
      let text = before
      for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
        const current = text === null ? NO_PREFERENCES : parseRecord(SessionPreferences, text)
        const changed = change(current)
        const next = JSON.stringify({ ...current, ...changed, v: 1 })
        const told = `${changed.subscriptions}` === `${current.subscriptions}`
        text = await replace(store, key, {
          text,
          next,
          alongside: told ? [] : [bus.note(accountId, sid, 'preferences')],
        })
        if (text === next) return
      }
      throw new StoreUnavailable('store: the preferences of a session change too often')
    },
  }

  /** Of two that restore a session at once one makes the record. */
  async function restore(session: LiveSession, lost: boolean): Promise<void> {
    const record = recordOf(session, clock(), lost)
    await store.batch(
      set(keys.mcpSession(session.sid), JSON.stringify(record), { ttlMs: SESSION_IDLE_MS, ifAbsent: true }),
      ...listed(session),
      ...sessionStatistics(clock(), session, lost ? { used: 1, readopted: 1 } : { used: 1, opened: 1 }),
    )
  }

  /** Once an hour a session that is used is listed and counted again: that is cheap with any number of them. */
  function seenThisHour(session: LiveSession, text: string): Promise<void> | undefined {
    const hour = hourOf(clock())
    if (noted.get(session.sid) === hour) return undefined
    noted.set(session.sid, hour)
    const record = parseRecord(SessionRecord, text)
    return record.hour === hour ? undefined : seen(session, { text, record, hour })
  }

  async function seen(session: LiveSession, { text, record, hour }: Seen): Promise<void> {
    await store.batch(
      swap(keys.mcpSession(session.sid), text, JSON.stringify({ ...record, hour }), SESSION_IDLE_MS),
      ...listed(session),
      ...sessionStatistics(clock(), session, { used: 1 }),
    )
  }

  function listed({ sid, accountId }: LiveSession): Operation[] {
    const index = keys.mcpSessionsOf(accountId)
    const dropBelow = clock() - SESSION_LISTED_MS
    return [rank(index, sid, clock(), SESSION_ID_MS), range(index, { limit: 1, dropBelow })]
  }
}

/** Writes `next` where `text` still stands. Answers what stands there now. */
async function replace(
  store: Store,
  key: string,
  how: { readonly text: string | null; readonly next: string; readonly alongside: readonly Operation[] },
): Promise<string | null> {
  const { text, next, alongside } = how
  const ttlMs = SESSION_ID_MS
  if (text !== null) {
    const [swapped] = await store.batch(swap(key, text, next, ttlMs), ...alongside)
    return swapped.done ? next : swapped.current
  }
  const made = set(key, next, { ttlMs, ifAbsent: true })
  const [written] = await store.batch(made, ...alongside)
  return written ? next : store.run(get(key, { fresh: true }))
}

/** Whether it was ended, its record, and what it asked for. */
const operations = (sid: string): readonly Operation[] => [
  get(keys.mcpEnded(sid), { fresh: true }),
  get(keys.mcpSession(sid), { touchMs: SESSION_IDLE_MS }),
  get(keys.mcpPreferences(sid), { fresh: true }),
]

interface Seen {
  readonly text: string
  readonly record: SessionRecord
  readonly hour: number
}

function recordOf(session: LiveSession, now: number, lost: boolean): SessionRecord {
  const { issuedAt, accountId, clientKey, client, revision } = session
  const readoptions = lost ? 1 : 0
  return { v: 1, issuedAt, accountId, clientKey, client, revision, hour: hourOf(now), readoptions }
}
