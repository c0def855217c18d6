import { z } from 'zod'
import { systemRandom } from '#lib/core/random'
import { definePrompt, defineTool, type Offer, type ToolContext } from '#lib/mcp/define'
import { together } from '#lib/mcp/question'
import { createServerFactory, type ServerFactory } from '#lib/mcp/server'
import type { Store } from '#lib/store/port'

const Sure = z.object({ sure: z.boolean() })
const Said = z.object({ said: z.string() })
const say = (what: unknown) => {
  const said = JSON.stringify(what)
  return { kind: 'done' as const, text: said, structured: { said } }
}

export const questions = {
  form: { message: 'Sure?', schema: Sure },
  url: { kind: 'url', message: 'Please look', url: 'https://notes.example/approve/1' },
  sampling: {
    kind: 'sampling',
    messages: [{ role: 'user', content: { type: 'text', text: 'Say hello' } }],
    maxTokens: 20,
    systemPrompt: 'Be brief.',
    stopSequences: ['.'],
  },
  roots: { kind: 'roots' },
} as const
export const kinds = ['form', 'url', 'sampling', 'roots'] as const

/** Asks one question of the kind that its caller names. */
const ask = defineTool({
  name: 'ask',
  title: 'Ask',
  description: 'Asks',
  scope: 'notes:read',
  annotations: {},
  input: z.object({ kind: z.enum(kinds) }),
  output: Said,
  run: async ({ kind }, context) => {
    const asked = context.ask('q', questions[kind])
    return asked.state === 'asking' ? asked.pending : say(asked)
  },
})

const askAll = (context: ToolContext) =>
  together({
    form: context.ask('form', questions.form),
    url: context.ask('url', questions.url),
    sampling: context.ask('sampling', questions.sampling),
    roots: context.ask('roots', questions.roots),
  })

/** Asks one of each kind at once. */
const askTogether = defineTool({
  ...ask,
  name: 'ask_together',
  input: z.object({}),
  output: Said,
  run: async (_input, context) => {
    const all = askAll(context)
    return all.state === 'asking' ? all.pending : say(all.answers)
  },
})

/** The model's answer of the first round is kept while the second asks. */
const askInTurn = defineTool({
  ...ask,
  name: 'ask_in_turn',
  input: z.object({}),
  output: Said,
  run: async (_input, context) => {
    const first = context.ask('first', questions.sampling)
    if (first.state === 'asking') return first.pending
    const second = context.ask('second', questions.form)
    return second.state === 'asking' ? second.pending : say([first, second])
  },
})

const guided = definePrompt({
  name: 'guided',
  title: 'Guided',
  description: 'Asks first',
  scope: 'notes:read',
  input: z.object({}),
  run: async (_input, context) => {
    const asked = context.ask('q', questions.form)
    if (asked.state === 'asking') return asked.pending
    return { messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(asked) } }] }
  },
})

/**
 * A server that asks in every way it can, on `store`. `acted` hears of what `act_once` and `act` did: both
 * act on a yes, one of them only once for each.
 */
export function askingFactory(store: Store, acted: (text: string) => void = () => undefined): ServerFactory {
  const act = defineTool({
    name: 'act',
    title: 'Act',
    description: 'Acts when allowed',
    scope: 'notes:write',
    annotations: {},
    input: z.object({ text: z.string() }),
    output: Said,
    run: async ({ text }, context) => {
      const asked = context.ask('sure', questions.form)
      if (asked.state === 'asking') return asked.pending
      acted(text)
      return say(asked)
    },
  })
  const offer: Offer = {
    name: 'asking',
    title: 'Asking',
    version: '1',
    instructions: '',
    tools: [ask, askTogether, askInTurn, act, { ...act, name: 'act_once', once: true }],
    prompts: [guided],
    resources: [
      {
        name: 'guarded',
        title: 'Guarded',
        description: 'Asks first',
        scope: 'notes:read',
        template: 'guarded://{id}',
        mimeType: 'text/plain',
        list: async () => [],
        read: async (_variables, context) => {
          const asked = context.ask('q', questions.form)
          return asked.state === 'asking' ? asked.pending : { text: JSON.stringify(asked) }
        },
      },
    ],
  }
  const scopes = [
    { name: 'notes:read', includes: [] },
    { name: 'notes:write', includes: ['notes:read'] },
  ]
  return createServerFactory(offer, {
    store,
    clock: () => Date.now(),
    random: systemRandom,
    log: () => undefined,
    scopes,
  })
}
