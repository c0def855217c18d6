import {
  type FormCommandDeps,
  type FormPage,
  malformed,
  only,
  receiveCommand,
  refusalPage,
} from '#lib/dashboard/form-command'
import type { Exchange } from '#lib/http/endpoint'
import { seeOther } from '#lib/http/redirect'

/** What a CSRF token of this form is good for. */
export const END_TOKEN = 'end-token'

export interface EndTokenDeps extends FormCommandDeps {
  readonly oauth: {
    /** `false` when the account has no such token. */
    endPersonalToken(which: {
      readonly accountId: string
      readonly grantId: string
      readonly why: string
    }): Promise<boolean>
  }
}

const page: FormPage = { name: 'tokens', href: '/dashboard/tokens' }

/**
 * `POST /dashboard/tokens/end` with `token` (its id) and `csrf`: ends one of one's own personal access tokens
 * and goes back to the list. Ending what has ended already is no error.
 *
 * 303 to `/dashboard/tokens?ended=<id>`; refusals as in `receiveCommand`.
 */
export async function endToken(
  request: Request,
  { requestId }: Exchange,
  deps: EndTokenDeps,
): Promise<Response> {
  const command = await receiveCommand(request, { requestId, purpose: END_TOKEN, page, deps })
  if (!command.ok) return command.error
  const { user, form } = command.value
  const grantId = only(form, 'token')
  if (!grantId) return refusalPage(malformed(page), { requestId, page, deps })

  await deps.oauth.endPersonalToken({ accountId: user.accountId, grantId, why: 'ended_by_owner' })
  return seeOther(`/dashboard/tokens?ended=${encodeURIComponent(grantId)}`)
}
