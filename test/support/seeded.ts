import { randomInt } from 'node:crypto'

/** Numbers that look random and are the same again for the same seed (mulberry32). */
export interface Seeded {
  /** At least `min`, less than `max`. */
  between(min: number, max: number): number
  pick<Value>(values: readonly Value[]): Value
}

export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min))
  return { between, pick: (values) => values[between(0, values.length)] as (typeof values)[number] }
}

/** `SEED` of the environment, so that a failure can be had again, or a new one. */
export const newSeed = (): number => Number(process.env['SEED'] ?? randomInt(1_000_000_000))
