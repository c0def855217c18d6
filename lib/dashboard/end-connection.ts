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
export const END_CONNECTION = 'end-connection'

export interface EndConnectionDeps extends FormCommandDeps {
  readonly oauth: {
    /** `false` when the account has no such connection. */
    endGrant(which: {
      readonly accountId: string
      readonly grantId: string
      readonly why: string
    }): Promise<boolean>
  }
}

const page: FormPage = { name: 'connections', href: '/dashboard' }

/**
 * `POST /dashboard/connections/end` with `connection` and `csrf`: ends one of one's own connections and goes
 * back to the list. Ending what has ended already is no error: the person has what they asked for.
 *
 * 303 to `/dashboard?ended=<id>`; refusals as in `receiveCommand`.
 */
export async function endConnection(
  request: Request,
  { requestId }: Exchange,
  deps: EndConnectionDeps,
): Promise<Response> {
  const command = await receiveCommand(request, { requestId, purpose: END_CONNECTION, page, deps })
  if (!command.ok) return command.error
  const { user, form } = command.value
  const grantId = only(form, 'connection')
  if (!grantId) return refusalPage(malformed(page), { requestId, page, deps })

  await deps.oauth.endGrant({ accountId: user.accountId, grantId, why: 'ended_by_owner' })
  return seeOther(`/dashboard?ended=${encodeURIComponent(grantId)}`)
}
