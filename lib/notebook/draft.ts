import {
  NOTE_TAG_MAX_LENGTH,
  NOTE_TAGS_MAX,
  NOTE_TEXT_MAX_BYTES,
  NOTE_TITLE_MAX_LENGTH,
} from '#lib/config/limits'
import { err, ok, type Result } from '#lib/core/result'
import type { NotebookFault } from '#lib/notebook/faults'
import { type Note, updatedAt, utf8Length, type WritingClient, writerOf } from '#lib/notebook/note'

/** What someone wants to write down. Without a title the first line of the text becomes it. */
export interface Draft {
  readonly title?: string | undefined
  readonly text: string
  readonly tags?: readonly string[] | undefined
}

/** What someone wants to change. What is absent stays; `append` goes behind the text on its own line. */
export interface Patch {
  readonly title?: string | undefined
  readonly text?: string | undefined
  readonly append?: string | undefined
  readonly tags?: readonly string[] | undefined
}

/** The content of a note after all checks. */
export interface Content {
  readonly title: string
  readonly text: string
  readonly tags: string[]
}

const DERIVED_TITLE_LENGTH = 80

/** Cleans and checks a draft: line ends, control characters, lengths, tags in one spelling. */
export function checkDraft(draft: Draft): Result<Content, NotebookFault> {
  const text = cleanText(draft.text)
  const title = cleanLine(draft.title ?? '') || firstLine(text)
  if (title === '') return err({ reason: 'empty_note' })
  if (title.length > NOTE_TITLE_MAX_LENGTH) return err(tooLong('title', title.length, NOTE_TITLE_MAX_LENGTH))

  const bytes = utf8Length(text)
  if (bytes > NOTE_TEXT_MAX_BYTES) {
    return err({ ...tooLong('text', bytes, NOTE_TEXT_MAX_BYTES), unit: 'bytes' })
  }
  const tags = checkTags(draft.tags ?? [])
  return tags.ok ? ok({ title, text, tags: tags.value }) : tags
}

/** The note after an edit: the next revision, with its editor, under the same rules as a new one. */
export function revise(
  note: Note,
  patch: Patch,
  { client, now }: { client: WritingClient; now: number },
): Result<Note, NotebookFault> {
  if (Object.values(patch).every((part) => part === undefined)) return err({ reason: 'nothing_to_change' })

  const text = patch.text ?? note.text
  const appended = patch.append === undefined ? text : `${text}${text === '' ? '' : '\n'}${patch.append}`
  const content = checkDraft({
    title: patch.title ?? note.title,
    text: appended,
    tags: patch.tags ?? note.tags,
  })
  if (!content.ok) return content
  // A clock that runs behind must not put an edit before what it edits.
  const edited = writerOf(client, Math.max(now, updatedAt(note)))
  return ok({ ...note, ...content.value, rev: note.rev + 1, edited })
}

/** Tags in the spelling in which they are stored and compared. */
export const normalizeTag = (tag: string): string =>
  cleanLine(tag).replace(/^#+/, '').toLowerCase().replaceAll(' ', '-')

function checkTags(given: readonly string[]): Result<string[], NotebookFault> {
  const tags = [...new Set(given.map(normalizeTag))].filter((tag) => tag !== '')
  if (tags.length > NOTE_TAGS_MAX) {
    return err({ reason: 'too_many_tags', count: tags.length, limit: NOTE_TAGS_MAX })
  }
  const long = tags.find((tag) => tag.length > NOTE_TAG_MAX_LENGTH)
  return long === undefined ? ok(tags) : err(tooLong('tag', long.length, NOTE_TAG_MAX_LENGTH))
}

function tooLong(what: 'title' | 'text' | 'tag', size: number, limit: number) {
  return { reason: 'too_long', what, size, limit, unit: 'characters' } as const
}

// A control character takes six bytes in JSON and means nothing in a note.
const cleanText = (text: string) =>
  text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, '')

const cleanLine = (text: string) => cleanText(text).replace(/\s+/g, ' ').trim()

function firstLine(text: string): string {
  const line = cleanLine(text.trim().split('\n', 1)[0] ?? '').replace(/^#+ /, '')
  return line.length <= DERIVED_TITLE_LENGTH ? line : `${line.slice(0, DERIVED_TITLE_LENGTH - 1).trimEnd()}…`
}
