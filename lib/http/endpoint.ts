import { RETRY_AFTER_SECONDS } from '#lib/config/limits'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { Log } from '#lib/observability/log'
import { StoreUnavailable } from '#lib/store/port'
import { UnreadableRecord } from '#lib/store/record'

/** How an endpoint says that it cannot answer now (503) or at all (500), in its own format. */
export type Outage = (outage: {
  readonly request: Request
  readonly status: 500 | 503
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
}) => Response

/** What the wrapper gives to an endpoint besides the request. */
export interface Exchange {
  /** Random; stands in the log and in every error a person sees. */
  readonly requestId: string
}

export interface EndpointDeps {
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/**
 * Wraps an endpoint: a request id, its time in the log, and the one place where an exception ends. A broken
 * store is 503 with `Retry-After`, a bug is 500; neither says more than the request id.
 */
export function endpoint(
  name: string,
  handle: (request: Request, exchange: Exchange) => Promise<Response>,
  { deps, outage }: { readonly deps: EndpointDeps; readonly outage: Outage },
): (request: Request) => Promise<Response> {
  return async (request) => {
    const requestId = deps.random(9)
    const startedAt = deps.clock()
    const response = await settle(
      () => handle(request, { requestId }),
      (status, error) => {
        deps.log('error', status === 503 ? 'store_unavailable' : 'endpoint_failed', {
          requestId,
          endpoint: name,
          error: error instanceof Error ? error.name : 'unknown',
          reason: explain(error),
        })
        const headers = { 'Cache-Control': 'no-store', ...(status === 503 ? retryAfter : {}) }
        return outage({ request, status, requestId, headers })
      },
    )
    const ms = deps.clock() - startedAt
    deps.log('info', 'request', {
      requestId,
      endpoint: name,
      method: request.method,
      status: response.status,
      ms,
    })
    return response
  }
}

const retryAfter = { 'Retry-After': String(RETRY_AFTER_SECONDS) }

async function settle(
  act: () => Promise<Response>,
  fail: (status: 500 | 503, error: unknown) => Response,
): Promise<Response> {
  try {
    return await act()
  } catch (error) {
    const unavailable = error instanceof StoreUnavailable || error instanceof UnreadableRecord
    return fail(unavailable ? 503 : 500, error)
  }
}

/** Our own errors say nothing secret; of others only where they were thrown is kept. */
function explain(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof StoreUnavailable || error instanceof UnreadableRecord) return error.message
  // A message may have several lines; only those that name a place are kept.
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return places.slice(0, 4).join(' ').replaceAll(/\s+/g, ' ')
}
