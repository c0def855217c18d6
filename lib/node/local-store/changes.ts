/**
 * One line of the journal. Changes are absolute: replaying one that already took effect changes nothing, so
 * that a snapshot may be taken while writes go on. An expiry is in ms since 1970; 0 means never.
 */
export type Change =
  /** A record is this value. */
  | readonly ['set', key: string, value: string, expiresAt: number]
  /** A key is gone. */
  | readonly ['del', key: string]
  /** A key expires then. */
  | readonly ['expire', key: string, expiresAt: number]
  /** A counter has these sums. */
  | readonly ['sums', key: string, sums: Readonly<Record<string, number>>, expiresAt: number]
  /** A log got an entry; ignored when its id is not greater than the last. */
  | readonly ['append', key: string, id: string, data: string, keep: number, expiresAt: number]
  | readonly ['rank', key: string, member: string, score: number, expiresAt: number]
  | readonly ['unrank', key: string, member: string]
  | readonly ['drop', key: string, below: number]

/**
 * What an answer waits for. `synced`: the change is on the disk. `written`: it is with the system, which a
 * killed process does not undo and a power cut within a second may.
 */
export type Durability = 'synced' | 'written'

/** First line of a journal: what it is and the version of its form. */
export const JOURNAL_HEADER = ['gatehouse journal', 1] as const
