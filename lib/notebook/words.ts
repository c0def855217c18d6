import { NOTE_SNIPPET_LENGTH } from '#lib/config/limits'

// Scripts that write words without spaces between them.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
const WORD = /[\p{L}\p{N}\p{M}]+/gu

/** A text in lower case without accents, of the same length, so that positions in it hold in the original. */
export function fold(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the characters of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase()
  return text.replace(/[^\p{Ll}\p{Lo}\p{N}\s]|[^\p{ASCII}]/gu, foldLetter)
}

function foldLetter(letter: string): string {
  // Only letters with marks: Hangul decomposes into letters that mean something.
  const [base = letter, ...marks] = letter.normalize('NFD')
  const bare = marks.every((mark) => /\p{M}/u.test(mark)) ? base : letter
  const lower = bare.toLowerCase()
  return lower.length === letter.length ? lower : letter
}

/** The words of a text as they are indexed and looked for. Where no spaces are written: pairs of letters. */
export function wordsOf(text: string): string[] {
  return (fold(text).match(WORD) ?? []).flatMap(splitUnspaced)
}

function splitUnspaced(word: string): string[] {
  const runs = word.match(UNSPACED)
  if (!runs) return [word]
  return [...word.split(UNSPACED).filter((rest) => rest !== ''), ...runs.flatMap(pairs)]
}

function pairs(run: string): string[] {
  const letters = [...run]
  if (letters.length < 2) return letters
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`)
}

/** A piece of a text around the first of the words that stands in it; its beginning when none does. */
export function snippet(text: string, words: readonly string[]): string {
  const folded = fold(text)
  const places = words.map((word) => placeOf(folded, word)).filter((place) => place >= 0)
  const place = places.length === 0 ? 0 : Math.min(...places)
  const start = wordStart(text, Math.max(0, place - NOTE_SNIPPET_LENGTH / 3))
  const end = wordEnd(text, start + NOTE_SNIPPET_LENGTH)

  const piece = text.slice(start, end).replace(/\s+/g, ' ').trim()
  return `${start > 0 ? '…' : ''}${piece}${end < text.length ? '…' : ''}`
}

function placeOf(folded: string, word: string): number {
  for (let place = folded.indexOf(word); place >= 0; place = folded.indexOf(word, place + 1)) {
    if (place === 0 || !/[\p{L}\p{N}]/u.test(folded.charAt(place - 1))) return place
  }
  return folded.indexOf(word)
}

/** The nearest beginning of a word from a place on; the place itself where no spaces are near. */
function wordStart(text: string, place: number): number {
  if (place === 0) return 0
  const space = text.slice(place, place + 30).search(/\s/)
  return onCharacter(text, space < 0 ? place : place + space + 1)
}

function wordEnd(text: string, place: number): number {
  if (place >= text.length) return text.length
  const near = text.slice(place - 30, place)
  const space = Math.max(near.lastIndexOf(' '), near.lastIndexOf('\n'))
  return onCharacter(text, space < 0 ? place : place - 30 + space)
}

/** Never between the halves of a surrogate pair. */
function onCharacter(text: string, place: number): number {
  const unit = text.charCodeAt(place)
  return unit >= 0xdc00 && unit <= 0xdfff ? place + 1 : place
}
