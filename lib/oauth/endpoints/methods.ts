import { NO_STORE, PUBLIC_CORS } from '#lib/http/headers'
import type { Handle } from '#lib/oauth/endpoints/deps'

/**
 * An endpoint that any web page may read: answers OPTIONS and HEAD itself, refuses other methods with 405
 * and `Allow`, and puts the CORS headers on everything.
 */
export function publicEndpoint(method: 'GET' | 'POST', handle: Handle): Handle {
  const allowed = method === 'GET' ? 'GET, HEAD, OPTIONS' : 'POST, OPTIONS'
  const preflight = { ...PUBLIC_CORS, 'Access-Control-Allow-Methods': allowed, Allow: allowed }

  return async (request, exchange) => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: preflight })
    if (request.method === 'HEAD' && method === 'GET') {
      const response = await handle(request, exchange)
      return new Response(null, response)
    }
    if (request.method === method) return handle(request, exchange)
    return Response.json(
      { error: 'invalid_request' },
      { status: 405, headers: { ...PUBLIC_CORS, ...NO_STORE, Allow: allowed } },
    )
  }
}
