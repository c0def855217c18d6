/** A place in the stream of a POST: `<xid>_<epoch>-<seq>`. The second half is an id of the run's log. */
export interface RunPlace {
  readonly xid: string
  readonly epoch: number
  readonly seq: number
}

const RUN_PLACE = /^([\w-]{22})_([1-9]\d{0,8})-(0|[1-9]\d{0,8})$/

export const formatRunPlace = ({ xid, epoch, seq }: RunPlace): string => `${xid}_${epoch}-${seq}`

/** `undefined` for an id that no stream of a POST gave out. */
export function parseRunPlace(eventId: string): RunPlace | undefined {
  const [, xid, epoch, seq] = RUN_PLACE.exec(eventId) ?? []
  return xid === undefined ? undefined : { xid, epoch: Number(epoch), seq: Number(seq) }
}

/** Whether `place` comes after `other` in the same stream. */
export const isAfter = (place: Omit<RunPlace, 'xid'>, other: Omit<RunPlace, 'xid'>): boolean =>
  place.epoch > other.epoch || (place.epoch === other.epoch && place.seq > other.seq)

/** The id in the log of a place. */
export const logId = ({ epoch, seq }: Omit<RunPlace, 'xid'>): string => `${epoch}-${seq}`

/**
 * The JSON-RPC id of a request of ours: `<xid>:<epoch>.<n>`, unique in the session although each server
 * counts from 0. `p` before the number: the call is parked.
 */
export interface WireId {
  readonly xid: string
  readonly epoch: number
  readonly parked: boolean
  readonly n: number
}

const WIRE_ID = /^([\w-]{22}):([1-9]\d{0,8})\.(p?)(0|[1-9]\d{0,8})$/

export const formatWireId = ({ xid, epoch, parked, n }: WireId): string =>
  `${xid}:${epoch}.${parked ? 'p' : ''}${n}`

/** `undefined` for an id that no request of ours had. */
export function parseWireId(id: unknown): WireId | undefined {
  const [, xid, epoch, parked, n] = WIRE_ID.exec(typeof id === 'string' ? id : '') ?? []
  return xid === undefined ? undefined : { xid, epoch: Number(epoch), parked: parked === 'p', n: Number(n) }
}
