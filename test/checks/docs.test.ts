import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variables } from '#lib/config/variables'
import { VERSION } from '#lib/config/version'
import { keys } from '#lib/store/keys'

const read = (file: string) => readFileSync(file, 'utf8')
const documents = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

describe('the documents', () => {
  it('show in the README exactly the variables that the configuration reads', () => {
    const rows = variables.map(
      ({ name, meaning, default: value }) => `| \`${name}\` | ${meaning} | ${value} |`,
    )
    const table = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(read('README.md'))?.[1]
    expect(table?.split('\n').slice(2)).toEqual(rows)
  })

  it.each(documents)('link from %s only to files that exist', (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(
      ([, target]) => target ?? '',
    )
    const missing = targets.filter((target) => !existsSync(normalize(join(dirname(document), target))))
    expect(missing).toEqual([])
  })

  it.each(documents)('name in %s no path of a machine and no registry host', (document) => {
    expect(read(document)).not.toMatch(/(^|[\s(`])\/(work|farm|home|root|tmp)\/|registry\.npm|npx gatehouse/)
  })

  it.each(readdirSync('docs/decisions'))('give decision %s a date, a status and its three parts', (file) => {
    const text = read(join('docs/decisions', file))
    expect(text).toMatch(/^# \d{4} .+\n\nDate: \d{4}-\d\d-\d\d\nStatus: (accepted|superseded by \d{4})\n/)
    for (const part of ['Context', 'Decision', 'Consequences']) expect(text).toContain(`## ${part}`)
    expect(text.split('\n').length).toBeLessThanOrEqual(60)
  })

  it('list every key of the store, its lifetime and what deletes it', () => {
    const spelled = read('docs/STORAGE.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => (line.split('`')[1] ?? '').replaceAll(/\{[^}]+\}/g, 'X'))
    const used = Object.values(keys).map((key) => (key as (...parts: unknown[]) => string)('X', 'X'))
    expect(new Set(spelled)).toEqual(new Set(used))
  })

  it('call the product by one version', () => {
    expect(JSON.parse(read('package.json')).version).toBe(VERSION)
  })
})
