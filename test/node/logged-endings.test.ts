import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readEndings } from '#lib/node/logged-endings'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const line = (minute: number, event: string) =>
  JSON.stringify({ time: `2026-11-22T17:0${minute}:00.000Z`, level: 'warn', event, accountId: 'usr_m' })

/** The events that are carried out again, in their order. */
function read(...lines: readonly string[]) {
  const file = join(folder, 'log')
  writeFileSync(file, lines.join('\n'))
  return readEndings(file, 0).map(({ event }) => event)
}

it('ends with what was decided last about a person who was blocked, let in and blocked again', () => {
  const lines = [line(1, 'person_blocked'), line(2, 'person_unblocked'), line(3, 'person_blocked')]
  expect(read(...lines).at(-1)).toBe('person_blocked')
  expect(read(...lines, line(4, 'person_unblocked')).at(-1)).toBe('person_unblocked')
})
