import { MEMBER_NAME_MAX_LENGTH } from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'

/** Why a name cannot be given to a person. */
export type MemberNameFault = 'empty' | 'too_long' | 'invisible_characters'

/** A person's name: as pages show it, and the one spelling that finds the person again. */
export interface MemberName {
  readonly shown: string
  /** NFKC, without case: "Ａnna", "anna " and "Anna" are one person. */
  readonly folded: string
}

/**
 * Reads the name of an invited person: 1 to 64 characters. Control characters, direction marks and other
 * invisible ones are refused, so that two names that look alike cannot be two people.
 */
export function memberName(text: string): Result<MemberName, MemberNameFault> {
  const shown = text.normalize('NFC').trim().replaceAll(/\s+/g, ' ')
  if (shown === '') return err('empty')
  if (/[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(text.trim())) return err('invisible_characters')

  const folded = fold(shown)
  if ([...shown].length > MEMBER_NAME_MAX_LENGTH) return err('too_long')
  return folded === '' ? err('empty') : ok({ shown, folded })
}

/** The fault in words, for a command line. */
export const memberNameFaultText: Readonly<Record<MemberNameFault, string>> = {
  empty: 'the name is empty',
  too_long: `the name has more than ${MEMBER_NAME_MAX_LENGTH} characters`,
  invisible_characters: 'the name holds control or invisible characters',
}

/** Upper case first, so that "ß" and "SS" meet (Unicode has no closer folding in JavaScript). */
const fold = (name: string): string =>
  name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').trim().replaceAll(/\s+/g, ' ')
