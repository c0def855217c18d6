import type { Outage } from '#lib/http/endpoint'
import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'

/** A path that does not exist, for machines: JSON with CORS, so that discovery by hosts goes on (HOSTS.md §3.11). */
export async function jsonNotFound(request: Request): Promise<Response> {
  const headers = { ...PUBLIC_CORS, ...NO_STORE }
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers })
  return Response.json({ error: 'not_found' }, { status: 404, headers })
}

/**
 * An outage or a bug behind an endpoint that answers JSON. OAuth clients keep their tokens on this code, while
 * on `server_error` the TypeScript SDK silently begins a new authorization.
 */
export const jsonOutage: Outage = ({ status, headers }) =>
  Response.json(
    { error: 'temporarily_unavailable' },
    { status, headers: { ...PUBLIC_CORS, ...NO_STORE, ...headers } },
  )
