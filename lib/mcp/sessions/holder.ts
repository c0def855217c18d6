import { z } from 'zod'
import { HOLDER_MS, SESSION_LEAD_MS, SWAP_ATTEMPTS } from '#lib/config/limits'
import type { LiveSession } from '#lib/mcp/sessions/session'
import { keys } from '#lib/store/keys'
import { get, set, swap } from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable, type Swapped } from '#lib/store/port'
import { parseRecord } from '#lib/store/record'

/** Which connection holds the GET stream of a session, and how far the client was told. */
export const Holder = z.looseObject({
  v: z.literal(1),
  /** Empty: nobody. */
  conn: z.string(),
  /** The last entry of the account's log that was told. */
  cursor: z.string(),
  /** Naps in a row without news. */
  naps: z.number(),
})
export type Holder = z.output<typeof Holder>

/** The record as it stands. A session without one is told everything since it began. */
function holderOf({ issuedAt }: LiveSession, text: string | null): Holder {
  if (text !== null) return parseRecord(Holder, text)
  return { v: 1, conn: '', cursor: `${Math.max(0, issuedAt - SESSION_LEAD_MS)}-0`, naps: 0 }
}

/**
 * Makes `conn` the holder, whoever held it: the newest wins.
 *
 * @param how - `text`: the record as it was read; `alongside`: sent in the same request, after it
 * @returns what stood there before; now the same stands there with `conn`
 * @throws StoreUnavailable
 */
export async function claimHolder(
  store: Store,
  session: LiveSession,
  how: { readonly conn: string; readonly text: string | null; readonly alongside: readonly Operation[] },
): Promise<Holder> {
  const { conn, alongside } = how
  let { text } = how
  for (let attempt = 0; attempt < SWAP_ATTEMPTS; attempt++) {
    const before = holderOf(session, text)
    const next = JSON.stringify({ ...before, conn })
    const stands = await replace(store, { sid: session.sid, text, next, alongside })
    if (stands === next) return before
    text = stands
  }
  throw new StoreUnavailable('store: the holder of a stream changes too often')
}

/** Writes `next` where `text` still stands. Answers what stands there now. */
async function replace(
  store: Store,
  how: { sid: string; text: string | null; next: string; alongside: readonly Operation[] },
): Promise<string | null> {
  const { text, next, alongside } = how
  const key = keys.mcpHolder(how.sid)
  if (text !== null) {
    const [swapped] = await store.batch(swap(key, text, next, HOLDER_MS), ...alongside)
    return swapped.done ? next : swapped.current
  }
  const made = set(key, next, { ttlMs: HOLDER_MS, ifAbsent: true })
  const [done, current] = await store.batch(made, get(key, { fresh: true }), ...alongside)
  return done ? next : current
}

/** What a look at the record showed: it still holds the stream, another does, or the session ended. */
export type Standing = 'held' | 'taken' | 'ended'

/** One connection's hold of a stream, from its claim to its end. */
export interface Hold {
  readonly naps: number
  /** Notes how far it is about to be; says whether it may. */
  advance(cursor: string): Promise<Standing>
  /** Looks whether it still holds the stream, and notes how far it is. */
  look(cursor: string): Promise<Standing>
  /** What leaves the record to the next: without a cursor it stays where it was noted last. */
  letGo(how: { readonly cursor?: string; readonly naps: number }): Operation
}

/** A hold that was claimed: `held` is the record as it stands now. */
export function createHold(
  store: Store,
  { sid, conn, held }: { readonly sid: string; readonly conn: string; readonly held: Holder },
): Hold {
  const key = keys.mcpHolder(sid)
  let holder = held
  const note = (next: Holder) => swap(key, JSON.stringify(holder), JSON.stringify(next), HOLDER_MS)

  async function judge(stands: string | null, wanted: Holder): Promise<Standing> {
    if (stands === null) {
      // Lost by the store, or nearly so: whoever is first has it again.
      const made = set(key, JSON.stringify(wanted), { ttlMs: HOLDER_MS, ifAbsent: true })
      if (!(await store.run(made))) return 'held'
      holder = wanted
      return 'held'
    }
    const record = parseRecord(Holder, stands)
    if (record.conn !== conn) return 'taken'
    holder = record
    return 'held'
  }

  const after = (swapped: Swapped, wanted: Holder) =>
    judge(swapped.done ? JSON.stringify(wanted) : swapped.current, wanted)

  return {
    get naps() {
      return holder.naps
    },
    async advance(cursor) {
      const wanted = { ...holder, cursor }
      return after(await store.run(note(wanted)), wanted)
    },
    async look(cursor) {
      const wanted = { ...holder, cursor }
      const ended = get(keys.mcpEnded(sid), { fresh: true })
      if (holder.cursor === cursor) {
        const [end, stands] = await store.batch(ended, get(key, { fresh: true }))
        return end === null ? judge(stands, wanted) : 'ended'
      }
      const [end, swapped] = await store.batch(ended, note(wanted))
      return end === null ? after(swapped, wanted) : 'ended'
    },
    letGo: ({ cursor = holder.cursor, naps }) => note({ ...holder, conn: '', cursor, naps }),
  }
}
