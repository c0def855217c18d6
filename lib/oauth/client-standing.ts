import { z } from 'zod'

/**
 * What an operator decided about a client, by its key, so that registering again changes nothing. Without a
 * record nothing was decided.
 */
export const clientStanding = z.looseObject({
  v: z.literal(1),
  /** It is given nothing, and nothing that it has works. */
  blocked: z.boolean(),
  /** Rises when all of its connections must end: a grant remembers under which it was made. */
  epoch: z.int().nonnegative(),
})
export type ClientStanding = z.output<typeof clientStanding>

/** Where nothing was decided. */
export const GOOD_STANDING: ClientStanding = { v: 1, blocked: false, epoch: 0 }

/** Why what a client was given works no longer. */
export type StandingFault = 'client_blocked' | 'client_ended'

/**
 * Whether what was given under `epoch` still works. A number and not a time: clocks of the machine that ends
 * connections and of the instance that made them may differ (decision 0012).
 */
export function standingFault(
  { blocked, epoch: current }: ClientStanding,
  epoch: number | undefined,
): StandingFault | undefined {
  if (blocked) return 'client_blocked'
  return current === (epoch ?? 0) ? undefined : 'client_ended'
}

/** Blocking ends everything that the client has, so that unblocking brings nothing back. */
export const blocked = (standing: ClientStanding): ClientStanding => ({
  ...standing,
  blocked: true,
  epoch: standing.epoch + 1,
})

/** The client may be let in anew. */
export const unblocked = (standing: ClientStanding): ClientStanding => ({ ...standing, blocked: false })

/** Every connection of the client ends; it may be let in anew. */
export const endedSoFar = (standing: ClientStanding): ClientStanding => ({
  ...standing,
  epoch: standing.epoch + 1,
})
