import type { McpServerOptions } from '@modelcontextprotocol/server'
import type { ServerExchange } from '#lib/mcp/server-exchange'

/** Makes a server refuse a `requestState` that its call cannot open (-32602), before any handler runs. */
export function verifyState({ state }: ServerExchange): Pick<McpServerOptions, 'requestState'> {
  if (!state) return {}
  return {
    requestState: {
      verify: async (sealed) => {
        const payload = await state.open(sealed)
        if (payload === undefined) throw new Error('not a state of this call')
        return payload
      },
    },
  }
}
