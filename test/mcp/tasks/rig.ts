import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { systemRandom } from '#lib/core/random'
import { ok } from '#lib/core/result'
import { defineTool, type Offer, type Tool } from '#lib/mcp/define'
import type { McpEndpointDeps } from '#lib/mcp/endpoint'
import { defineLongTool } from '#lib/mcp/long-tool'
import { together } from '#lib/mcp/question'
import { createServerFactory, type ServerFactory } from '#lib/mcp/server'
import type { LeaseTimes } from '#lib/mcp/tasks/leases'
import type { Tasks } from '#lib/mcp/tasks/tasks'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import { type InProcess, inProcess, type TestClaims } from '#test/mcp/in-process'
import { modern, type Post, type Reply, reply } from '#test/mcp/post'
import { callerOf, tasksOver } from '#test/mcp/tasks/over'
import { type Backend, localBackend, tcpBackend } from '#test/store/backends'
import { liveParts } from '#test/support/live-parts'

export const TASKS = 'io.modelcontextprotocol/tasks'
export const KNOWS_TASKS = { extensions: { [TASKS]: {} }, elicitation: {} }
export const backends = [
  { over: 'the local store', open: localBackend },
  { over: 'Redis over TCP', open: tcpBackend },
]

/** What the steps of the tools did, and the gates at which they wait. */
export interface Stage {
  readonly effects: string[]
  /** Steps that were told to stop. */
  readonly stopped: string[]
  /** Steps of this name wait from now on, until the returned function is called. */
  hold(name: string): () => void
  wait(name: string): Promise<void>
}

function stage(): Stage {
  const gates = new Map<string, Promise<void>>()
  return {
    effects: [],
    stopped: [],
    hold(name) {
      let open = () => {}
      const opened = new Promise<void>((resolve) => {
        open = resolve
      })
      gates.set(name, opened)
      return () => {
        gates.delete(name)
        open()
      }
    },
    wait: (name) => gates.get(name) ?? Promise.resolve(),
  }
}

const done = (text: string) => ({ kind: 'done' as const, text, structured: { said: text } })
const Said = z.object({ said: z.string() })
const common = { title: 'T', description: 'D', scope: 'notes:write', output: Said, annotations: {} }

/** Counts in steps; each waits at the gate `count {n}` and leaves an effect. */
const counter = (on: Stage, name: string, readOnlyHint: boolean) =>
  defineLongTool({
    ...common,
    name,
    annotations: { readOnlyHint },
    tasks: 'optional',
    input: z.object({ to: z.number(), pauseMs: z.number().default(0), pad: z.string().default('') }),
    state: z.object({ n: z.number() }),
    begin: async ({ to }) => ({ kind: 'next', state: { n: 0 }, progress: { done: 0, total: to } }),
    step: async ({ n }, { to, pauseMs }, { signal }) => {
      signal.addEventListener('abort', () => on.stopped.push(`${n + 1}`))
      on.effects.push(`${n + 1} begun`)
      await on.wait(`count ${n + 1}`)
      on.effects.push(`${n + 1}`)
      if (n + 1 >= to) return done(`counted to ${to}`)
      return {
        kind: 'next',
        state: { n: n + 1 },
        progress: { done: n + 1, total: to },
        ...(pauseMs > 0 ? { afterMs: pauseMs } : {}),
      }
    },
  })

const Name = z.object({ name: z.string().min(2) })

/** A step with an effect, then a question, then two at once. */
const asker = (on: Stage) =>
  defineLongTool({
    ...common,
    name: 'asks',
    tasks: 'optional',
    input: z.object({}),
    state: z.object({ at: z.enum(['first', 'second']) }),
    begin: async () => ({ kind: 'next', state: { at: 'first' as const } }),
    step: async ({ at }, _input, { ask }) => {
      if (at === 'first') {
        on.effects.push('prepared')
        return { kind: 'next', state: { at: 'second' as const }, message: 'prepared' }
      }
      const name = ask('name', { message: 'Who?', schema: Name })
      if (name.state === 'asking') return name.pending
      if (name.state !== 'accepted') return { kind: 'failed', text: name.state }
      const two = together({
        left: ask('left', { message: 'L?', schema: Name }),
        right: ask('right', { message: 'R?', schema: Name }),
      })
      if (two.state === 'asking') return two.pending
      const { left, right } = two.answers
      const both = left.state === 'accepted' && right.state === 'accepted'
      on.effects.push('answered')
      return done(both ? `${name.content.name} ${left.content.name} ${right.content.name}` : 'declined')
    },
  })

const required = defineLongTool({
  ...common,
  name: 'only_tasks',
  tasks: 'required',
  input: z.object({ size: z.number().default(0), breaks: z.boolean().default(false) }),
  state: z.object({}),
  begin: async () => ({ kind: 'next', state: {} }),
  step: async (_state, { size, breaks }) => {
    if (breaks) throw new Error('secret detail')
    return size > 0 ? done('x'.repeat(size)) : { kind: 'failed', text: 'It did not work.' }
  },
})

const plain = defineTool({
  ...common,
  name: 'plain',
  input: z.object({}),
  run: async () => done('plain'),
})

/** The token is `<account>[@app][/scope,scope]`. */
export interface Instance {
  readonly server: InProcess
  readonly tasks: Tasks
  /** Requests to the store, by kinds of their operations. */
  readonly requests: string[][]
  /** From now on nothing that it does reaches the store, and nothing is heard of it: SIGKILL. */
  kill(): void
  /** Requests wait until `thaw`: a frozen function. */
  freeze(): void
  thaw(): void
  /** The next request that matches is carried out and then not answered. */
  loseReply(matches: (operations: readonly Operation[]) => boolean): void
}

export interface Rig extends Stage {
  readonly backend: Backend
  readonly store: Store
  /** `without`: a release that does not have this tool. */
  instance(how?: {
    readonly runMaxMs?: number
    readonly times?: LeaseTimes
    readonly without?: string
    readonly clock?: () => number
    /** Without tasks. */
    readonly bare?: boolean
  }): Instance
  /** Ends the connections of an account. */
  end(accountId: string): void
  /** Moves the clock of all instances, and of the local store. */
  passes(ms: number): Promise<void>
  readonly logged: Record<string, unknown>[]
  stop(): Promise<void>
}

export const SHORT: LeaseTimes = { leaseMs: 400, beatMs: 100 }

export async function openRig(open: () => Promise<Backend>): Promise<Rig> {
  const backend = await open()
  const on = stage()
  const ended = new Set<string>()
  const logged: Record<string, unknown>[] = []
  const offer: Offer = {
    name: 'test',
    title: 'Test',
    version: '1',
    instructions: '',
    tools: [counter(on, 'count', false), counter(on, 'look', true), asker(on), required, plain] as Tool[],
    prompts: [],
    resources: [],
  }
  const instances: Instance[] = []
  let made = 0

  function instance({
    runMaxMs,
    times = SHORT,
    without,
    clock = Date.now,
    bare = false,
  }: Parameters<Rig['instance']>[0] = {}): Instance {
    const watched = watch(backend.stores[made++ % 2] as Store)
    const { store } = watched
    const log = (_level: string, event: string, fields = {}) => void logged.push({ event, ...fields })
    const deps = { store, clock, random: systemRandom, log }
    const release = { ...offer, tools: offer.tools.filter(({ name }) => name !== without) }
    const factory: ServerFactory = createServerFactory(release, {
      ...deps,
      scopes: [
        { name: 'notes:read', includes: [] },
        { name: 'notes:write', includes: ['notes:read'] },
      ],
    })
    const tasks = tasksOver({
      ...deps,
      factory,
      times,
      standing: async (authority) => {
        await store.run({ kind: 'get', key: 'grant', fresh: true })
        const caller = callerOf(authority)
        return ended.has(caller.accountId) ? undefined : caller
      },
      ...(runMaxMs === undefined ? {} : { runMaxMs }),
    })
    const server = inProcess({
      ...(admission(store) as Partial<McpEndpointDeps<TestClaims>>),
      ...liveParts(store),
      ...deps,
      factory,
      ...(bare ? {} : { tasks }),
    })
    const made_ = { server, tasks, ...watched.how }
    instances.push(made_)
    return made_
  }

  return {
    ...on,
    backend,
    store: backend.stores[0],
    logged,
    instance,
    end: (accountId) => void ended.add(accountId),
    passes: (ms) => backend.passes(ms),
    async stop() {
      for (const one of instances) one.kill()
      await pause(20)
      await backend.stop()
    },
  }
}

function watch(store: Store) {
  const requests: string[][] = []
  let dead = false
  let frozen = Promise.resolve()
  let thawing = () => {}
  let losing: ((operations: readonly Operation[]) => boolean) | undefined

  async function send(operations: readonly Operation[]): Promise<readonly unknown[]> {
    requests.push(operations.map(({ kind }) => kind))
    await frozen
    if (dead) return new Promise(() => {})
    const answers = await store.batch(...operations)
    if (losing?.(operations)) {
      losing = undefined
      throw new StoreUnavailable('the reply was lost')
    }
    return dead ? new Promise(() => {}) : answers
  }
  const watched: Store = {
    ...store,
    subscribe: (...how) => store.subscribe(...how),
    close: async () => undefined,
    run: async (operation) => (await send([operation]))[0] as never,
    batch: async (...operations) => (await send(operations)) as never,
  }
  const how = {
    requests,
    kill: () => {
      dead = true
    },
    freeze: () => {
      frozen = new Promise((resolve) => {
        thawing = resolve
      })
    },
    thaw: () => thawing(),
    loseReply: (matches: (operations: readonly Operation[]) => boolean) => {
      losing = matches
    },
  }
  return { store: watched, how }
}

function admission(store: Store) {
  return {
    readBearer: async (request: Request) => {
      const [, token = ''] = (request.headers.get('authorization') ?? '').split(' ')
      const [, accountId = '', app = 'test-client', scopes] =
        /^([^@/]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(token) ?? []
      const held = (scopes ?? 'notes:write').split(',')
      return ok({ accountId, app, scopes: held, expiresAt: Math.floor(Date.now() / 1000) + 3600 })
    },
    admit: async (claims: TestClaims, _calls: number, also: readonly Operation[]) =>
      ok({
        caller: callerOf(JSON.stringify(claims)),
        answers: also.length > 0 ? await store.batch(...also) : [],
      }),
  }
}

/** Calls a tool as a client that knows tasks. */
export const call = async (
  { server }: Instance,
  name: string,
  args: Record<string, unknown> = {},
  how: Post & { capabilities?: Record<string, unknown>; more?: Record<string, unknown> } = {},
): Promise<Reply> =>
  reply(
    await modern(
      server,
      'tools/call',
      { name, arguments: args, capabilities: how.capabilities ?? KNOWS_TASKS, ...how.more },
      how,
    ),
  )

/** Calls a tool that makes a task. */
export async function begin(
  at: Instance,
  name: string,
  args: Record<string, unknown> = {},
  how: Post = {},
): Promise<string> {
  const { result } = await call(at, name, args, how)
  if (result?.resultType !== 'task') throw new Error(`no task: ${JSON.stringify(result)}`)
  return result.taskId
}

/** One of the methods of the extension. */
export const about = (
  { server }: Instance,
  method: 'get' | 'update' | 'cancel',
  taskId: string,
  {
    inputResponses,
    capabilities = KNOWS_TASKS,
    ...how
  }: Post & { inputResponses?: unknown; capabilities?: unknown } = {},
): Promise<Response> =>
  modern(
    server,
    `tasks/${method}`,
    {
      taskId,
      capabilities,
      ...(method === 'update' ? { inputResponses: inputResponses ?? {} } : {}),
    },
    { ...how, headers: { 'mcp-name': taskId, ...how.headers } },
  )

export const status = async (at: Instance, taskId: string, how: Post = {}) =>
  (await reply(await about(at, 'get', taskId, how))).result

/** Asks until the task is as wanted. */
export async function until(
  at: Instance,
  taskId: string,
  wanted: (task: { readonly status: string; readonly statusMessage?: string }) => boolean,
  how: Post = {},
) {
  for (let attempt = 0; attempt < 400; attempt++) {
    const task = await status(at, taskId, how)
    if (task === undefined) throw new Error('no such task')
    if (wanted(task)) return task
    await pause(20)
  }
  throw new Error(`never: ${JSON.stringify(await status(at, taskId, how))}`)
}

/** Asks until the task has ended. */
export const ended = (at: Instance, taskId: string, how: Post = {}) =>
  until(at, taskId, (task) => ['completed', 'failed', 'cancelled'].includes(task.status), how)

/** Waits until something was done. */
export async function seen(effects: readonly string[], effect: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (effects.includes(effect)) return
    await pause(10)
  }
  throw new Error(`not seen: ${effect}; ${effects.join(', ')}`)
}
