import { setTimeout as pause } from 'node:timers/promises'
import type { Pair } from '#test/support/deployment'
import type { Product } from '#test/support/product'
import { type Seeded, seeded } from '#test/support/seeded'
import {
  type ClientKind,
  connectClient,
  type SessionClient,
  type SessionClientOptions,
} from '#test/support/session-clients'

/** One numbered thing that a slow tool of the fixture said, by the log of the instance that ran it. */
export interface Said {
  readonly instance: number
  readonly mark: string
  readonly run: string
  readonly n: number
  /** ms since 1970 */
  readonly at: number
}

/** A call that a client made, from its own side. */
export interface Called {
  readonly client: SessionClient
  readonly tool: SlowTool
  readonly mark: string
  readonly expected: string
  /** How long it takes when nothing goes wrong. */
  readonly durationMs: number
  readonly from: number
  to: number
  text?: string
  error?: string
}

export interface Death {
  readonly instance: number
  /** When the signal was sent. */
  readonly at: number
  /** When it was killed. */
  readonly killedAt: number
  /** When it was gone for certain. */
  readonly goneAt: number
}

/** How much later than asked a timer of this process came: what the machine kept everybody waiting for. */
export interface Lag {
  readonly at: number
  readonly ms: number
}

export interface Chaos {
  readonly clients: readonly SessionClient[]
  readonly calls: readonly Called[]
  readonly said: readonly Said[]
  readonly deaths: readonly Death[]
  readonly lags: readonly Lag[]
}

/** How an instance is ended: at once, or politely and at once 500 ms later. */
export type Ending = 'SIGKILL' | 'SIGTERM'
const GRACE_MS = 500

const TOOLS = ['gatehouse_steps', 'gatehouse_steps_again', 'gatehouse_ask', 'gatehouse_notify'] as const
type SlowTool = (typeof TOOLS)[number]

/** A wave of kills must find calls under way. */
const QUIET_MS = 400
/** The last notifications of the session streams are on their way. */
const SETTLE_MS = 2000

/**
 * Lets clients call slow tools without a break through the round-robin, while the instance that runs one of
 * their calls is ended at a random moment and replaced, `rounds` times.
 */
export async function makeChaos(
  pair: Pair,
  how: {
    readonly kinds: readonly ClientKind[]
    readonly token: string
    readonly rounds: number
    readonly seed: number
    readonly ending: Ending
  },
): Promise<Chaos> {
  const calls: Called[] = []
  const deaths: Death[] = []
  const startedAt = Date.now()
  const lags = watchLag()
  let stopping = false

  const clients = await Promise.all(
    how.kinds.map((kind, index) => connectClient(kind, pair.origin, thinking(how, index))),
  )
  const loops = clients.map(async (client, index) => {
    const random = seeded(how.seed + index)
    while (!stopping) {
      const called = planned(client, `c${index}.${calls.length}`, random)
      calls.push(called)
      await make(called)
      await pause(random.between(0, 60))
    }
  })

  const random = seeded(how.seed)
  await pause(QUIET_MS)
  for (let round = 0; round < how.rounds; round++) {
    await pause(random.between(50, 500))
    deaths.push(await endBusiest(pair.instances, how.ending))
  }
  stopping = true
  await Promise.all(loops)
  await pause(SETTLE_MS)
  const said = pair.instances.flatMap(saidBy).filter(({ at }) => at >= startedAt)
  for (const client of clients) await client.close()
  return { clients, calls, said, deaths, lags: lags.stop() }
}

const LAG_EVERY_MS = 20

function watchLag(): { stop(): readonly Lag[] } {
  const lags: Lag[] = []
  let last = Date.now()
  const timer = setInterval(() => {
    const at = Date.now()
    lags.push({ at, ms: Math.max(0, at - last - LAG_EVERY_MS) })
    last = at
  }, LAG_EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return lags
    },
  }
}

/**
 * An instance goes every second or two: both attempts that the libraries make by themselves may meet one that
 * goes. What they then give up is not the server's to keep.
 */
const ATTEMPTS = 20

/** A person who takes a moment. */
function thinking(
  { token, seed }: { readonly token: string; readonly seed: number },
  index: number,
): SessionClientOptions {
  const random = seeded(seed + 1000 + index)
  return {
    token,
    attempts: ATTEMPTS,
    answer: async (question) => {
      await pause(random.between(20, 500))
      return `answer to ${question}`
    },
  }
}

function planned(client: SessionClient, mark: string, random: Seeded): Called & { input: object } {
  const session = client.kind !== 'v2 auto'
  const tool = random.pick(session ? TOOLS : TOOLS.slice(0, 3))
  const everyMs = random.between(40, 120)
  const call = { client, tool, mark, from: Date.now(), to: 0 }
  if (tool === 'gatehouse_ask') {
    const rounds = random.between(1, 3)
    const answers = Array.from({ length: rounds }, (_, round) => `answer to ${mark}: ${round + 1}`)
    const durationMs = rounds * (2 * everyMs + 500)
    return {
      ...call,
      durationMs,
      expected: `${mark}: ${answers.join(', ')}`,
      input: { mark, rounds, everyMs },
    }
  }
  const count = random.between(4, 20)
  const durationMs = count * everyMs
  return tool === 'gatehouse_notify'
    ? { ...call, durationMs, expected: `${mark}: 1 to ${count}`, input: { mark, from: 1, count, everyMs } }
    : { ...call, durationMs, expected: `${mark}: ${count}`, input: { mark, count, everyMs } }
}

async function make(call: Called & { input: object }): Promise<void> {
  // Progress only where the call is never run again: a repeated run counts from the beginning, and progress
  // that does not grow is rightly dropped.
  const progress = call.client.kind === 'v2 auto'
  try {
    call.text = await call.client.call(call.tool, { ...call.input }, { progress })
  } catch (error) {
    call.error = error instanceof Error ? error.message : String(error)
  }
  call.to = Date.now()
}

async function endBusiest(instances: readonly Product[], ending: Ending): Promise<Death> {
  const last = instances.map(lastSaid)
  const instance = last.indexOf(Math.max(...last))
  const dying = instances[instance] as Product
  const at = Date.now()
  if (ending === 'SIGTERM') {
    process.kill(dying.pid, 'SIGTERM')
    await pause(GRACE_MS)
  }
  const killedAt = Date.now()
  await dying.kill()
  const goneAt = Date.now()
  await dying.restart()
  return { instance, at, killedAt, goneAt }
}

const lastSaid = (instance: Product): number => saidIn(instance.log().slice(-4000), 0).at(-1)?.at ?? 0

const saidBy = (instance: Product, index: number): readonly Said[] => saidIn(instance.log(), index)

function saidIn(log: string, instance: number): Said[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}') && line.includes('"fixture_step"'))
    .map((line) => ({ ...(JSON.parse(line) as Said), instance }))
}
