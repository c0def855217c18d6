import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { profiles } from '#test/hosts/profiles'
import { sources } from '#test/hosts/report'

const report = readFileSync('docs/HOSTS.md', 'utf8')
const rows = report
  .slice(report.indexOf('## Replays'), report.indexOf('## The programs'))
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()))

describe('the report on hosts', () => {
  it('has a row for every profile, and every file of profiles is one', () => {
    expect(rows.map(([, name]) => name)).toEqual(profiles.map(({ name }) => name))
    const files = readdirSync('test/hosts/profiles').map((file) => file.replace(/\.ts$/, ''))
    expect(new Set(profiles.map(({ id }) => id))).toEqual(new Set(files))
  })

  it('tells of no host that fails', () => {
    for (const [, , registers, document] of rows) {
      expect(registers).toBe('works')
      expect(document).toMatch(/^(works|has none|not replayed)$/)
    }
  })

  it('gives the sources and guesses of the profiles as they are', () => {
    expect(report.endsWith(sources())).toBe(true)
  })

  it.each(profiles)('names a source for $name', ({ sources: read }) => {
    expect(read.length).toBeGreaterThan(0)
    for (const source of read) expect(source).toMatch(/^https:\/\//)
  })
})
