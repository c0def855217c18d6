/**
 * Whether a form was sent by a page of ours: `Origin` is our origin or, where the browser hides it,
 * `Sec-Fetch-Site` says so. Neither: no (OAUTH.md §1.5).
 *
 * Our own pages send `Referrer-Policy: no-referrer`, and Chromium then posts their forms with `Origin: null`.
 * A page in a sandbox has that origin too, but its `Sec-Fetch-Site` is `cross-site`.
 */
export function isSameOrigin(request: Request, origin: string): boolean {
  const sent = request.headers.get('origin')
  if (sent !== null && sent !== 'null') return sent === origin
  return request.headers.get('sec-fetch-site') === 'same-origin'
}
