import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLocalStore } from '#lib/node/local-store'
import { DataFolderInUse } from '#lib/node/local-store/lock'
import {
  add,
  append,
  del,
  get,
  range,
  rank,
  read,
  set,
  sums,
  swap,
  take,
  unrank,
} from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'

const ROUNDS = process.env['SOAK'] ? 20 : 5
const WRITER = fileURLToPath(new URL('local-writer.ts', import.meta.url))

let directory: string
let now: number
const opened: Store[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-local-'))
  now = 1_795_000_000_000
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  await rm(directory, { recursive: true, force: true })
})

async function openStore(more: { directory?: string; compactAtBytes?: number } = {}): Promise<Store> {
  const store = await createLocalStore({ directory, prefix: 'crash', clock: () => now, ...more })
  opened.push(store)
  return store
}

const journal = () => join(directory, 'journal.jsonl')

describe('opened again', () => {
  it('has every kind of thing as it was, with its lifetime', async () => {
    const first = await openStore()
    await first.batch(
      set('record', 'ümläut\n'),
      set('mortal', 'x', { ttlMs: 1000 }),
      set('touched', 'x', { ttlMs: 1000 }),
      set('gone', 'x'),
      take('gone'),
      add('counter', { a: 1, __proto: 2 }, 5000),
      append('log', 'a', { keep: 2 }),
      append('log', 'b', { keep: 2 }),
      append('log', 'c', { keep: 2 }),
      rank('index', 'm', 1),
      rank('index', 'n', 2),
      rank('index', 'm', 3),
      rank('index', 'o', 0),
      unrank('index', 'n'),
      range('index', { limit: 1, dropBelow: 1 }),
      get('touched', { touchMs: 10_000 }),
    )
    await first.close()

    now += 2000
    const second = await openStore()
    const ids = (await second.run(read('log', { limit: 9 }))).map(({ id }) => id)
    expect(ids).toEqual(['1795000000000-1', '1795000000000-2'])
    expect(
      await second.batch(get('record'), get('mortal'), get('touched'), get('gone'), sums('counter')),
    ).toEqual(['ümläut\n', null, 'x', null, { a: 1, __proto: 2 }])
    expect(await second.run(range('index', { limit: 9 }))).toEqual([{ member: 'm', score: 3 }])
    now += 9000
    expect(await second.batch(get('touched'), sums('counter'))).toEqual([null, {}])
  })

  it('brings nothing back that had expired before it was written again', async () => {
    const first = await openStore()
    await first.batch(append('log', 'old', { keep: 9, ttlMs: 1000 }), rank('index', 'old', 1, 1000))
    now += 2000
    await first.batch(append('log', 'new', { keep: 9 }), rank('index', 'new', 1))
    await first.close()

    const second = await openStore()
    expect((await second.run(read('log', { limit: 9 }))).map(({ data }) => data)).toEqual(['new'])
    expect(await second.run(range('index', { limit: 9 }))).toEqual([{ member: 'new', score: 1 }])
  })

  it('goes on behind the last id of a log, though the clock went back', async () => {
    const first = await openStore()
    const before = await first.run(append('log', 'a', { keep: 9 }))
    await first.close()
    now -= 60_000
    const second = await openStore()
    expect(before).toEqual({ id: '1795000000000-0' })
    expect(await second.run(append('log', 'b', { keep: 9 }))).toEqual({ id: '1795000000000-1' })
  })

  it.each([
    { tail: 'half a line', bytes: '["set","crash:torn","val' },
    { tail: 'a line without its end', bytes: '["set","crash:torn","value",0]' },
    { tail: 'the beginning of a character', bytes: Buffer.from('["set","crash:torn","ä').subarray(0, -1) },
  ])('ignores $tail at the end, and writes on behind what is whole', async ({ bytes }) => {
    const first = await openStore()
    await first.run(set('kept', 'x'))
    await first.close()
    await appendFile(journal(), bytes)

    const second = await openStore()
    expect(await second.batch(get('kept'), get('torn'))).toEqual(['x', null])
    await second.run(set('later', 'y'))
    await second.close()
    const third = await openStore()
    expect(await third.batch(get('kept'), get('later'))).toEqual(['x', 'y'])
    expect(await readdir(directory)).not.toContain('journal.jsonl.damaged')
  })

  it('survives a journal that was cut at any byte of its last lines', async () => {
    const first = await openStore()
    await first.run(set('kept', 'x'))
    const whole = (await stat(journal())).size
    await first.batch(set('a', '1'), append('log', 'x', { keep: 1 }))
    await first.close()
    const bytes = await readFile(journal())

    for (let length = whole; length < bytes.length; length++) {
      await writeFile(journal(), bytes.subarray(0, length))
      const store = await openStore()
      expect(await store.run(get('kept'))).toBe('x')
      await store.close()
    }
  })

  it('keeps a copy of a journal with damage in its midst, and says so', async () => {
    const first = await openStore()
    await first.run(set('kept', 'x'))
    await first.close()
    await appendFile(journal(), '\0\0\0\n["set","crash:after","y",0]\n')
    const warned = once(process, 'warning')

    const second = await openStore()
    expect(await second.batch(get('kept'), get('after'))).toEqual(['x', null])
    expect(String((await warned)[0])).toContain('damaged')
    expect(await readFile(`${journal()}.damaged`, 'utf8')).toContain('crash:after')
  })

  it.each([
    { file: 'something else', text: '["another",1]\n', message: /not one of Gatehouse/ },
    { file: 'a later version', text: '["gatehouse journal",2]\n', message: /version 2/ },
  ])('refuses a journal that is $file, and leaves it alone', async ({ text, message }) => {
    await writeFile(journal(), text)
    await expect(openStore()).rejects.toThrow(message)
    expect(await readFile(journal(), 'utf8')).toBe(text)
  })
})

describe('kill -9 under load', () => {
  it(`loses no acknowledged write in ${ROUNDS} rounds, and leaves a journal without a fault`, async () => {
    const acknowledged = { swaps: new Map<string, number>(), appended: [] as string[] }
    const made = new Set<string>()
    const taken = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, name, count] of await runUntilKilled(round, 400 + 150 * (round % 5))) {
        if (what === 'swap') acknowledged.swaps.set(name, count)
        if (what === 'append') acknowledged.appended.push(name)
        if (what === 'made') made.add(name)
        if (what === 'taken') taken.add(name)
      }

      const store = await openStore()
      for (const [key, count] of acknowledged.swaps) {
        expect(Number(await store.run(get(key)))).toBeGreaterThanOrEqual(count)
      }
      const logged = await store.run(read('log', { limit: 1_000_000 }))
      const texts = new Set(logged.map(({ data }) => data))
      expect(acknowledged.appended.filter((text) => !texts.has(text))).toEqual([])
      expect(new Set(logged.map(({ id }) => id)).size).toBe(logged.length)

      const ranked = new Set(
        (await store.run(range('index', { limit: 1_000_000 }))).map(({ member }) => member),
      )
      expect([...made].filter((name) => !ranked.has(name))).toEqual([])
      for (const name of taken) expect(await store.run(get(`made:${name}`))).toBeNull()
      // An odd one may have been taken without a word; an even one is never taken.
      const even = [...made].filter((name) => Number(name.split(':')[1]) % 2 === 0)
      for (const name of even) expect(await store.run(get(`made:${name}`))).not.toBeNull()
      await store.close()
    }
    expect(acknowledged.swaps.size).toBe(8)
    expect(acknowledged.appended.length).toBeGreaterThan(100)
    expect(await readdir(directory)).toEqual(['journal.jsonl'])
  }, 600_000)
})

/** Runs a writer, kills it after a while of writing, and answers what it said was acknowledged. */
async function runUntilKilled(round: number, ms: number): Promise<[string, string, number][]> {
  const writer = spawnTsx(WRITER, directory, String(round))
  let said = ''
  writer.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await expect.poll(() => said, { timeout: 15_000 }).toContain('ready')
  await pause(ms)
  writer.kill('SIGKILL')
  await once(writer, 'close')
  // The last line may be cut.
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

function spawnTsx(...parameters: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Size of the journal after one more write: a rewrite goes on beside others, so ask until it is done. */
async function sizeAfter(store: Store, write: Operation): Promise<number> {
  await store.run(write)
  return (await stat(journal())).size
}

describe('rewriting the journal', () => {
  it('keeps the file within twice of what is alive, and everything in it, while writes go on', async () => {
    const store = await openStore({ compactAtBytes: 20_000 })
    await store.batch(
      append('log', 'first', { keep: 9 }),
      rank('index', 'm', 1),
      add('counter', { n: 1 }),
      set('record', '0'),
    )
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 25 }, (_, key) => store.run(set(`key:${key}`, `${round}:${'x'.repeat(200)}`))),
      )
      await store.batch(swap('record', String(round), String(round + 1)), add('counter', { n: 1 }))
    }
    await expect.poll(() => sizeAfter(store, set('more', 'x'))).toBeLessThan(20_200)
    await store.close()
    expect(await readdir(directory)).toEqual(['journal.jsonl'])

    const again = await openStore()
    expect(await again.batch(get('record'), sums('counter'))).toEqual(['40', { n: 41 }])
    expect((await again.run(read('log', { limit: 9 }))).map(({ data }) => data)).toEqual(['first'])
    for (let key = 0; key < 25; key++) expect(await again.run(get(`key:${key}`))).toMatch(/^39:/)
  })

  it('gives deleted space back, and brings nothing deleted back', async () => {
    const store = await openStore({ compactAtBytes: 20_000 })
    const keys = Array.from({ length: 200 }, (_, index) => `key:${index}`)
    await store.batch(...keys.map((key) => set(key, 'x'.repeat(100))))
    await store.run(del(...keys))
    await store.run(set('big', 'x'.repeat(30_000)))
    await store.run(del('big'))
    const small = set('small', 'x'.repeat(4000))
    await expect.poll(() => sizeAfter(store, small), { timeout: 5000 }).toBeLessThan(20_000)
    await store.close()
    const again = await openStore()
    expect(await again.batch(...keys.map((key) => get(key)))).toEqual(keys.map(() => null))
  })

  it('does not begin before the file is worth it', async () => {
    const store = await openStore()
    for (let round = 0; round < 100; round++) await store.run(set('key', 'x'.repeat(1000)))
    expect((await stat(journal())).size).toBeGreaterThan(100_000)
  })

  it('removes what a crash left of it', async () => {
    await writeFile(`${journal()}.next`, 'half')
    await openStore()
    expect(await readdir(directory)).not.toContain('journal.jsonl.next')
  })
})

describe('a disk that refuses', () => {
  it('is an outage, and the store is back with everything when there is room again', async () => {
    const child = fileURLToPath(new URL('local-full-disk.ts', import.meta.url))
    // At most 64 blocks of 1024 bytes a file: as a full disk, until the journal is rewritten.
    const limited = spawn(
      'bash',
      ['-c', 'ulimit -f 64 && exec "$@"', 'bash', process.execPath, '--import', 'tsx', child, directory],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let said = ''
    limited.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await once(limited, 'close')
    const told = JSON.parse(said)
    expect(told).toMatchObject({ refusedAs: 'StoreUnavailable', reads: String(told.afterwards) })
    expect(told.acknowledged).toBeGreaterThan(10)
    const store = await openStore()
    expect(await store.run(get('key'))).toMatch(new RegExp(`^${told.afterwards}:`))
  })
})

describe('the data folder', () => {
  it('is for its owner alone, and so are the files in it', async () => {
    const inner = join(directory, 'deep', 'data')
    await openStore({ directory: inner })
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    expect(await mode(inner)).toBe('700')
    expect(await mode(join(inner, 'journal.jsonl'))).toBe('600')
    expect(await mode(join(inner, 'lock.sock'))).toBe('600')
  })

  it('is refused to a second process, with the ways out', async () => {
    const writer = spawnTsx(WRITER, directory)
    await once(writer.stdout ?? writer, 'data')
    const refused = await openStore().catch((error: unknown) => error)
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    expect(refused).toBeInstanceOf(DataFolderInUse)
    const { message } = refused as DataFolderInUse
    expect(message).toContain(directory)
    expect(message).toContain(`process ${writer.pid}`)
    expect(message).toContain('UPSTASH_REDIS_REST_URL')
    expect(message).toContain('REDIS_URL')
  })

  it('is taken over from a process that was killed', async () => {
    const writer = spawnTsx(WRITER, directory)
    await once(writer.stdout ?? writer, 'data')
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    expect(await readdir(directory)).toContain('lock.sock')
    const store = await openStore()
    expect(await store.run(set('mine', 'x'))).toBe(true)
  })

  it('goes to exactly one of many that ask for it at the same time, also over a dead lock', async () => {
    const writer = spawnTsx(WRITER, directory)
    await once(writer.stdout ?? writer, 'data')
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => openStore()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(refusals.every((reason) => reason instanceof DataFolderInUse)).toBe(true)
  })

  it('is not locked for good by a process that died while it took the lock', async () => {
    await mkdir(join(directory, 'lock.opening'))
    await utimes(join(directory, 'lock.opening'), 1, 1)
    const store = await openStore()
    expect(await store.run(set('mine', 'x'))).toBe(true)
  })

  it('may have a path longer than that of a socket', async () => {
    const long = join(directory, 'd'.repeat(100), 'e'.repeat(100))
    await openStore({ directory: long })
    await expect(openStore({ directory: long })).rejects.toThrow(DataFolderInUse)
    expect(await readdir(long)).toContain('lock.sock')
    await Promise.all(opened.splice(0).map((store) => store.close()))
    expect(await readdir(long)).toEqual(['journal.jsonl'])
    const again = await openStore({ directory: long })
    expect(await again.run(set('mine', 'x'))).toBe(true)
  })

  it('is free again after close, and the closed store is an outage', async () => {
    const store = await openStore()
    await store.close()
    await expect(store.run(get('x'))).rejects.toThrow(StoreUnavailable)
    await openStore()
  })
})

describe('speed', () => {
  it('shares one fsync among concurrent writes, and waits for none when it reads or counts', async () => {
    const store = await openStore()
    const began = performance.now()
    await Promise.all(Array.from({ length: 2000 }, (_, index) => store.run(set(`key:${index}`, 'x'))))
    // One fsync each would take many times as long on any disk.
    expect(performance.now() - began).toBeLessThan(2000)

    const order: string[] = []
    const write = store.run(set('slow', 'x')).then(() => order.push('write'))
    const count = store
      .batch(get('slow'), add('counter', { n: 1 }, 1000))
      .then(() => order.push('read and count'))
    await Promise.all([write, count])
    expect(order).toEqual(['read and count', 'write'])
  })
})
