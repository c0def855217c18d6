import { readFileSync, writeFileSync } from 'node:fs'

/** Puts a table between its markers in the document, and leaves the words around it alone. */
export function publish(name: string, text: string): void {
  const file = 'docs/BENCHMARKS.md'
  const pattern = new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`)
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(pattern, `<!-- ${name} -->\n${text}\n<!-- /${name} -->`),
  )
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
