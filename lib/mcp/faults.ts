import { ProtocolError } from '@modelcontextprotocol/server'
import type { Serving } from '#lib/mcp/context'
import { StoreUnavailable } from '#lib/store/port'
import { UnreadableRecord } from '#lib/store/record'

const INTERNAL_ERROR = -32603

/** What a report needs to know: whose fault it was, and where to write. */
export interface Reporting {
  readonly exchange: Pick<Serving['exchange'], 'requestId'>
  readonly deps: Pick<Serving['deps'], 'log'>
}

/** Writes down a fault of ours and gives what may be said of it: never the error itself. */
export function report(error: unknown, what: string, { exchange, deps }: Reporting): string {
  const ours = error instanceof StoreUnavailable || error instanceof UnreadableRecord
  deps.log('error', 'mcp_handler_failed', {
    requestId: exchange.requestId,
    handler: what,
    error: error instanceof Error ? error.name : 'unknown',
    reason: ours ? error.message : undefined,
  })
  return ours
    ? `The server could not reach its storage. It is not known whether anything was changed: look before you try again. Reference: ${exchange.requestId}`
    : `The server failed while doing this. Reference: ${exchange.requestId}`
}

/** Runs a handler whose faults are JSON-RPC errors: prompts, resources, completion. */
export async function guarded<Value>(
  what: string,
  serving: Serving,
  act: () => Promise<Value>,
): Promise<Value> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw new ProtocolError(INTERNAL_ERROR, report(error, what, serving))
  }
}
