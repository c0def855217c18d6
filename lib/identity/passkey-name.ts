import { PASSKEY_NAME_MAX_LENGTH } from '#lib/config/limits'

/** A name as lists show it: 1 to 64 visible characters in one line; `undefined` for anything else. */
export function passkeyName(text: string): string | undefined {
  const name = text.normalize('NFC').trim().replaceAll(/\s+/g, ' ')
  if (name === '' || [...name].length > PASSKEY_NAME_MAX_LENGTH) return undefined
  return /[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(name) ? undefined : name
}
