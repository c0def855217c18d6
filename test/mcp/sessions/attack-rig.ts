import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { createKeyRing } from '#lib/core/key-ring'
import { systemRandom } from '#lib/core/random'
import { err, ok } from '#lib/core/result'
import { readAnswers } from '#lib/mcp/answers'
import { text } from '#lib/mcp/conformance/samples'
import type { McpEndpointDeps } from '#lib/mcp/endpoint'
import { frozen } from '#lib/mcp/schema'
import type { ServerFactory } from '#lib/mcp/server'
import { createSessionIds } from '#lib/mcp/sessions/session-id'
import { createLocalStore } from '#lib/node/local-store'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import { type InProcess, inProcess, type TestClaims } from '#test/mcp/in-process'
import { sessionFactory } from '#test/mcp/session-offer'
import { liveParts } from '#test/support/live-parts'

/** Two instances on one store, with what an attacker, or an accident, would like to have. */
export interface AttackRig {
  readonly a: InProcess
  readonly b: InProcess
  /** The store itself: nothing that is done to `faults` concerns it. */
  readonly store: Store
  /** Requests of both instances. */
  readonly sent: (readonly Operation[])[]
  /** Asked before each request of an instance; may wait, and may say what becomes of it. */
  faults: (operations: readonly Operation[]) => Fault | Promise<Fault>
  /** Accounts whose connection has ended. */
  readonly ended: Set<string>
  /** Calls of `forever` that go on. */
  readonly working: Set<string>
  sidOf(sessionId: string): Promise<string>
  close(): Promise<void>
}

/** `lost`: it is done, and nobody is told. */
export type Fault = 'none' | 'refused' | 'lost'

export interface RigHow extends Partial<McpEndpointDeps<TestClaims>> {
  readonly wakeUps?: boolean
}

type Claims = TestClaims & { readonly app: string }

/** Starts two instances. A token is `<account>[@app][/scope,scope]`. */
export async function openAttackRig({ wakeUps = true, ...how }: RigHow = {}): Promise<AttackRig> {
  const keyRing = createKeyRing(['a secret of the rig, long enough to be one'], 'test')
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-attack-'))
  const store = await createLocalStore({ directory, prefix: 'test', clock: Date.now })
  const ended = new Set<string>()
  const working = new Set<string>()
  const clock = Date.now
  const sent: (readonly Operation[])[] = []
  const rig = { faults: (): Fault | Promise<Fault> => 'none' } as Pick<AttackRig, 'faults'>

  async function through<Answer>(operations: readonly Operation[], run: () => Promise<Answer>) {
    sent.push(operations)
    const fault = await rig.faults(operations)
    if (fault === 'refused') throw new StoreUnavailable('store: refused')
    const answer = await run()
    if (fault === 'lost') throw new StoreUnavailable('store: lost')
    return answer
  }
  const faulty: Store = {
    run: (operation) => through([operation], () => store.run(operation)),
    batch: (...operations) => through(operations, () => store.batch(...operations)),
    subscribe: (...args) => store.subscribe(...args),
    close: () => store.close(),
  }

  function instance(): InProcess {
    const deps: Partial<McpEndpointDeps<Claims>> = {
      ...liveParts(faulty, { wakeUps }),
      keyRing,
      clock,
      readBearer: async (request) => {
        const [, token = ''] = (request.headers.get('authorization') ?? '').split(' ')
        const [, accountId = '', app = 'test-client', scopes = 'notes:read,notes:write'] =
          /^([^@/]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(token) ?? []
        return ok({ accountId, app, scopes: scopes.split(','), expiresAt: clock() / 1000 + 3600 })
      },
      admit: async ({ accountId, app, scopes }, _calls, also) => {
        const answers = also.length > 0 ? await faulty.batch(...also) : []
        if (ended.has(accountId)) return err({ reason: 'token_invalid' })
        const client = { key: app, name: app, verified: false }
        return ok({ caller: { accountId, scopes, client }, answers })
      },
    }
    // The endpoint hands back the claims that it was given.
    const common = { ...(deps as Partial<McpEndpointDeps<TestClaims>>), ...how }
    return inProcess({ ...common, factory: attackFactory(working) })
  }

  const [a, b] = [instance(), instance()]
  const ids = createSessionIds(keyRing, clock)
  return Object.assign(rig, {
    a,
    b,
    store,
    sent,
    ended,
    working,
    async sidOf(sessionId: string) {
      const opened = await ids.open(sessionId, 'alice')
      if (!opened) throw new Error('not a session of alice')
      return opened.sid
    },
    async close() {
      rig.faults = () => 'none'
      await Promise.all([a.drain(), b.drain()])
      await store.close()
      await rm(directory, { recursive: true })
    },
  })
}

const Burst = frozen(z.object({ count: z.int(), bytes: z.int() }), 'input')
const Marked = frozen(z.object({ mark: z.string() }), 'input')
const Answer = z.object({ answer: z.string() })

function attackFactory(working: Set<string>): ServerFactory {
  const { factory } = sessionFactory(Date.now)
  return {
    ...factory,
    create(exchange) {
      const server = factory.create(exchange)
      server.registerTool(
        'forever',
        { description: 'Never ends by itself', inputSchema: Marked },
        ({ mark }, { mcpReq }) =>
          new Promise<CallToolResult>((resolve) => {
            working.add(mark)
            mcpReq.signal.addEventListener('abort', () => {
              working.delete(mark)
              resolve(text('Stopped.'))
            })
          }),
      )
      server.registerTool(
        'burst',
        { description: 'Says much at once', inputSchema: Burst },
        async ({ count, bytes }, { mcpReq }) => {
          for (let n = 1; n <= count; n++) {
            await mcpReq.notify({
              method: 'notifications/message',
              params: { level: 'info', data: { n, filler: 'x'.repeat(bytes) } },
            })
          }
          return text('Said.')
        },
      )
      server.registerTool(
        'guarded_ask',
        {
          description: 'Asks, and needs notes:write',
          inputSchema: Marked,
          scopeChallenge: () => {
            if (exchange.caller.scopes.includes('notes:write')) return undefined
            exchange.challenge(['notes:write'])
            return { scopes: ['notes:write'] }
          },
        },
        async ({ mark }, context): Promise<InputRequiredResult | CallToolResult> => {
          const answers = readAnswers(context, exchange, systemRandom)
          const asked = answers.ask('q', { message: 'May I?', schema: Answer })
          if (asked.state === 'asking') return answers.request(asked.pending, text('Parked.'))
          working.add(mark)
          return text(`Written with ${exchange.caller.scopes.join(' ')}.`)
        },
      )
      return server
    },
  }
}
