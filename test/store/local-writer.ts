import { createLocalStore } from '#lib/node/local-store'
import { add, append, get, rank, set, swap, take } from '#lib/store/operations'
import type { Store } from '#lib/store/port'

/**
 * A process that writes as fast as it can and says on standard output what was acknowledged, one JSON array a
 * line, until it is killed.
 */
const [directory = '', round = '0'] = process.argv.slice(2)
const store = await createLocalStore({
  directory,
  prefix: 'crash',
  clock: Date.now,
  compactAtBytes: 200_000,
})
const say = (...told: unknown[]) => process.stdout.write(`${JSON.stringify(told)}\n`)
say('ready')
await Promise.all([
  ...Array.from({ length: 8 }, (_, writer) => swapping(store, writer)),
  logging(store),
  making(store),
])

/** Counts up one record by swaps. */
async function swapping(store: Store, writer: number) {
  const key = `record:${writer}`
  await store.run(set(key, '0', { ifAbsent: true }))
  let current = Number(await store.run(get(key)))
  for (;;) {
    await store.run(swap(key, String(current), String(current + 1)))
    current++
    say('swap', key, current)
  }
}

async function logging(store: Store) {
  for (let index = 0; ; index++) {
    await store.run(append('log', `${round}:${index}`, { keep: 10_000_000 }))
    say('append', `${round}:${index}`)
    await store.run(add('counter', { n: 1 }))
    if (index % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Makes records with an index entry, and takes every other one away again. */
async function making(store: Store) {
  for (let index = 0; ; index++) {
    const name = `${round}:${index}`
    await store.batch(rank('index', name, index), set(`made:${name}`, 'x'.repeat(300)))
    say('made', name)
    if (index % 2 === 0) continue
    await store.run(take(`made:${name}`))
    say('taken', name)
  }
}
