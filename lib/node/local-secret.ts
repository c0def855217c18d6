import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The secret of a server on the local store: made once, kept in a file of its own that only its owner can
 * read. It appears whole or not at all, whatever stops the process, and of two that start at once the first
 * one's secret stands.
 *
 * @param directory - the data folder
 * @returns 32 random bytes as base64url
 * @throws Error when the file exists and does not hold a secret: a new one would end every connection
 */
export function localSecret(directory: string): string {
  const file = join(directory, 'secret')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return readSecret(file) ?? createSecret(file)
}

function readSecret(file: string): string | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  if (!/^[\w-]{43}$/.test(text)) throw new Error(`${file} does not hold a secret; restore it from a backup`)
  return text
}

function createSecret(file: string): string {
  const draft = `${file}.${process.pid}`
  const secret = randomBytes(32).toString('base64url')
  writeFileSync(draft, `${secret}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(draft, file)
    return secret
  } catch (error) {
    const first = hasCode(error, 'EEXIST') ? readSecret(file) : undefined
    if (first === undefined) throw error
    return first
  } finally {
    rmSync(draft, { force: true })
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
