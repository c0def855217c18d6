import type { Operation, Ranked } from '#lib/store/port'

/** An index in memory: as Redis's sorted sets, by score, ties by the bytes of the member. */
export interface OrderedIndex {
  readonly kind: 'index'
  expiresAt: number
  readonly scores: Map<string, number>
  readonly ordered: Ranked[]
}

export const newIndex = (): OrderedIndex => ({ kind: 'index', expiresAt: 0, scores: new Map(), ordered: [] })

/** Puts a member in its place, away from where it stood. */
export function rankIn(index: OrderedIndex, member: string, score: number): void {
  unrankIn(index, member)
  // Redis knows no -0; adding 0 turns it into 0.
  const ranked = { member, score: score + 0 }
  index.scores.set(member, ranked.score)
  index.ordered.splice(position(index, ranked), 0, ranked)
}

/** Takes a member out; answers whether it was there. */
export function unrankIn(index: OrderedIndex, member: string): boolean {
  const score = index.scores.get(member)
  if (score === undefined) return false

  index.scores.delete(member)
  index.ordered.splice(position(index, { member, score }), 1)
  return true
}

/** Forgets members under a score; answers whether there were any. */
export function dropFrom(index: OrderedIndex, below: number): boolean {
  const kept = firstScored(index, below)
  for (const { member } of index.ordered.splice(0, kept)) index.scores.delete(member)
  return kept > 0
}

/** Members between two scores, both inclusive. */
export function rangeOf(index: OrderedIndex, how: Extract<Operation, { kind: 'range' }>): Ranked[] {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, offset = 0, limit } = how
  const found = index.ordered.slice(firstScored(index, min)).filter(({ score }) => score <= max)
  return (how.highestFirst ? found.reverse() : found).slice(offset, offset + limit)
}

const firstScored = ({ ordered }: OrderedIndex, score: number) =>
  firstWhere(ordered, (ranked) => ranked.score >= score)

const position = ({ ordered }: OrderedIndex, wanted: Ranked) =>
  firstWhere(ordered, (ranked) => compare(ranked, wanted) >= 0)

function compare(left: Ranked, right: Ranked): number {
  // The order of UTF-16 is not that of UTF-8, which is Redis's.
  return left.score - right.score || Buffer.compare(Buffer.from(left.member), Buffer.from(right.member))
}

function firstWhere(ordered: readonly Ranked[], reached: (ranked: Ranked) => boolean): number {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const ranked = ordered[middle]
    if (ranked && !reached(ranked)) low = middle + 1
    else high = middle
  }
  return low
}
