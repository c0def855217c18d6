import { PERSONAL_TOKEN_NAME_MAX_LENGTH } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'

/** What a person asks for, as it arrived. */
export interface PersonalTokenRequest {
  readonly name: string
  readonly scopes: readonly string[]
  readonly days: number
}

/** Which part of the request is not good. */
export type PersonalTokenFault = 'name_invalid' | 'scopes_invalid' | 'expiry_invalid'

/**
 * Reads the request for a personal access token. The name is one line of 1 to 64 characters without control
 * or invisible ones; scopes are at least one and all known; the life is one of those offered.
 */
export function readPersonalTokenRequest(
  { name, scopes, days }: PersonalTokenRequest,
  offered: { readonly scopes: readonly { readonly name: string }[]; readonly days: readonly number[] },
): Result<PersonalTokenRequest, PersonalTokenFault> {
  const shown = name.normalize('NFC').trim().replaceAll(/\s+/g, ' ')
  const length = [...shown].length
  if (length < 1 || length > PERSONAL_TOKEN_NAME_MAX_LENGTH) return err('name_invalid')
  if (/[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(shown)) return err('name_invalid')

  const known = offered.scopes.map((scope) => scope.name)
  if (scopes.length === 0 || !scopes.every((scope) => known.includes(scope))) return err('scopes_invalid')
  if (!offered.days.includes(days)) return err('expiry_invalid')
  return ok({ name: shown, scopes: known.filter((scope) => scopes.includes(scope)), days })
}
