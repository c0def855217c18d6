import { HANDOVER_MS } from '#lib/config/limits'
import type { Wakes } from '#lib/mcp/live/wakes'
import { isEntryId } from '#lib/store/entry-id'
import { keys } from '#lib/store/keys'

/**
 * What connections of one session say to each other when one takes its stream over (`wakes.hint`): `take:<who>`,
 * and the answer `left:<who>:<how far it was told>`. Hints may be lost; then the store's record decides.
 */
export const takeNote = (conn: string): string => `take:${conn}`

export const leftNote = (taker: string, cursor: string): string => `left:${taker}:${cursor}`

/** Who took the stream over; `undefined` for another note. */
export const takerOf = (note: string): string | undefined =>
  note.startsWith('take:') ? note.slice('take:'.length) : undefined

/** Listens while a connection takes over. Begin before it is told. */
export interface Handover {
  /** How far the client was told by whoever held the stream; `undefined` when nobody says in time. */
  word(): Promise<string | undefined>
  /** Whether yet another connection came since. */
  readonly taken: boolean
  stop(): void
}

export function createHandover(wakes: Wakes, sid: string, conn: string): Handover {
  const head = leftNote(conn, '')
  let taken = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let settle: (cursor: string | undefined) => void = () => undefined
  const word = new Promise<string | undefined>((resolve) => {
    settle = resolve
  })
  const stop = wakes.listen(keys.mcpHolder(sid), {
    onWake({ id }) {
      const taker = takerOf(id)
      if (taker !== undefined && taker !== conn) taken = true
      const cursor = id.startsWith(head) ? id.slice(head.length) : ''
      if (isEntryId(cursor)) settle(cursor)
    },
    onGap: () => undefined,
  })
  return {
    word() {
      timer = setTimeout(() => settle(undefined), HANDOVER_MS)
      return word
    },
    get taken() {
      return taken
    },
    stop() {
      clearTimeout(timer)
      stop()
    },
  }
}
