import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stream } from 'node:stream'
import { root } from '#test/support/build'

const URL_TIMEOUT_MS = 30_000

/** An environment in which a program finds no browser, on a desktop either: the test plays the person. */
export function withoutBrowser(home: string): Record<string, string> {
  const empty = join(home, 'empty-path')
  mkdirSync(empty, { recursive: true })
  return { HOME: home, USERPROFILE: home, PATH: empty, BROWSER: join(empty, 'none') }
}

/** Gives a function that waits for the authorization URL that the program prints. */
export function printedUrl(stream: Stream | null): () => Promise<string> {
  let said = ''
  stream?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return async () => {
    const deadline = Date.now() + URL_TIMEOUT_MS
    for (;;) {
      const url = /(https?:\/\/\S+\/oauth\/authorize\?\S+)\s/.exec(said)?.[1]
      if (url) return url
      if (Date.now() > deadline) throw new Error(`no authorization URL:\n${said}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** What a real program did against the product, for the report. */
export interface ProgramRun {
  readonly name: string
  readonly version: string
  readonly results: Readonly<Record<string, boolean>>
  /** Why it could not run here. */
  readonly skipped?: string
}

/** Keeps it where the report looks. */
export function noteProgram(run: ProgramRun): void {
  const folder = join(root, 'out/hosts')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, `program-${run.name.toLowerCase().replaceAll(' ', '-')}.json`),
    JSON.stringify(run),
  )
}
