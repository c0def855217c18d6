import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequest,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Asked, Pending, Question } from '#lib/mcp/define'
import type { RequestState } from '#lib/mcp/request-state'
import type { ServerExchange } from '#lib/mcp/server-exchange'

/** Answers of earlier rounds and the questions that are out: the sealed state of a tool call. */
const StateSchema = z.object({
  asked: z.array(z.string()),
  answers: z.record(z.string(), z.looseObject({ action: z.string() })),
})
type State = z.infer<typeof StateSchema>
type Answer = State['answers'][string]

/** The part of a request's envelope that says whether its client can put questions to a person. */
const CapabilitiesSchema = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    elicitation: z.object({ form: z.unknown().optional(), url: z.unknown().optional() }).optional(),
  }),
})

/** What a person has answered so far in this call, over all its rounds. */
export interface Answers {
  ask<Schema extends z.ZodObject>(key: string, question: Question<Schema>): Asked<Schema>
  /** The result that sends questions out. */
  request(pending: Pending): Promise<ReturnType<typeof inputRequired>>
}

/**
 * Reads the answers of a call. An answer counts only if the sealed state says that its question was asked:
 * a client cannot answer what nobody asked it.
 */
export function readAnswers(context: ServerContext, exchange: ServerExchange): Answers {
  // Most calls ask nothing: the state and the envelope are looked at when a tool asks.
  let known: Record<string, Answer> | undefined
  const answers = () => {
    known ??= collect(context)
    return known
  }
  const sealer = () => (exchange.era === 'modern' && canBeAsked(context) ? exchange.state : undefined)

  return {
    ask: (key, question) => (sealer() ? judge(key, question, answers()[key]) : { state: 'unavailable' }),
    request: (pending) => request(pending, answers(), sealer()),
  }
}

function collect(context: ServerContext): Record<string, Answer> {
  const state = StateSchema.safeParse(context.mcpReq.requestState())
  if (!state.success) return {}

  const all: Record<string, Answer> = { ...state.data.answers }
  for (const key of state.data.asked) {
    const answer = inputResponse(context.mcpReq.inputResponses, key)
    if (answer.kind !== 'elicit') continue
    all[key] = answer.content ? { action: answer.action, content: answer.content } : { action: answer.action }
  }
  return all
}

/** Elicitation in form mode: declared as such, or without any mode, which means form. */
function canBeAsked(context: ServerContext): boolean {
  const capabilities = CapabilitiesSchema.safeParse(context.mcpReq.envelope)
  const elicitation = capabilities.data?.[CLIENT_CAPABILITIES_META_KEY].elicitation
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

function judge<Schema extends z.ZodObject>(
  key: string,
  question: Question<Schema>,
  answer: Answer | undefined,
): Asked<Schema> {
  if (answer && answer.action !== 'accept') return { state: 'declined' }
  const content = answer && question.schema.safeParse(answer['content'])
  // An answer that does not fit its question is asked for again.
  return content?.success
    ? { state: 'accepted', content: content.data }
    : { state: 'asking', pending: { kind: 'pending', questions: { [key]: question } } }
}

async function request(
  { questions }: Pending,
  answers: Record<string, Answer>,
  sealer: RequestState | undefined,
): Promise<ReturnType<typeof inputRequired>> {
  if (!sealer) throw new Error('a tool asked a client that cannot be asked')

  const asked = Object.keys(questions)
  const inputRequests: Record<string, InputRequest> = {}
  for (const [key, { message, schema }] of Object.entries(questions)) {
    inputRequests[key] = inputRequired.elicit({ message, requestedSchema: schema })
  }
  return inputRequired({ inputRequests, requestState: await sealer.seal({ asked, answers } satisfies State) })
}
