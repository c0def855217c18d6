import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('../../public/gatehouse.css', import.meta.url), 'utf8')

/** Colour variables of the first `:root` (light) and of the dark one, which changes some of them. */
function variables(source: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...source.matchAll(/--([a-z-]+):\s*(oklch\([^)]*\))/g)].map(([, name, value]) => [name, value]),
  )
}

const darkAt = css.indexOf('@media (prefers-color-scheme: dark)')
const light = variables(css.slice(0, darkAt))
const dark = { ...light, ...variables(css.slice(darkAt, css.indexOf('/* Base */'))) }

/** Relative luminance (WCAG 2.2) of an `oklch()` colour, by way of linear sRGB. */
function luminance(colour: string): number {
  const [L = 0, C = 0, H = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number)
  const a = C * Math.cos((H * Math.PI) / 180)
  const b = C * Math.sin((H * Math.PI) / 180)
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3
  const clip = (value: number) => Math.min(1, Math.max(0, value))
  const red = clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)
  const green = clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)
  const blue = clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string | undefined, other: string | undefined): number {
  const [dim = 0, bright = 0] = [luminance(one ?? ''), luminance(other ?? '')].sort((x, y) => x - y)
  return (bright + 0.05) / (dim + 0.05)
}

const themes = [
  { theme: 'light', colours: light },
  { theme: 'dark', colours: dark },
] as const

const texts = [
  ['text', ['ground', 'surface', 'sunken', 'good-soft', 'careful-soft', 'stop-soft']],
  ['muted', ['ground', 'surface', 'sunken']],
  ['accent', ['ground', 'surface', 'sunken', 'accent-soft']],
  ['accent-deep', ['ground', 'surface', 'accent-soft']],
  ['good', ['surface', 'good-soft']],
  ['careful', ['surface', 'careful-soft']],
  ['stop', ['surface', 'stop-soft']],
  ['on-fill', ['fill', 'fill-deep', 'stop-fill', 'stop-fill-deep']],
] as const

const shapes = [
  ['edge', ['ground', 'surface', 'sunken']],
  ['fill', ['surface', 'ground']],
  ['stop-fill', ['surface', 'stop-soft']],
  ['accent', ['surface', 'ground']],
] as const

const pairs = (table: typeof texts | typeof shapes) =>
  themes.flatMap(({ theme, colours }) =>
    table.flatMap(([front, backs]) => backs.map((back) => ({ theme, colours, front, back }))),
  )

describe('the style sheet', () => {
  it.each(pairs(texts))('keeps $front on $back readable in the $theme theme', ({ colours, front, back }) => {
    expect(contrast(colours[front], colours[back])).toBeGreaterThanOrEqual(4.5)
  })

  it.each(pairs(shapes))('keeps the shape of $front visible on $back in the $theme theme', (pair) => {
    expect(contrast(pair.colours[pair.front], pair.colours[pair.back])).toBeGreaterThanOrEqual(3)
  })

  it('measures contrast as WCAG does', () => {
    expect(contrast('oklch(1 0 0)', 'oklch(0 0 0)')).toBeCloseTo(21, 1)
    expect(contrast('oklch(0.5999 0 0)', 'oklch(1 0 0)')).toBeCloseTo(3.95, 1)
  })

  it('asks nothing of another host', () => {
    expect(css.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import|@font-face/)
  })
})
