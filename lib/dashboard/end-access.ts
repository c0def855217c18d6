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

/** Ends what is this account's; `false` when it has no such thing. */
export type Ending = (which: {
  readonly accountId: string
  readonly grantId: string
  readonly why: string
}) => Promise<boolean>

/** One kind of access that a person can end from a list. */
interface EndableAccess {
  /** What a CSRF token of its form is good for. */
  readonly purpose: string
  /** Field of the form that carries its id. */
  readonly field: string
  /** The list it stands on. */
  readonly page: FormPage
  readonly end: Ending
}

interface EndAccessCall {
  readonly exchange: Exchange
  readonly access: EndableAccess
  readonly deps: FormCommandDeps
}

/**
 * A form post that ends one of one's own ways in and goes back to the list: 303 with `?ended=<id>`. Ending
 * what has ended already is no error: the person has what they asked for. Refusals as in `receiveCommand`.
 */
export async function endAccess(
  request: Request,
  { exchange: { requestId }, access, deps }: EndAccessCall,
): Promise<Response> {
  const { purpose, field, page, end } = access
  const command = await receiveCommand(request, { requestId, purpose, page, deps })
  if (!command.ok) return command.error
  const { user, form } = command.value
  const grantId = only(form, field)
  if (!grantId) return refusalPage(malformed(page), { requestId, page, deps })

  await end({ accountId: user.accountId, grantId, why: 'ended_by_owner' })
  return seeOther(`${page.href}?ended=${encodeURIComponent(grantId)}`)
}
