import {
  type FormCommandDeps,
  type FormPage,
  malformed,
  only,
  type Refusal,
  receiveCommand,
  refusalPage,
} from '#lib/dashboard/form-command'
import { newTokenPage } from '#lib/dashboard/new-token-page'
import type { PermissionSource } from '#lib/dashboard/permissions'
import type { CreatedToken } from '#lib/dashboard/tokens'
import type { Exchange } from '#lib/http/endpoint'

/** What a CSRF token of this form is good for. */
export const CREATE_TOKEN = 'create-token'

/** Why no token was made. */
type CreationFault =
  | 'name_invalid'
  | 'scopes_invalid'
  | 'expiry_invalid'
  | 'form_invalid'
  | 'too_many'
  | 'already_made'

export interface CreateTokenDeps extends FormCommandDeps {
  readonly scopes: readonly PermissionSource[]
  /** How hosts list the server. */
  readonly slug: string
  readonly oauth: {
    createPersonalToken(asked: {
      readonly user: { readonly accountId: string; readonly epoch: number }
      readonly once: string
      readonly name: string
      readonly scopes: readonly string[]
      readonly days: number
    }): Promise<
      | { readonly ok: true; readonly value: CreatedToken }
      | { readonly ok: false; readonly error: CreationFault }
    >
  }
}

const page: FormPage = { name: 'tokens', href: '/dashboard/tokens' }

const refusals: Readonly<Record<CreationFault, Refusal>> = {
  name_invalid: {
    status: 400,
    sentence:
      'A token needs a name of 1 to 64 visible characters. Emoji made of several parts do not count as visible.',
  },
  scopes_invalid: {
    status: 400,
    sentence: 'Choose at least one permission: a token that may do nothing is of no use.',
  },
  expiry_invalid: { status: 400, sentence: 'Choose when the token expires.' },
  form_invalid: malformed(page),
  too_many: {
    status: 409,
    sentence:
      'You have as many tokens as one person can have. End those that you no longer use, then create a new one.',
  },
  already_made: {
    status: 409,
    sentence:
      'This form was sent before and its token was created then. A token is shown once: if you did not copy it, end it and create another.',
  },
}

/**
 * `POST /dashboard/tokens/create` with `name`, `scope` (any number), `days`, `once` and `csrf`: makes a
 * personal access token and answers with the one page that ever shows it, so that it stands in no URL and in
 * no store.
 *
 * 200; refusals as in `receiveCommand`, and 400 or 409 as a page.
 */
export async function createToken(
  request: Request,
  { requestId }: Exchange,
  deps: CreateTokenDeps,
): Promise<Response> {
  const command = await receiveCommand(request, { requestId, purpose: CREATE_TOKEN, page, deps })
  if (!command.ok) return command.error
  const { user, form } = command.value

  const created = await deps.oauth.createPersonalToken({
    user,
    once: only(form, 'once') ?? '',
    name: only(form, 'name') ?? '',
    scopes: form.getAll('scope'),
    days: Number(only(form, 'days') ?? Number.NaN),
  })
  return created.ok
    ? newTokenPage(created.value, deps)
    : refusalPage(refusals[created.error], { requestId, page, deps })
}
