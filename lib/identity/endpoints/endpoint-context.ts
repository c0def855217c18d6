import type { Exchange } from '#lib/http/endpoint'
import { type Page, pageResponse } from '#lib/http/page'
import type { Accounts } from '#lib/identity/accounts'
import type { BrowserSessions } from '#lib/identity/browser-session'
import type { IdentityDeps } from '#lib/identity/deps'

/** What the endpoints of identity share. */
export interface IdentityContext extends IdentityDeps {
  readonly accounts: Accounts
  readonly sessions: BrowserSessions
  readonly draw: (page: Page) => Response
}

/** An endpoint before it is wrapped: answers every method. */
export type IdentityEndpoint = (request: Request, exchange: Exchange) => Promise<Response>

type ByMethod = { readonly [method in 'GET' | 'POST']?: IdentityEndpoint }

/** Serves the named methods, HEAD like GET without its body, and answers the others with 405 and `Allow`. */
export function byMethod(handlers: ByMethod): IdentityEndpoint {
  const allowed = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const Allow = [...allowed, 'OPTIONS'].join(', ')

  return async (request, exchange) => {
    const { method } = request
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow } })
    if (method === 'POST' && handlers.POST) return handlers.POST(request, exchange)
    if (method === 'GET' && handlers.GET) return handlers.GET(request, exchange)
    if (method === 'HEAD' && handlers.GET) return new Response(null, await handlers.GET(request, exchange))
    return new Response('Method not allowed\n', {
      status: 405,
      headers: { Allow, 'Content-Type': 'text/plain; charset=utf-8' },
    })
  }
}

/** Draws pages in the frame of this server. */
export const drawing =
  ({ serverName, version }: Pick<IdentityDeps, 'serverName' | 'version'>) =>
  (page: Page): Response =>
    pageResponse(page, { name: serverName, version })
