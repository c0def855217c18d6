/**
 * Whether a form was sent by a page of ours: `Origin` is our origin or, when the browser sends none,
 * `Sec-Fetch-Site` says so. Neither header: no (OAUTH.md §1.5).
 */
export function isSameOrigin(request: Request, origin: string): boolean {
  const sent = request.headers.get('origin')
  if (sent !== null) return sent === origin
  return request.headers.get('sec-fetch-site') === 'same-origin'
}
