import { beforeEach, describe, expect, it } from 'vitest'
import { askingFactory, kinds } from '#test/mcp/asking-offer'
import { type InProcess, inProcess } from '#test/mcp/in-process'
import { messages, type Reply } from '#test/mcp/post'
import { openSession, type RawSession, type Reading, readStream } from '#test/mcp/session'
import { localStoreLater } from '#test/support/live-parts'

/** The questions of `asking.test.ts` in sessions: asked by one instance, answered through another. */

const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }
const answers = {
  form: { action: 'accept', content: { sure: true } },
  url: { action: 'accept' },
  sampling: { role: 'assistant', content: { type: 'text', text: 'Hello' }, model: 'm' },
  roots: { roots: [{ uri: 'file:///home', name: 'home' }] },
}
const methods = {
  form: 'elicitation/create',
  url: 'elicitation/create',
  sampling: 'sampling/createMessage',
  roots: 'roots/list',
}

let a: InProcess
let b: InProcess
let acted: string[]

beforeEach(() => {
  acted = []
  const store = localStoreLater()
  const factory = askingFactory(store, (text) => acted.push(text))
  a = inProcess({ factory, store })
  b = inProcess({ factory, store })
})

const open = () => openSession(a, { capabilities: EVERYTHING })
const questionsOf = (stream: Reading) => stream.messages.filter(({ method }) => method !== undefined)
const finalOf = (stream: Reading) => stream.until((message) => message.result !== undefined)
const saidBy = ({ result }: Reply) => JSON.parse(result.structuredContent.said)
const isUrl = ({ params }: Reply) => params?.['mode'] === 'url'

/** The answer that belongs to a question. */
function answerTo(question: Reply): object {
  if (question.method === methods.sampling) return answers.sampling
  if (question.method === methods.roots) return answers.roots
  return isUrl(question) ? answers.url : answers.form
}

async function asked(session: RawSession, name: string, args: object = {}) {
  const stream = readStream(await session.call(a, name, args))
  const question = await stream.until(({ method }) => method !== undefined)
  return { stream, question }
}

describe('a question in a session', () => {
  it.each(kinds)('of the kind %s is asked here and answered there', async (kind) => {
    const session = await open()
    const { stream, question } = await asked(session, 'ask', { kind })
    expect([question.method, isUrl(question)]).toEqual([methods[kind], kind === 'url'])
    expect((await session.answer(b, question, answers[kind])).status).toBe(202)
    expect(saidBy(await finalOf(stream)).state).toBe('accepted')
    expect(await stream.ended).toBe(true)
  })

  it.each(kinds)('of the kind %s that the client answers with an error counts as declined', async (kind) => {
    const session = await open()
    const { stream, question } = await asked(session, 'ask', { kind })
    await session.send(b, {
      jsonrpc: '2.0',
      id: question.id,
      error: { code: -1, message: 'The person said no' },
    })
    expect(saidBy(await finalOf(stream))).toEqual({ state: 'declined' })
  })

  it('is one of several that are asked at once; the last answer, wherever it comes, goes on', async () => {
    const session = await open()
    const { stream } = await asked(session, 'ask_together')
    await stream.until(() => questionsOf(stream).length === kinds.length)
    for (const [index, question] of questionsOf(stream).toReversed().entries()) {
      await session.answer(index % 2 === 0 ? b : a, question, answerTo(question))
    }
    const said = saidBy(await finalOf(stream))
    expect(Object.values(said).map((one) => (one as { state: string }).state)).toEqual(
      kinds.map(() => 'accepted'),
    )
  })

  it('that is answered with something else is asked again, under another id', async () => {
    const session = await open()
    const { stream, question } = await asked(session, 'ask', { kind: 'form' })
    await session.answer(b, question, { action: 'accept', content: { sure: 'perhaps' } })
    const again = await stream.until(({ method, id }) => method !== undefined && id !== question.id)
    await session.answer(a, again, answers.form)
    expect(saidBy(await finalOf(stream))).toMatchObject({ state: 'accepted' })
  })

  it('that is never answered well ends with the call: a server does not ask for ever', async () => {
    const session = await open()
    const stream = readStream(await session.call(a, 'ask', { kind: 'form' }))
    for (let round = 1; round <= 20; round++) {
      const next = await stream
        .until(() => questionsOf(stream).length >= round)
        .then(
          () => questionsOf(stream)[round - 1],
          () => undefined,
        )
      if (!next) break
      await session.answer(b, next, { action: 'accept', content: {} })
    }
    expect((await finalOf(stream)).result).toMatchObject({ isError: true })
    expect(questionsOf(stream).length).toBeLessThan(20)
  })

  it.each([
    {
      method: 'prompts/get',
      params: { name: 'guided' },
      text: (r: Reply['result']) => r.messages[0].content.text,
    },
    {
      method: 'resources/read',
      params: { uri: 'guarded://1' },
      text: (r: Reply['result']) => r.contents[0].text,
    },
  ])('may come from $method', async ({ method, params, text }) => {
    const session = await open()
    const stream = readStream(await session.request(a, method, params))
    const question = await stream.until((message) => message.method !== undefined)
    await session.answer(b, question, answers.form)
    expect(JSON.parse(text((await finalOf(stream)).result))).toEqual({
      state: 'accepted',
      content: { sure: true },
    })
  })

  it('is not answered by what a client writes into its own request', async () => {
    const session = await open()
    const first = await asked(session, 'act', { text: 'x' })
    const params = {
      name: 'act',
      arguments: { text: 'x' },
      requestState: 'x',
      inputResponses: { sure: answers.form },
    }
    const stream = readStream(await session.request(b, 'tools/call', params))
    await stream.until(({ method }) => method === 'elicitation/create')
    expect(acted).toEqual([])
    await Promise.all([first.stream.leave(), stream.leave()])
  })

  it.each(['act', 'act_once'])(
    'of %s is acted on once, however often and wherever the answer comes',
    async (tool) => {
      const session = await open()
      for (let round = 0; round < 5; round++) {
        const { stream, question } = await asked(session, tool, { text: `${tool} ${round}` })
        await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            session.answer(index % 2 === 0 ? a : b, question, answers.form),
          ),
        )
        await finalOf(stream)
      }
      expect(acted).toEqual(Array.from({ length: 5 }, (_, round) => `${tool} ${round}`))
    },
  )
})

it('a session that can be asked nothing gets its answer at once', async () => {
  const session = await openSession(a)
  for (const kind of kinds) {
    const [answer] = await messages(await session.call(b, 'ask', { kind }))
    expect(saidBy(answer ?? {})).toEqual({ state: 'unavailable' })
  }
})
