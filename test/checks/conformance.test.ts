import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const rows = readFileSync('docs/CONFORMANCE.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, what, file, title] = /^\| (.+?) \| .+ \| `([^`]+)`: (.+) \|$/.exec(line) ?? []
    return what && file && title ? [{ what, file, title }] : []
  })

describe('docs/CONFORMANCE.md', () => {
  it('has many rows', () => {
    expect(rows.length).toBeGreaterThan(50)
  })

  it.each(rows)('"$what" is tested under that title', ({ file, title }) => {
    expect(readFileSync(file, 'utf8').replaceAll("\\'", "'")).toContain(title)
  })

  it('states the counts that the gate asks for', () => {
    const gate = readFileSync('test/conformance/gate.ts', 'utf8')
    const document = readFileSync('docs/CONFORMANCE.md', 'utf8')
    const expected = [...gate.matchAll(/scenarios: (\d+), passed: (\d+)/g)]
    expect(expected).toHaveLength(3)
    for (const [, scenarios, passed] of expected) {
      expect(document).toMatch(
        new RegExp(`\\| ${scenarios} (\\(\\d+ scored\\) )?\\| ${passed} of ${passed} \\|`),
      )
    }
  })
})
