import type { McpServerOptions } from '@modelcontextprotocol/server'
import { USED_STATE_MS } from '#lib/config/limits'
import { StateSchema } from '#lib/mcp/answers'
import type { ServerExchange } from '#lib/mcp/server-exchange'
import { keys } from '#lib/store/keys'
import { get, set } from '#lib/store/operations'
import { type Store, StoreUnavailable } from '#lib/store/port'

/**
 * Makes a server refuse a `requestState` that its call cannot open (-32602), before any handler runs.
 *
 * @param take - for a tool that is answered once: takes the state, and says whether it was still there
 */
export function verifyState(
  { state }: ServerExchange,
  take?: (state: unknown) => Promise<boolean>,
): Pick<McpServerOptions, 'requestState'> {
  if (!state) return {}
  return {
    requestState: {
      verify: async (sealed) => {
        const payload = await state.open(sealed)
        if (payload === undefined) throw new Error('not a state of this call')
        try {
          if (take && !(await take(payload))) throw new Error('this state was used')
        } catch (error) {
          // The state may be good: the handler says that it could not be looked up.
          if (error instanceof StoreUnavailable) return error
          throw error
        }
        return payload
      },
    },
  }
}

/** Marks the state of a round as used: of any number of calls that bring it, on any instance, one goes on. */
export function usingUp(store: Store, { requestId }: ServerExchange): (state: unknown) => Promise<boolean> {
  return async (payload) => {
    const state = StateSchema.safeParse(payload)
    if (!state.success) return false

    const key = keys.usedState(state.data.id)
    if (await store.run(set(key, requestId, { ttlMs: USED_STATE_MS, ifAbsent: true }))) return true
    // The mark may be ours: a reply that was lost makes the store ask twice.
    return (await store.run(get(key, { fresh: true }))) === requestId
  }
}
