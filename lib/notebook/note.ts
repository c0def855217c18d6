import { z } from 'zod'
import { NOTE_WRITER_NAME_MAX_LENGTH } from '#lib/config/limits'
import { fromBase64url } from '#lib/core/base64url'
import type { Random } from '#lib/core/random'

/** Who wrote something, and when: the app that acted, as it was known at that moment. */
export const Writer = z.looseObject({
  clientKey: z.string(),
  /** What the app calls itself: data, never an instruction. */
  clientName: z.string(),
  /** Whether the app's domain vouched for it. */
  verified: z.boolean(),
  /** Milliseconds since 1970. */
  at: z.number(),
})
export type Writer = z.output<typeof Writer>

/** A note, as stored. Title, text and tags were written by people and apps: data. */
export const Note = z.looseObject({
  id: z.string(),
  /** Rises with each edit. Of two copies of a note the one with the higher revision counts. */
  rev: z.number(),
  title: z.string(),
  text: z.string(),
  tags: z.array(z.string()),
  created: Writer,
  /** Absent: never edited. */
  edited: Writer.optional(),
})
export type Note = z.output<typeof Note>

/** The app that acts now. */
export interface WritingClient {
  readonly key: string
  readonly name: string
  readonly verified: boolean
}

/** When a note last changed, in ms since 1970. */
export const updatedAt = (note: Note): number => note.edited?.at ?? note.created.at

/** The record of who writes now. A name is cut short and loses its control characters. */
export function writerOf(client: WritingClient, at: number): Writer {
  const clientName = client.name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .slice(0, NOTE_WRITER_NAME_MAX_LENGTH)
    .trim()
  return { clientKey: client.key, clientName, verified: client.verified, at }
}

// Crockford's base 32: no letters that are taken for digits.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const ID_LENGTH = 10

/** A new id of a note: 10 characters, 50 random bits, safe in a URL and easy to say. */
export function newNoteId(random: Random): string {
  const bytes = fromBase64url(random(ID_LENGTH)) ?? new Uint8Array()
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte & 31)).join('')
}

/** An id as people and models write it, as it is stored: `NOTE://ABC ` means `abc`. */
export const normalizeNoteId = (typed: string): string =>
  typed
    .trim()
    .toLowerCase()
    .replace(/^note:\/\//, '')

const encoder = new TextEncoder()

/** The length of a text in UTF-8. */
export const utf8Length = (text: string): number => encoder.encode(text).length

/** Bytes that a note takes in a segment, with its comma. */
export const storedSize = (note: Note): number => utf8Length(JSON.stringify(note)) + 1
