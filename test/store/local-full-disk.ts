import { createLocalStore } from '#lib/node/local-store'
import { get, set } from '#lib/store/operations'

/** A process whose files may not grow beyond a limit: writes until it is refused, then goes on. */
const [directory = ''] = process.argv.slice(2)
const store = await createLocalStore({ directory, prefix: 'crash', clock: Date.now })
const told = { acknowledged: -1, refusedAs: '', afterwards: -1 }
const write = (round: number) => store.run(set('key', `${round}:${'x'.repeat(2000)}`))

for (let round = 0; told.refusedAs === ''; round++) {
  await write(round).then(
    () => {
      told.acknowledged = round
    },
    (error: Error) => {
      told.refusedAs = error.name
    },
  )
}
for (let round = 1000; told.afterwards === -1; round++) {
  await write(round).then(
    () => {
      told.afterwards = round
    },
    () => new Promise((resolve) => setTimeout(resolve, 20)),
  )
}
process.stdout.write(JSON.stringify({ ...told, reads: (await store.run(get('key')))?.split(':')[0] }))
await store.close()
