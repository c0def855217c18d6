import { type Ending, endAccess } from '#lib/dashboard/end-access'
import type { FormCommandDeps } from '#lib/dashboard/form-command'
import type { Exchange } from '#lib/http/endpoint'

/** What a CSRF token of this form is good for. */
export const END_TOKEN = 'end-token'

export interface EndTokenDeps extends FormCommandDeps {
  readonly oauth: { readonly endPersonalToken: Ending }
}

/** `POST /dashboard/tokens/end` with `token` (its id) and `csrf`: ends one of one's own personal access tokens. */
export function endToken(request: Request, exchange: Exchange, deps: EndTokenDeps): Promise<Response> {
  const page = { name: 'tokens', href: '/dashboard/tokens' } as const
  const access = { purpose: END_TOKEN, field: 'token', page, end: deps.oauth.endPersonalToken }
  return endAccess(request, { exchange, access, deps })
}
