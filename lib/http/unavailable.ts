import { NO_STORE } from '#lib/http/headers'
import { seeOther } from '#lib/http/redirect'
import { get } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/** Pages that lead here while the store does not answer, and where they go on to afterwards. */
const PAGES = ['/dashboard', '/dashboard/tokens', '/dashboard/account'] as const
type StorePage = (typeof PAGES)[number]

/** Where a React page sends a browser when the store does not answer: such a page cannot be a 503 itself. */
export const unavailableHref = (page: StorePage): string =>
  `/dashboard/unavailable?${new URLSearchParams({ page })}`

/**
 * `/dashboard/unavailable`: back to the page once the store answers, so that loading it again is enough.
 *
 * @throws StoreUnavailable while it does not; the endpoint wrapper makes it 503 with `Retry-After`
 */
export function unavailable(store: Store): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD', ...NO_STORE } })
    }
    await store.run(get('ready', { fresh: true }))
    const asked = new URL(request.url).searchParams.get('page')
    return seeOther(PAGES.find((page) => page === asked) ?? '/dashboard')
  }
}
