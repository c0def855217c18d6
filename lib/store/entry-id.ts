const ENTRY_ID = /^(?:0|[1-9]\d{0,14})-(?:0|[1-9]\d{0,8})$/

/** Whether a text has the form of a log's entry id. Ask before using one that came from outside. */
export const isEntryId = (text: string): boolean => ENTRY_ID.test(text)

/** Whether an entry id comes after another of the same log. */
export function isLater(id: string, than: string): boolean {
  const [ms = 0, seq = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherSeq = 0] = than.split('-').map(Number)
  return ms > otherMs || (ms === otherMs && seq > otherSeq)
}

/** Before every entry of any log. */
export const FIRST_ENTRY = '0-0'
