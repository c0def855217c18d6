import { type Ending, endAccess } from '#lib/dashboard/end-access'
import type { FormCommandDeps } from '#lib/dashboard/form-command'
import type { Exchange } from '#lib/http/endpoint'

/** What a CSRF token of this form is good for. */
export const END_CONNECTION = 'end-connection'

export interface EndConnectionDeps extends FormCommandDeps {
  readonly oauth: { readonly endGrant: Ending }
}

/** `POST /dashboard/connections/end` with `connection` (its id) and `csrf`: ends one of one's own connections. */
export function endConnection(
  request: Request,
  exchange: Exchange,
  deps: EndConnectionDeps,
): Promise<Response> {
  const page = { name: 'connections', href: '/dashboard' } as const
  const access = { purpose: END_CONNECTION, field: 'connection', page, end: deps.oauth.endGrant }
  return endAccess(request, { exchange, access, deps })
}
