import { NO_STORE } from '#lib/http/headers'
import { get } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

const methods = { Allow: 'GET, HEAD', ...NO_STORE }

/** Answers only GET and HEAD; a health check must never start a stream or change anything. */
function answer(request: Request, status: number, body: Readonly<Record<string, string>>): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return Response.json({ error: 'method_not_allowed' }, { status: 405, headers: methods })
  }
  const response = Response.json(body, { status, headers: NO_STORE })
  return request.method === 'HEAD' ? new Response(null, response) : response
}

/** `/api/health`: the process is alive. No store is asked, so an outage of it restarts nobody. */
export function health(version: string): (request: Request) => Promise<Response> {
  return async (request) => answer(request, 200, { status: 'ok', version })
}

/**
 * `/api/health/ready`: requests can be served, which needs the store.
 *
 * @throws StoreUnavailable when the store does not answer; the endpoint wrapper makes it 503
 */
export function ready(store: Store): (request: Request) => Promise<Response> {
  return async (request) => {
    await store.run(get('ready', { fresh: true }))
    return answer(request, 200, { status: 'ready' })
  }
}
