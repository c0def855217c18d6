/** Why the notebook refused something. `explain` says it in words. */
export type NotebookFault =
  | { readonly reason: 'unknown_note'; readonly id: string }
  | { readonly reason: 'empty_note' }
  | {
      readonly reason: 'too_long'
      readonly what: 'title' | 'text' | 'tag' | 'query'
      readonly size: number
      readonly limit: number
      readonly unit: 'characters' | 'bytes'
    }
  | { readonly reason: 'too_many_tags'; readonly count: number; readonly limit: number }
  | { readonly reason: 'too_many_notes'; readonly limit: number }
  | { readonly reason: 'notebook_full'; readonly limit: number }
  | { readonly reason: 'nothing_to_change' }
  | { readonly reason: 'empty_query' }
  | { readonly reason: 'malformed_cursor' }

/** A fault as a sentence that says what to do instead, for a model or a person. */
export function explain(fault: NotebookFault): string {
  switch (fault.reason) {
    case 'unknown_note':
      return `There is no note with the id ${JSON.stringify(fault.id.slice(0, 60))}. Ids come from search_notes and list_notes: look the note up there.`
    case 'empty_note':
      return 'A note needs a title or a text.'
    case 'too_long':
      return tooLong(fault)
    case 'too_many_tags':
      return `A note has at most ${fault.limit} tags; these are ${fault.count}.`
    case 'too_many_notes':
      return `The notebook holds ${number(fault.limit)} notes, which is its limit. Delete some before adding more.`
    case 'notebook_full':
      return `The notebook is full: its notes may take ${megabytes(fault.limit)} MB. Delete or shorten some first.`
    case 'nothing_to_change':
      return 'Nothing to change was given: name a new title, text, text to append, or tags.'
    case 'empty_query':
      return 'The query has no word to look for. Give at least one word, or use list_notes.'
    case 'malformed_cursor':
      return 'This cursor is not one that list_notes gave. Leave it out to start from the first page.'
  }
}

function tooLong({ what, size, limit, unit }: Extract<NotebookFault, { reason: 'too_long' }>): string {
  const advice = what === 'text' ? ' Split it into several notes.' : ''
  return `The ${what} has ${number(size)} ${unit}; at most ${number(limit)} are allowed.${advice}`
}

const number = (value: number) => value.toLocaleString('en-US')
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
