import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Change, JOURNAL_HEADER } from '#lib/node/local-store/changes'
import { syncFolder } from '#lib/node/local-store/rewrite'
import { change, type State } from '#lib/node/local-store/state'

const CHUNK_BYTES = 1024 * 1024
const NEWLINE = 0x0a

/**
 * Replays a journal into `state` and leaves a file that can be appended to, made if there was none. A last
 * line that was cut short by a crash is cut off: it was never acknowledged.
 *
 * @returns the size of the file in bytes
 * @throws Error when the file is no journal of a version that this code knows
 */
export async function loadJournal(path: string, state: State): Promise<{ size: number }> {
  // What a crash left of a rewrite.
  await rm(`${path}.next`, { force: true })

  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    const { size: found } = await file.stat()
    const { good, torn } = await replay(file, state)
    if (good < found && !torn) await keepDamaged(path)
    if (good < found) await file.truncate(good)
    if (good > 0) return { size: good }

    const header = `${JSON.stringify(JOURNAL_HEADER)}\n`
    await file.write(header, 0)
    await file.sync()
    syncFolder(dirname(path))
    return { size: header.length }
  } finally {
    await file.close()
  }
}

/** Replays the lines up to the first that cannot be read. `torn`: that one is the last and has no end. */
async function replay(file: FileHandle, state: State): Promise<{ good: number; torn: boolean }> {
  let good = 0
  for await (const { text, end } of lines(file)) {
    const one = parse(text)
    if (!one) return { good, torn: false }
    if (good === 0) assertHeader(one)
    else change(state, one as unknown as Change)
    good = end
  }
  return { good, torn: true }
}

async function* lines(file: FileHandle): AsyncGenerator<{ text: string; end: number }> {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let pending: Buffer[] = []
  let position = 0
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
    if (bytesRead === 0) return

    let start = 0
    for (;;) {
      const newline = chunk.subarray(0, bytesRead).indexOf(NEWLINE, start)
      if (newline === -1) break
      const text = Buffer.concat([...pending, chunk.subarray(start, newline)]).toString()
      pending = []
      start = newline + 1
      yield { text, end: position + start }
    }
    pending.push(Buffer.from(chunk.subarray(start, bytesRead)))
    position += bytesRead
  }
}

function parse(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function assertHeader([name, version]: readonly unknown[]): void {
  if (name !== JOURNAL_HEADER[0]) throw new Error('the journal in the data folder is not one of Gatehouse')
  if (version !== JOURNAL_HEADER[1]) {
    throw new Error(`the journal in the data folder has version ${version}; this release reads 1`)
  }
}

/** More than the last line is unreadable: a disk fault, or a power cut among unacknowledged writes. */
async function keepDamaged(path: string): Promise<void> {
  await copyFile(path, `${path}.damaged`)
  process.emitWarning(
    'The journal was damaged. It was read up to there; the whole is kept as journal.jsonl.damaged.',
  )
}
