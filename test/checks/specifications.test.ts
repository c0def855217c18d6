import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Row {
  readonly section: string
  readonly files: readonly string[]
  readonly test: string
  readonly title: string
}

const read = (file: string) => readFileSync(file, 'utf8')
const cells = (line: string) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''))

const rows: readonly Row[] = read('docs/SPECIFICATIONS.md')
  .split('\n')
  .filter((line) => /^\| (?!Section|---)/.test(line))
  .map((line) => {
    const [section = '', , files = '', tested = ''] = cells(line)
    const [, test = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(tested) ?? []
    return { section, files: [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file ?? ''), test, title }
  })

const SECTION =
  /(RFC \d{4}|OAuth 2\.1|OpenID Connect Core|WebAuthn)((?:(?:,? | and )(?:§|appendix )[A-Z\d]+(?:\.\d+)*)+)/g

/** Every section that a text cites: `RFC 6749 §3.1, §3.2` are two. */
function sectionsIn(text: string): readonly string[] {
  // A citation may be broken over two lines of a comment.
  const joined = text.replaceAll(/\n\s*(?:\*|\/\/) /g, ' ')
  return [...joined.matchAll(SECTION)].flatMap(([, standard, list = '']) =>
    [...list.matchAll(/§[\d.]*\d|appendix [A-Z\d.]*\d/g)].map(([section]) => `${standard} ${section}`),
  )
}

const sources = ['lib/oauth', 'lib/identity'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
)
const cited = sources.flatMap((file) =>
  [...new Set(sectionsIn(read(file)))].map((section) => ({ file, section })),
)

describe('docs/SPECIFICATIONS.md', () => {
  it('has a row for each section, once', () => {
    expect(rows.length).toBeGreaterThan(80)
    expect(cited.length).toBeGreaterThan(50)
    const sections = rows.map(({ section }) => section)
    expect(sections.filter((section, place) => sections.indexOf(section) !== place)).toEqual([])
  })

  it.each(rows)(
    '$section is done in files that exist and tested under that title',
    ({ files, test, title }) => {
      expect(files.length).toBeGreaterThan(0)
      expect(files.filter((file) => !existsSync(file))).toEqual([])
      expect(read(test).replaceAll("\\'", "'")).toContain(title)
    },
  )

  it.each(cited)('$section, which $file cites, stands there beside it', ({ file, section }) => {
    const row = rows.find((candidate) => candidate.section === section)
    expect(row?.files ?? []).toContain(file)
  })
})

it('citations are found in lists and over line breaks', () => {
  expect(sectionsIn('RFC 6749 §3.1, §3.2)')).toEqual(['RFC 6749 §3.1', 'RFC 6749 §3.2'])
  expect(sectionsIn(' * see RFC\n * 8252 §7.1. And OAuth 2.1 §7.12.2')).toEqual([
    'RFC 8252 §7.1',
    'OAuth 2.1 §7.12.2',
  ])
  expect(sectionsIn('RFC 7591 appendix A.5.2')).toEqual(['RFC 7591 appendix A.5.2'])
})
