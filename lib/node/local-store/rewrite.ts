import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { JOURNAL_HEADER } from '#lib/node/local-store/changes'
import { describe, type State } from '#lib/node/local-store/state'

/** A new journal beside the old one. */
export interface Rewritten {
  readonly file: FileHandle
  readonly temporaryPath: string
  readonly size: number
}

/** Written at once, so that other work gets its turn in between. */
const CHUNK_LENGTH = 256 * 1024

/**
 * Writes all that is alive to a new file and syncs it. Others go on changing the state meanwhile: what they
 * change has to follow in the file, which is why changes are absolute.
 */
export async function rewrite(temporaryPath: string, state: State): Promise<Rewritten> {
  const file = await open(temporaryPath, 'w', 0o600)
  try {
    let size = 0
    for (const chunk of chunks(state)) size += (await file.write(chunk)).bytesWritten
    await file.datasync()
    return { file, temporaryPath, size }
  } catch (error) {
    await file.close()
    await rm(temporaryPath, { force: true })
    throw error
  }
}

function* chunks(state: State): Generator<string> {
  let chunk = `${JSON.stringify(JOURNAL_HEADER)}\n`
  for (const [key, stored] of state) {
    for (const change of describe(key, stored)) {
      chunk += `${JSON.stringify(change)}\n`
      if (chunk.length < CHUNK_LENGTH) continue
      yield chunk
      chunk = ''
    }
  }
  yield chunk
}

/**
 * Ends the new file with the changes made meanwhile and puts it in the place of the old one, in one go: it
 * is synchronous, so that no change can fall between the two.
 *
 * @returns the size of the file in bytes
 */
export function replaceFile(how: { from: Rewritten; path: string; directory: string; rest: string }): number {
  const { from, path, directory, rest } = how
  const size = from.size + writeWhole(from.file.fd, rest)
  fdatasyncSync(from.file.fd)
  renameSync(from.temporaryPath, path)
  syncFolder(directory)
  return size
}

/** Makes the names in a folder last through a power cut. */
export function syncFolder(directory: string): void {
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Writes all of a text, however little the system takes at a time. Answers its bytes. */
export function writeWhole(descriptor: number, text: string): number {
  const bytes = Buffer.from(text)
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written)
  return bytes.length
}
