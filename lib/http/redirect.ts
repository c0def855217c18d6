import { NO_STORE } from '#lib/http/headers'

/**
 * Sends the browser on with a GET: 303, never 307 or 308, which would post a form again to somebody else
 * (OAuth 2.1 §7.5.4). `location` may be relative.
 */
export function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, {
    status: 303,
    headers: { Location: location, 'Referrer-Policy': 'no-referrer', ...NO_STORE, ...headers },
  })
}
