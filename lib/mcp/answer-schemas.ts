import { z } from 'zod'
import type { Answered, AnswerTo, Question } from '#lib/mcp/question'

/** What a client sent as an answer: nothing about it is known. */
export type RawAnswer = Readonly<Record<string, unknown>>

const Content = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.enum(['image', 'audio']), data: z.base64(), mimeType: z.string() }),
])

/** `CreateMessageResult`: one block until 2025-06-18, one or several since. */
const SampledSchema = z
  .object({
    role: z.enum(['user', 'assistant']),
    content: z.union([Content, z.array(Content)]),
    model: z.string(),
    stopReason: z.string().optional(),
  })
  .transform(({ content, model, stopReason }) => {
    const blocks = [content].flat()
    const text = blocks.map((block) => (block.type === 'text' ? block.text : '')).join('')
    return { text, content: blocks, model, stopReason }
  })

/** `ListRootsResult`: a root is a `file://` URI until the protocol says otherwise. */
const RootsSchema = z
  .object({
    roots: z.array(z.object({ uri: z.string().startsWith('file://'), name: z.string().optional() })),
  })
  .transform(({ roots }) => roots)

const Refused = z.object({ action: z.enum(['decline', 'cancel']) })

/**
 * Checks an answer against its question. A refusal is one whatever was asked: a person may decline to let
 * their model or their folders be used, and a 2025 client then answers with an error.
 *
 * @returns `undefined` when the answer is none
 */
export function readAnswer<One extends Question>(
  question: One,
  answer: RawAnswer,
): Answered<AnswerTo<One>> | undefined {
  if (Refused.safeParse(answer).success) return { state: 'declined' }
  const read = schemaOf(question).safeParse(answer)
  // The schema is the one that belongs to the kind of the question.
  return read.success ? { state: 'accepted', content: read.data as AnswerTo<One> } : undefined
}

function schemaOf(question: Question): z.ZodType {
  switch (question.kind) {
    case 'url':
      return z.object({ action: z.literal('accept') }).transform(() => undefined)
    case 'sampling':
      return SampledSchema
    case 'roots':
      return RootsSchema
    default:
      return z
        .object({ action: z.literal('accept'), content: question.schema })
        .transform(({ content }) => content)
  }
}
