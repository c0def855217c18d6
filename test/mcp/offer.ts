import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { systemRandom } from '#lib/core/random'
import { definePrompt, defineTool, type Offer } from '#lib/mcp/define'
import { createServerFactory, type ServerDeps } from '#lib/mcp/server'
import { createLocalStore } from '#lib/node/local-store'
import { StoreUnavailable } from '#lib/store/port'

const Text = z.object({ text: z.string() })

const echo = defineTool({
  name: 'echo',
  title: 'Echo',
  description: 'Says it again',
  scope: 'notes:read',
  annotations: { readOnlyHint: true },
  input: Text,
  output: z.object({ text: z.string(), account: z.string() }),
  run: async ({ text }, { caller }) => ({
    kind: 'done',
    text,
    structured: { text, account: caller.accountId },
    links: [{ uri: 'thing://1', name: 'one' }],
  }),
})

const write = defineTool({
  name: 'write',
  title: 'Write',
  description: 'Changes something',
  scope: 'notes:write',
  annotations: {},
  input: Text,
  output: Text,
  run: async ({ text }, { changed }) => {
    changed?.({ kind: 'resource', uri: `thing://${text}` })
    return { kind: 'done', text, structured: { text } }
  },
})

const Sure = z.object({ sure: z.boolean() })

/** Asks two questions, one after the other. */
const askTwice = defineTool({
  name: 'ask_twice',
  title: 'Ask twice',
  description: 'Asks, and asks again',
  scope: 'notes:write',
  annotations: { destructiveHint: true },
  input: Text,
  output: Text,
  run: async ({ text }, { ask }) => {
    const first = ask('first', { message: 'Sure?', schema: Sure })
    if (first.state === 'asking') return first.pending
    if (first.state === 'unavailable') return { kind: 'failed', text: 'This app cannot ask you.' }
    if (first.state === 'declined') return { kind: 'failed', text: 'You said no.' }
    const second = ask('second', { message: 'Really?', schema: Sure })
    if (second.state === 'asking') return second.pending
    const said = second.state === 'accepted' ? `${first.content.sure} ${second.content.sure}` : second.state
    return { kind: 'done', text: `${text}: ${said}`, structured: { text: said } }
  },
})

const count = defineTool({
  name: 'count',
  title: 'Count',
  description: 'Reports progress, also where it must not',
  scope: 'notes:read',
  annotations: {},
  input: z.object({}),
  output: z.object({}),
  run: async (_input, { progress }) => {
    await progress(1, 3)
    await progress(1, 3, 'not more than before')
    await progress(2, 3, 'more')
    return { kind: 'done', text: 'counted', structured: {} }
  },
})

const broken = defineTool({
  name: 'broken',
  title: 'Broken',
  description: 'Fails in one of two ways',
  scope: 'notes:read',
  annotations: {},
  input: z.object({ how: z.enum(['bug', 'store', 'output']) }),
  output: Text,
  run: async ({ how }) => {
    if (how === 'store') throw new StoreUnavailable('get timed out')
    if (how === 'bug') throw new Error('secret detail')
    return { kind: 'done', text: '', structured: { text: 1 as unknown as string } }
  },
})

/** The argument `region.name` is mirrored in a header. */
const mirrored = defineTool({
  name: 'mirrored',
  title: 'Mirrored',
  description: 'Has an argument in a header',
  scope: 'notes:read',
  annotations: {},
  input: z.object({
    region: z.object({ name: z.string().meta({ 'x-mcp-header': 'Region' }).optional() }).optional(),
    level: z.number().int().meta({ 'x-mcp-header': 'Level' }).optional(),
  }),
  output: z.object({}),
  run: async () => ({ kind: 'done', text: 'ok', structured: {} }),
})

/** Tells the test when it runs and when it was aborted. */
export const hanging: string[] = []
export const aborted: string[] = []
const hang = defineTool({
  name: 'hang',
  title: 'Hang',
  description: 'Waits until it is cancelled',
  scope: 'notes:read',
  annotations: {},
  input: Text,
  output: z.object({}),
  run: ({ text }, { signal }) =>
    new Promise((_resolve, reject) => {
      hanging.push(text)
      signal.addEventListener('abort', () => {
        aborted.push(text)
        reject(new Error('cancelled'))
      })
    }),
})

const review = definePrompt({
  name: 'review',
  title: 'Review',
  description: 'Looks back',
  scope: 'notes:read',
  input: z.object({ day: z.string().describe('Which day'), tone: z.string().optional() }),
  complete: { day: async (typed) => Array.from({ length: 120 }, (_, index) => `${typed}${index}`) },
  run: async ({ day }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Review ${day}` } }],
  }),
})

const offer: Offer = {
  name: 'test',
  title: 'Test',
  version: '1.2.3',
  instructions: 'Use echo.',
  tools: [echo, write, askTwice, count, broken, mirrored, hang],
  prompts: [review],
  resources: [
    {
      name: 'thing',
      title: 'Thing',
      description: 'A thing',
      scope: 'notes:read',
      template: 'thing://{id}',
      mimeType: 'text/plain',
      list: async ({ caller }) => [
        { uri: 'thing://1', name: `one of ${caller.accountId}`, mimeType: 'text/plain' },
      ],
      read: async ({ id }) => (id === '1' ? { text: 'the first' } : undefined),
      complete: async (_variable, typed) => [`${typed}1`],
    },
  ],
}

const scopes = [
  { name: 'notes:read', includes: [] },
  { name: 'notes:write', includes: ['notes:read'] },
  { name: 'admin', includes: ['notes:write'] },
]

/** What a factory needs, on a local store of its own. */
async function serverDeps(log: ServerDeps['log'] = () => undefined): Promise<ServerDeps> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-mcp-'))
  const clock = () => Date.now()
  return {
    store: await createLocalStore({ directory, prefix: 'test', clock }),
    clock,
    random: systemRandom,
    log,
    scopes,
  }
}

export async function testFactory(log?: ServerDeps['log']) {
  return createServerFactory(offer, await serverDeps(log))
}

/** The same server with something of its own. */
export async function offerFactory(own: Partial<Offer>) {
  return createServerFactory({ ...offer, ...own }, await serverDeps())
}
